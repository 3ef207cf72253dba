// What happened, as it happened: the closed sum of everything that Holdfast tells an observer. The command-line
// notices, the drill's timeline and the tests all read from it.
#pragma once

#include <holdfast/endpoint.hpp>
#include <holdfast/error.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::event {

// ---- the deployment: what the Sentinels say -----------------------------------------------------------------------

// A Sentinel answers (again).
struct sentinel_up {
   endpoint sentinel = {};
};
// A Sentinel can't be reached, refuses us, or ceased to answer. Told once, not at each try.
struct sentinel_down {
   endpoint sentinel = {};
   std::string why = {};
};
// SENTINEL SENTINELS named one that was not in the configuration.
struct sentinel_learned {
   endpoint sentinel = {};
};
// A Sentinel published something about our master, e.g. "+odown". A hint only: we ask, then believe.
struct sentinel_said {
   endpoint sentinel = {};
   std::string channel = {};
   std::string payload = {};
};
// Another master is believed than before (the first time: `from` is empty). Its role is yet to be verified by whoever
// connects. `provisional`: a Sentinel had selected it, and it says that it is a master (cutover::eager); no Sentinel
// has given out its address yet.
struct master_named {
   endpoint from = {};
   endpoint to = {};
   std::uint64_t epoch = 0;
   bool provisional = false;
};
// A Sentinel gives out the address of a master that was believed provisionally.
struct master_confirmed {
   endpoint master = {};
   std::uint64_t epoch = 0;
};
// A provisional belief was wrong, or came to nothing; `back_to` is believed again. What `master` acknowledged meanwhile
// may be lost.
struct master_withdrawn {
   endpoint master = {};
   std::uint64_t epoch = 0;
   endpoint back_to = {};
   std::string why = {};
};
// A Sentinel named a node that a newer epoch has superseded, and was not believed.
struct stale_answer {
   endpoint sentinel = {};
   endpoint named = {};
   std::uint64_t epoch = 0;
   std::uint64_t believed_epoch = {};
};
// All reachable Sentinels agreed for long enough on a lower epoch: they were rebuilt from nothing.
struct new_lineage {
   endpoint master = {};
   std::uint64_t epoch = 0;
   std::uint64_t abandoned_epoch = {};
};
// No master can be named at present; `why` says whether no Sentinel answers or none knows the name.
struct master_lost {
   std::string why = {};
};

// ---- the lane: the connection and its commands --------------------------------------------------------------------

// Connected, and its role verified: commands are sent there from now on.
struct connected {
   endpoint master = {};
   std::uint64_t epoch = 0;
   bool resp3 = {};
};
// A connection or its handshake failed before it could be used. `why` in plain words.
struct dial_failed {
   endpoint where = {};
   std::string why = {};
};
// The node answered, but is no master.
struct role_refused {
   endpoint where = {};
   std::string role = {};
};
// A connection in use was lost or given up. `unanswered` commands had been written to it.
struct connection_lost {
   endpoint where = {};
   std::string why = {};
   unsigned unanswered = {};
};
// No reply within the attempt timeout: a second connection probes the node.
struct suspected {
   endpoint where = {};
   duration silent_for = {};
};
// The suspicion ended: the node answered after all.
struct suspicion_cleared {
   endpoint where = {};
};
// The previous connection to the same node is proven dead: nothing sent on it can run any more (`done`), or that could
// not be proven (`why`).
struct fenced {
   endpoint where = {};
   bool done = {};
   std::string why = {};
};
// A command that had been written is written again. `command`, here and below, is its name, its keys and how long its
// other arguments are: never a value. `where`, here and below, is the node of the command's shard; empty if none is
// known.
struct resent {
   std::string command = {};
   unsigned attempt = {};
   std::string why = {};
   endpoint where = {};
};
// A command ended without our knowing whether it ran.
struct outcome_unknown {
   std::string command = {};
   std::string why = {};
   endpoint where = {};
};
// A command would have been sent again, but the retry budget (config::resend.budget) is spent: it ends with
// errc::retry_budget_exhausted. `why` is what had befallen it.
struct budget_exhausted {
   std::string command = {};
   std::string why = {};
   endpoint where = {};
};
// The circuit breaker changed: "closed", "open", "half-open".
struct breaker_changed {
   std::string state = {};
};

}  // namespace holdfast::event

namespace holdfast {

using any_event =
   std::variant<event::sentinel_up, event::sentinel_down, event::sentinel_learned, event::sentinel_said,
                event::master_named, event::master_confirmed, event::master_withdrawn, event::stale_answer,
                event::new_lineage, event::master_lost, event::connected, event::dial_failed, event::role_refused,
                event::connection_lost, event::suspected, event::suspicion_cleared, event::fenced, event::resent,
                event::outcome_unknown, event::budget_exhausted, event::breaker_changed>;

// The name of the kind, e.g. "master_named".
std::string_view name_of(const any_event&);
// One line in plain words, without a newline. What servers sent is escaped.
std::string to_string(const any_event&);

// A caller's unqualified to_string(e) is looked up here: any_event is a std::variant of the types of this namespace.
namespace event {
using holdfast::name_of;
using holdfast::to_string;
}  // namespace event

// Called in the client's own thread, between events and never inside one: it may take its time (the client waits), but
// must not throw and must not call the client. Where clients share a `deployment`, what the first part has goes to the
// deployment's observer, in the deployment's thread, and what a lane tells to that client's, in its caller's. Empty:
// nothing is told, and nothing is spent on telling.
using observer = std::function<void(const any_event&)>;

// Where the pure layers put what happened until the runtime tells it. Costs nothing while nobody listens.
class event_queue {
 public:
   explicit event_queue(bool wanted) : wanted_(wanted) {}
   bool wanted() const { return wanted_; }
   // `make` is called, and its result kept, only if somebody listens.
   template <class Make>
   void tell(Make&& make) {
      if (wanted_) waiting_.emplace_back(std::forward<Make>(make)());
   }
   bool empty() const { return waiting_.empty(); }
   // Takes all that is waiting; `into` is cleared first and its storage reused.
   void take(std::vector<any_event>& into) {
      into.clear();
      into.swap(waiting_);
   }

 private:
   bool wanted_;
   std::vector<any_event> waiting_;
};

}  // namespace holdfast

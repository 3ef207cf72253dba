// Keeps a lane connected: asks where the master is, dials, shakes hands, and begins again with growing pauses until it
// is told to rest. It never gives up; commands do, when their deadline passes.
//
//    resting --want--> asking --answered--> dialing --opened--> greeting --verified--> ready
//                        ^                     |                   |                     |
//                        +------ pausing <-----+---- any failure --+     <--- leave -----+
//
// Where a name has several addresses, a round of dialing and greeting takes each of them once, until one is a master.
// The first try after a connection was lost comes at once. A node that the guide no longer names is left in any phase.
#pragma once

#include "lane/guide.hpp"
#include "lane/handshake.hpp"
#include "link/link.hpp"

#include <holdfast/event.hpp>
#include <holdfast/policy/backoff.hpp>
#include <holdfast/random.hpp>

#include <optional>
#include <string>
#include <vector>

namespace holdfast::lane {

struct connector_settings {
   duration connect_timeout = std::chrono::seconds(1);  // for dialing and greeting together
   holdfast::backoff backoff = exponential_backoff();
   duration failover_cap = std::chrono::milliseconds(250);  // no pause is longer while a failover is under way
   duration reconnect_spread = duration::zero();            // a random wait up to this before dialing a new master
};

class connector {
 public:
   enum class phase : std::uint8_t { resting, asking, pausing, dialing, greeting, ready };

   connector(connector_settings, resp::link&, guide&, event_queue&, std::uint64_t seed);

   void want(time_point now);   // there is something to send
   void rest(time_point now);   // there is nothing: no more tries (an open connection stays)
   void leave(time_point now);  // the connection ended, or its node is to be left; closes it if it is open
   void proven();               // a command was answered: the next failure is a first one

   // The link's events, for as long as `now() != ready`.
   void on_opened(const session&, bool busy_will_do, time_point now);
   void on_lost(std::string_view why, time_point now);
   void on_received(time_point now);
   void guided(time_point now);  // the guide's mind may have changed
   void tick(time_point now);
   time_point next_deadline() const { return deadline_; }

   phase now() const { return phase_; }
   bool ready() const { return phase_ == phase::ready; }
   // The server was busy with a script, and we let in all the same: only for what may run then.
   bool unfinished() const { return ready() && handshake_.unfinished(); }
   // The named node is another than that of the present connection. The same process under another name is not.
   bool superseded() const;
   const identity& self() const { return handshake_.self(); }
   const std::string& role() const { return handshake_.role(); }
   time_point master_changed_at() const { return master_changed_at_; }

   // Why commands wait: the last tries, newest last; and what they would fail with now.
   const text_list& causes() const { return causes_; }
   std::string under_way() const;  // the try that has not failed yet; empty if there is none
   std::optional<handshake::problem> problem() const { return problem_; }

   // ---- the fence ----
   // The connection that is being given up has written what may still run there. `others_wait`: for what was lost on
   // connections before it, too, commands wait to be sent again.
   void remember_for_fence(bool others_wait);
   // On the way to a process where something of a lost connection may still run.
   bool fence_is_due() const;
   bool has_to_fence() const { return !pasts_.empty() || !forgotten_.empty(); }  // should the lane come to it
   // After ready: whether the lane came back to the process of such a connection, and if so whether it is proven dead.
   // Unproven: it came to another address, and can't know whether to another process.
   enum class fence_result : std::uint8_t { not_needed, holds, unproven, impossible };
   fence_result fenced() const { return fenced_; }
   const std::string& fence_problem() const { return fence_problem_; }

 private:
   struct past {
      endpoint where;    // where it was dialled; none once another process was found there
      endpoint address;  // the one of that name
      identity who;
      std::uint64_t epoch = 0;  // that it was the master under
      bool passed = false;      // the lane was connected to another node since
      bool waited_for = true;   // what was lost there may wait to be sent again
   };
   bool may_be_same(const past&) const;
   bool is_here(const past& p) const { return p.where == node_->where && p.address == link_.address(); }
   static constexpr std::size_t most_pasts = 8;  // connections that a lane remembers to fence
   static constexpr std::size_t most_forgotten = 64;
   void forget_one();
   bool may_be_forgotten(std::string_view run_id) const;
   static constexpr std::size_t most_causes = 16;

   void set_phase(phase, time_point deadline, time_point now);
   void ask(time_point now);
   void dial(time_point now);
   void dial_next(time_point now);
   bool is_unwanted_replica() const;
   std::string at_address() const;
   void pause(time_point now);
   void no_connection(std::string_view why, time_point now);
   void failed(errc, std::string why, time_point now);
   void become_ready(time_point now);
   void take_fates();
   bool is_same_process(const named_node&) const;
   bool lasts(time_point now);
   void conclude();
   void note(std::string cause);

   connector_settings settings_;
   resp::link& link_;
   guide& guide_;
   event_queue& events_;
   random_source random_;
   backoff_sequence pauses_;
   backoff_sequence refusals_;

   phase phase_ = phase::resting;
   time_point deadline_ = never;
   bool wanted_ = false;  // no `rest` since the last `want`
   guide::round round_ = 0;
   std::optional<named_node> node_;  // dialed, or connected to
   handshake handshake_;
   handshake::way way_ = handshake::way::hello;        // for the next connection to the same address, or the next round
   handshake::way round_way_ = handshake::way::hello;  // of this round over a name's addresses
   bool ever_ready_ = false;
   bool proven_ = true;  // the last connection that was ready did answer a command
   bool spread_done_ = true;
   bool master_seen_ = false;    // what was connected to was a master once
   bool replica_met_ = false;    // in this round over a name's addresses
   bool replicas_only_ = false;  // the last round found replicas, and no master
   time_point master_changed_at_ = {};
   std::optional<handshake::problem> problem_;
   std::optional<handshake::problem> said_;  // by a server, in this round over a name's addresses
   bool round_is_final_ = true;              // each address of the round so far failed for good
   time_point refusing_since_ = {};          // of the handshakes refused by reason of what we are, in close succession
   time_point last_refusal_ = {};
   text_list causes_;
   std::vector<past> pasts_;
   // Of those that are too many to be fenced the run ids; one that is empty stands for any process.
   std::vector<std::string> forgotten_;
   fence_result fenced_ = fence_result::not_needed;
   std::string fence_problem_;
};

}  // namespace holdfast::lane

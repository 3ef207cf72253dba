// The engine: one tracker and its lanes, as one machine without I/O. This is the file to read first.
//
// A runtime (runtime/poll in the caller's thread, runtime/asio, a simulator) feeds it what happened: resolved,
// connected, received, wrote, lost, the passing of time; and carries out what it asks for: `next_action` says which
// names to resolve, connections to open or close, bytes to write; `next_deadline` says when to come back if nothing
// happens. The runtime decides nothing. Time is an argument everywhere, and randomness comes from the seed: the same
// calls give the same run.
//
//      caller --submit--> lane (queue, ledger, decide) --bytes--> master
//                          | ^
//                 requests v | views       values: src/view
//                       tracker (Sentinels, epochs, belief) --bytes--> Sentinels
//
// A shard is a lane with its links and its side of the topology; route tells the shard of a command. Under
// Sentinels, and with one server, there is one. Beside it there are lanes of one's own (lane_pool.hpp). What is
// reported of a link goes to its owner (link.hpp): the engine knows links by their ids.
//
// A change of the view reaches each lane, and the lanes' requests reach the tracker, before the call of the engine ends
// that brought them about. The tracker may run elsewhere, for many lanes: then the runtime carries both values
// (`take_requests`, `on_update`).
//
// Completions are queued (`take_done`), never called: nothing re-enters the engine. Not thread-safe.
#pragma once

#include "commands/route.hpp"
#include "core/counters.hpp"
#include "core/secrets.hpp"
#include "engine/address_book.hpp"
#include "engine/callers.hpp"
#include "engine/command_report.hpp"
#include "engine/lane_pool.hpp"
#include "engine/tracked_topology.hpp"
#include "lane/command_lane.hpp"
#include "lane/lane_topology.hpp"
#include "lane/transaction.hpp"
#include "link/link.hpp"
#include "view/topology_requests.hpp"
#include "view/topology_view.hpp"

#include <holdfast/command_observer.hpp>
#include <holdfast/config.hpp>
#include <holdfast/event.hpp>
#include <holdfast/policy/circuit_breaker.hpp>
#include <holdfast/policy/retry_budget.hpp>
#include <holdfast/stats.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl {

using link_id = std::uint32_t;

// A request to the runtime. `serial` tells one connection of a link from the next: the runtime passes it back
// with everything that it reports, and what belongs to a connection that was given up meanwhile is ignored.
struct io_request {
   enum class kind : std::uint8_t {
      resolve,  // turn `where.host` into addresses, then call `resolved`; an address or a path resolves to itself
      connect,  // to `where` (an address, or a Unix path), then call `connected` or `lost`
      write,    // `to_write` has bytes: write what the kernel takes, call `wrote`; go on when it takes more
      close,    // end the connection in order
      abort,    // end it at once: what it has not delivered is not to be delivered late
   };
   io_request::kind what = kind::close;
   link_id link = 0;
   std::uint32_t serial = 0;
   endpoint where = {};  // of resolve and connect
   endpoint name = {};   // of connect: what was resolved to `where`; a server's certificate is about this
};

// The source of the views.
enum class topology_source : std::uint8_t {
   own,        // the engine asks the Sentinels of its config itself; or it has a fixed server
   elsewhere,  // `on_update` brings the views; what the config says of Sentinels is not looked at
};

class engine {
 public:
   // `c` has passed `validate`. What is counted goes to `counts`, which outlives the engine; null: to its own.
   engine(const config& c, std::uint64_t seed, topology_source from = topology_source::own, callers who = callers::one,
          counters* counts = nullptr);
   engine(const engine&) = delete;
   engine& operator=(const engine&) = delete;

   // ---- the client's half ----
   // To the lane that it names; else one that blocks on the server gets a lane of its own where callers are many, and
   // all others go to the one that they share.
   void submit(operation&, time_point now);
   void cancel(operation&, time_point now);
   void cancel_all(time_point now);
   // Ends an operation that was not submitted: certainly not executed.
   void refuse(operation& op, errc why, time_point now) {
      counts_.submitted();
      op.lane == 0 ? shard_of(op).lane.refuse(op, why, now) : pool_.refuse(op, why, now);
   }
   operation* take_done(time_point now) {  // null when there is none
      if (operation* const op = shards_.front()->lane.take_done()) return ended(*op, &shards_.front()->lane, now);
      if (operation* const op = pool_.take_done()) return ended(*op, pool_.find(op->lane), now);
      return nullptr;
   }
   // Commands that ended before an operation was made of them: one, or a MULTI ... EXEC.
   void was_refused(std::span<const command>, const error&, time_point given, time_point now);
   bool has_done() const { return shards_.front()->lane.has_done() || pool_.has_done(); }
   event_queue& events() { return events_; }
   // All that is to be told, with no configured password in it. `into` is cleared first and its storage reused.
   void take_events(std::vector<any_event>& into);
   holdfast::stats stats() const { return counts_.snapshot(); }
   const command_lane& lane(shard_id of = 0) const { return shards_[of]->lane; }
   // A lane for one caller, to be named in `operation::lane`, until it is given back. Nothing is sent, and it has no
   // connection yet, or one that is as the configuration says. What is under way on it is cancelled when it is given
   // back.
   lane_number acquire() { return pool_.acquire(); }
   void give_back(lane_number, time_point now);
   const lane_pool& lanes() const { return pool_; }
   // Of one that was just acquired, as `resume`; `watched`: keys were watched there, and are no more.
   void resume(lane_number n, const session& s, bool watched) {
      secrets_.learn(s.password);
      pool_.resume(n, s, watched);
   }
   // Of connections that were never made: what callers had changed on an earlier engine's.
   void resume(const session&);
   // Finds out where the master is, also without any command.
   void discover(time_point now);

   // ---- the topology's half: with a source elsewhere, and as the source of engines elsewhere ----
   void on_update(topology_update, time_point now);
   bool has_requests() const { return topology().has_requests(); }
   topology_requests take_requests() { return topology().take_requests(); }
   // Requests of lanes elsewhere, as the publisher puts them; the engine's own lane stays idle.
   void serve(const topology_requests&, time_point now);
   const topology_update& latest() const { return tracked_->latest(); }
   // Null without Sentinels of its own.
   const sentinel_tracker* watch() const { return tracked_ ? &tracked_->tracker() : nullptr; }

   // For the links of owners outside, which must not outlive the engine.
   io_queue& links() { return io_; }

   // ---- the runtime's half ----
   bool next_io(io_request& into);  // false when there is none
   bool has_io() const { return !requested_.empty() || !io_.empty(); }
   void resolved(link_id, std::uint32_t serial, std::vector<endpoint> addresses, std::string_view problem,
                 time_point now);
   void connected(link_id, std::uint32_t serial, time_point now);
   void lost(link_id, std::uint32_t serial, std::string_view why, time_point now);
   // Space for what arrives, empty if that connection was given up; then `received` says how much came.
   std::span<char> space(link_id, std::uint32_t serial);
   void received(link_id, std::uint32_t serial, std::size_t n, time_point now);
   std::span<const char> to_write(link_id, std::uint32_t serial) const;
   void wrote(link_id, std::uint32_t serial, std::size_t n, time_point now);
   // Before a tick: of the links of which `measured` is wanted, the one with the lowest id above `above`; 0: none. A
   // runtime that can't measure leaves it out.
   link_id to_measure(time_point now, link_id above = 0) const;
   void measured(link_id, std::uint32_t serial, const transit&, time_point now);
   void tick(time_point now);
   time_point next_deadline() const;

 private:
   struct connection {
      std::vector<endpoint> addresses;  // not tried yet, the next one last
      std::size_t all = 0;              // and those that were, together
      endpoint name = {};               // whose they are
      endpoint address = {};            // the one that is tried, or connected to; empty: none
      bool heard = false;               // something came from it
   };

   // One stream of commands to one master, and its connections.
   struct shard {
      shard(engine& e, const config& c, std::uint64_t seed, callers);

      lane_topology topology;
      link main;
      link probe;
      command_lane lane;
   };

   static std::vector<std::unique_ptr<shard>> one_shard(engine&, const config&, std::uint64_t seed, callers);
   shard& shard_of(const operation& op) { return *shards_[route(op.commands.front())]; }
   // The source of views names the master of the first shard, which is the only one (route).
   lane_topology& topology() const { return shards_.front()->topology; }
   void submit_among_many(operation&, time_point now);
   [[gnu::cold]] void list_io(const io_queue::entry&);
   void try_next(link&);
   void ended(connection&, bool unwanted);
   // Something happened to a link.
   void touched(const link& l, time_point now) {
      if (l.mark != 0) [[unlikely]]
         pool_.changed(l.mark, now);
   }
   // The end of every entry point.
   void finish(time_point now) {
      if (tracked_ && (topology().has_requests() || tracked_->is_behind())) [[unlikely]]
         hand_over(now);
   }
   [[gnu::cold]] void hand_over(time_point now);
   void take_view(topology_update, time_point now);
   void hide_secrets(operation&) const;
   void learn_passwords(const operation&);
   operation* ended(operation&, const command_lane* by, time_point now);
   [[gnu::cold]] void tell_end(const operation&, const command_lane* by, time_point now);
   void tell(std::span<const command>, const command_end&, const endpoint& where);
   [[gnu::cold]] void failed(operation&, const error&);
   void report(const operation&, time_point now);
   void tell_breaker(time_point now);

   const std::unique_ptr<counters> own_counts_;
   counters& counts_;
   const command_observer command_observer_;
   event_queue events_;
   secrets secrets_;
   io_queue io_;
   std::vector<connection> connections_;  // by link id - 1; of each that was dialled
   std::vector<io_request> requested_;    // not taken yet, the next one last
   address_book book_;

   retry_budget budget_;
   std::optional<circuit_breaker> breaker_;
   circuit_state told_breaker_ = circuit_state::closed;
   bool follows_deployment_ = true;  // no deadline is configured: the deployment's timing gives it
   std::optional<duration> told_down_after_;
   std::optional<endpoint> guarded_;  // the master that the breaker stands for

   std::optional<tracked_topology> tracked_;  // where there are Sentinels, and nobody elsewhere who asks them
   std::vector<std::unique_ptr<shard>> shards_;
   const bool is_shared_;  // by many callers
   lane_pool pool_;
};

}  // namespace holdfast::impl

// How operations end: each exactly once, with its reply, or with an error that says what is known of it. An unknown
// outcome is reported only when the connection in question can do no more harm: behind the fence, or on another master;
// or at the deadline, and then its causes say "not fenced".
#pragma once

#include "core/counters.hpp"
#include "lane/command_queue.hpp"
#include "lane/connector.hpp"
#include "lane/deadlines.hpp"
#include "lane/lane_topology.hpp"
#include "lane/ledger.hpp"
#include "lane/pacing.hpp"
#include "link/link.hpp"

#include <holdfast/error.hpp>
#include <holdfast/event.hpp>

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace holdfast::impl {

class retries;

class endings {
 public:
   // Parts that an operation may be taken out of, and that tell why.
   struct parts {
      impl::link& link;
      ledger& in_flight;
      command_queue& queue;
      impl::gate& gate;
      const impl::pacing& pacing;
      const impl::connector& connector;
      const lane_topology& topology;
      event_queue& events;
      counters& counts;
   };
   explicit endings(const parts& p) : at_(p) {}

   operation* take_done() { return done_.pop_front(); }
   bool has_done() const { return !done_.empty(); }

   deadlines& by_deadline() { return deadlines_; }

   void finish(operation& op) {
      deadlines_.remove(op);
      if (op.is == operation::state::in_flight) at_.counts.left_flight();
      op.is = operation::state::idle;
      op.done = true;
      done_.push_back(op);
   }
   void fail(operation&, error);
   // Its connection was lost. If something of it may still run, it ends behind the fence.
   void fail_lost(operation&, error);
   // It waited to be sent again, and ends with its last error: it was taken out of the queue.
   void fail_waiting(operation&, std::string_view cause, time_point now);
   // It did not run this time, and is not sent again: an attempt before may have run.
   void fail_unsent(operation&, error, time_point now);

   // ---- of those that wait to be sent again ----
   using operations = std::vector<operation*>;
   void drop_overtaken(const operations&, time_point now);
   // Whether the answer that was kept is final, and it ends with it.
   bool end_with_answer(operation&);
   void end_answered(const operations&, time_point now);  // with their answers, or as overtaken
   // A write has run. To send an older one now would change the order in which they were given; to read now what an
   // older read was to tell would be an answer from the future.
   void end_overtaken_by(const operation&, const ledger_slot&, time_point now);
   void end_overtaken_by(const footprint& ran, const ledger_slot&, time_point now);
   void end_overtaken_by(const std::vector<lost_command>&, time_point now);  // those that are known to have run
   // `gone` may have run, and ended before they were sent again: then older writes about the same data end, too.
   void end_behind(operations gone, time_point now);
   // It was turned away, and is behind what has gone: it is not sent once more. `last` says why it was turned away.
   void end_behind_gone(operation&, time_point now);
   // A gate was tried often enough: all that it turned away with these words hear of it, and what comes next is tried
   // anew.
   void give_up_at_gate(reply_class, time_point now);
   // Trying on would not help as far as can be known (a wrong password, a name that no Sentinel knows): all that waits
   // ends now, not at its deadline. Whether it is so.
   bool end_at_final_problem(time_point now);
   // Its connection is gone, and nothing of it was written there.
   void fail_pinned(operation&, time_point now);
   void end_pinned(time_point now);  // those that wait
   // It waits in the queue, and what a WATCH before it named is not watched any more.
   void fail_unwatched(operation&, time_point now);
   // It waits in the queue, and its cursor is of another process.
   void fail_foreign_cursor(operation&, const endpoint& of, time_point now);
   // It waits elsewhere for a lane like this one.
   void fail_parked(operation&, errc, std::string cause, time_point now);
   // The lane is connected again: what awaited the fence ends, and what can't be fenced.
   void on_fenced(retries&, time_point now);

   // Error with all that is known. A later attempt that certainly did not run says nothing about an earlier one.
   error make_error(const operation&, std::error_code, outcome, time_point now) const;
   // Why an operation that is still waiting ends now: `code` is the caller's reason (deadline, cancel), or what made
   // further waiting useless.
   error waiting_error(const operation&, errc code, time_point now);
   // READONLY, from one fixed server: no Sentinel says where its master is; it may become one itself.
   void explain_replica(error&);
   void forget_replica() { told_replica_ = false; }

 private:
   bool is_unfenced(const operation& op) const {
      return op.unfenced || (op.left_behind && at_.connector.fence_is_due());
   }

   void end_overtaken_by(const footprint& ran, std::uint64_t sequence, time_point now);
   void fail_overtaken(operation&, time_point now);

   parts at_;
   deadlines deadlines_;
   operation_list done_;
   const text_list never_fenced_{"not fenced: the node could not be reached again to end the lost connection"};
   // Reasons that the last error named: the next one's are mostly the same, and then shared.
   text_list no_master_because_;
   text_list held_because_;
   text_list objection_;
   bool told_replica_ = false;  // that the fixed server is a replica, and refuses writes
};

}  // namespace holdfast::impl

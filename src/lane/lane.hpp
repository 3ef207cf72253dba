// One ordered stream of commands to the current master: the queue, the connection, the ledger of what was written and
// what was answered, and for every command that fails the decision (decision.hpp).
//
// Order. Commands are written in the order of `submit`, and take effect in it: every reply is one that this order could
// have given. What is written again keeps its place, and what was rejected is not sent again once a newer write has run
// (resend_order.hpp). An answer from before an older write that waits is asked for again. SELECT and its like are
// written alone.
//
// Truth. Every operation ends exactly once, with a reply or an error whose outcome follows from the ledger. An unknown
// outcome is reported only when the connection in question can do no more harm: after the fence, or on another master;
// or at the deadline, and then its causes say "not fenced".
//
// Limits. Queue, flight, time and suspicion are bounded by `settings`; what is over is refused, never dropped.
//
// A reactor: `on_*` and `tick` take events, everything that follows is in the links' wishes, `take_done` and the
// events.
#pragma once

#include "lane/connector.hpp"
#include "lane/decision.hpp"
#include "lane/guide.hpp"
#include "lane/ledger.hpp"
#include "lane/life.hpp"
#include "lane/multi_test.hpp"
#include "lane/operation.hpp"
#include "lane/resend_order.hpp"
#include "lane/scan_cursors.hpp"
#include "lane/session.hpp"
#include "lane/suspicion.hpp"
#include "link/link.hpp"

#include <holdfast/event.hpp>
#include <holdfast/policy/retry_budget.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::lane {

struct settings {
   session initial;
   connector_settings connecting;
   duration attempt_timeout = std::chrono::seconds(2);
   duration idle_ping =
      std::chrono::seconds(5);  // after so long without a byte, the connection is tested before it is used
   std::optional<unsigned> max_resends = {};
   std::size_t queued_commands = 10'000;
   std::size_t queued_bytes = std::size_t{64} << 20;
   std::size_t in_flight = 10'000;
   std::size_t in_flight_before_first_reply = 1000;
   bool tests_multi = false;  // before its first transaction a connection is asked whether it takes MULTI and EXEC
};

class lane {
 public:
   lane(settings, resp::link& main, resp::link& probe, guide&, retry_budget&, event_queue&, std::uint64_t seed);

   // ---- the client's half ----
   void submit(operation&, time_point now);
   // Ends it at once, certainly not executed.
   void refuse(operation&, errc, time_point now);
   void cancel(operation&, time_point now);  // ends it with errc::cancelled and what is known of it
   void cancel_all(time_point now);
   operation* take_done() { return done_.pop_front(); }
   bool has_done() const { return !done_.empty(); }
   // What a command without a deadline of its own gets; commands under way are adjusted.
   void set_default_deadline(duration);
   duration default_deadline() const { return default_deadline_; }

   // ---- the engine's half ----
   void on_opened(resp::link&, time_point now);
   void on_received(resp::link&, time_point now);
   void on_lost(resp::link&, std::string_view why, time_point now);
   void guided(time_point now);  // the guide's mind may have changed
   void tick(time_point now);
   time_point next_deadline() const;
   // The kernel took bytes of the lane's link.
   void on_wrote(time_point now);
   // Before a tick: whether `measured` would help to tell a slow way from silence.
   bool wants_transit(time_point now) const { return connector_.ready() && now >= look_at(); }
   void measured(const resp::transit&, time_point now);

   bool idle() const { return queue_.empty() && limbo_.empty() && ledger_.empty(); }
   const connector& connection() const { return connector_; }
   const session& state() const { return session_; }        // of the connection, as callers have changed it
   void resume(const session& s) { session_ = s; }          // before the first command
   const endpoint& where() const { return link_.where(); }  // of the present connection, or the last one
   std::size_t queued() const { return queue_.size(); }
   std::size_t in_flight() const { return ledger_.size(); }
   // Commands, and places in lists, that were gone through when many ended, or were put back, at once.
   std::uint64_t steps() const { return steps_ + queue_.steps() + limbo_.steps() + order_.steps(); }
   // Whether a command of so many bytes would be taken now.
   bool has_room(std::size_t bytes) const {
      return queue_.size() < settings_.queued_commands && queued_bytes_ + bytes <= settings_.queued_bytes;
   }

 private:
   static constexpr std::size_t outbox_aim =
      64 * 1024;  // enough for one write; the rest stays where it can be taken back

   // lane.cpp: what comes in
   bool admit(operation&, time_point now);
   time_point default_deadline_of(const operation&) const;
   void became_ready(time_point now);
   void expire(time_point now);
   void abandon(operation&, errc, time_point now);
   template <class Leaves>
   void abandon_all(errc, time_point now, Leaves&&);
   bool is_unsent(const ledger_slot&) const;
   void leave_list(operation&, errc, std::vector<operation*>& gone, time_point now);
   void leave_unsent(operation&, errc, std::vector<operation*>& gone, time_point now);
   void leave_slot(ledger_slot&, errc, time_point now);
   void remember_change(const operation&, time_point now);
   void rest_if_idle(time_point now);
   void check_final_problem(time_point now);
   // lane_write.cpp
   void pump(time_point now);
   bool held(const operation&, time_point now);
   bool may_have_cursor(const operation& op) const {
      return resp::is_scan(op.entry) || (op.is_transaction() && !cursors_.empty());
   }
   bool refuse_foreign_cursor(operation&, time_point now);
   void leave_if_unfinished(time_point now);
   void knock(time_point now);
   std::size_t may_be_in_flight() const {
      return first_reply_ ? settings_.in_flight : settings_.in_flight_before_first_reply;
   }
   bool must_wait_in_line(const operation&) const;
   void write(operation&, time_point now);
   void test_idle_connection(time_point now);
   time_point silent_since() const { return std::max(silent_since_, life_.last()); }
   time_point look_at() const { return ledger_.empty() ? never : life_.look_at(silent_since(), link_.out.appended()); }
   bool must_test_multi(time_point now);
   bool is_testing() const { return awaiting_pong_ || multi_test_.now() == multi_test::state::asked; }
   time_point silence_ends() const;
   void watch_silence(time_point now);
   // lane_replies.cpp
   void take_replies(time_point now);
   void take_reply(const value_view&, time_point now);
   void answered(operation&, const ledger_slot&, time_point now);
   void answered_nobody(const ledger_slot&, bool knocked, const value_view& reply, time_point now);
   void has_run(const ledger_slot&, time_point now);
   void rejected(operation&, const ledger_slot&, bool knocked, time_point now);
   bool rejected_inside(operation&, time_point now);
   bool waits_out(operation&, resp::reply_proof, const error&, time_point now);
   void explain_replica(error&);
   void pushed_back(operation&, const decision&, time_point now);
   void give_up_at_gate(resp::reply_class, time_point now);
   void open_gate();
   void keep_answer(operation&, operation::answer);
   bool answer_counts(const operation&) const;
   bool may_be_asked_again(const operation&, time_point now);
   bool waits_for_older(const operation&, time_point now);
   bool its_answer_is_final(operation&, time_point now);
   void release(operation&, time_point now);
   void hide_values(operation&);
   void may_be_another_user(resp::command_role changed_by);
   void multi_tested(time_point now);
   void drop_overtaken(operation&, time_point now);
   void fail_overtaken(operation&, time_point now);
   void fail_waiting(operation&, std::string_view cause, time_point now);
   // lane_loss.cpp
   void lose(std::string why, fault, bool abortive, time_point now);
   struct lost_command {
      operation* op = nullptr;  // null: its caller has left
      std::uint64_t sequence = 0;
      written state = written::nothing;
      bool remains = false;     // it may have changed something
      bool ran_before = false;  // or an attempt before may have
      decision then = {};
      bool overtaken = false;
      bool free = false;  // of the retry budget
   };
   decision judge(operation&, written& state, fault, bool budget, time_point now);
   bool is_free(const operation& op) const;
   void count_resend(operation&, bool free, time_point now);
   std::vector<operation*> forbid_overtaking(std::vector<lost_command>&, time_point now);
   void forbid_overtaking(std::vector<operation*> gone, time_point now);
   void fail_unsent(operation&, error, time_point now);
   void settle(const lost_command&, const text_list& why, time_point now);
   void fenced(time_point now);
   bool settle_unfenced(operation&, const text_list& reason, time_point now);
   bool is_unfenced(const operation& op) const { return op.unfenced || (op.left_behind && connector_.fence_is_due()); }
   void leave_soon(std::string why, time_point now);
   bool is_worth_leaving(resp::reply_class, time_point now);
   void leave_if_no_master(std::string_view said, time_point now);
   bool abandoned_block_is_next();
   void leave_when_drained(time_point now);
   // lane_end.cpp
   situation describe(operation&, fault, time_point now);
   error make_error(const operation&, std::error_code, outcome, time_point now) const;
   error waiting_error(operation&, errc, time_point now);
   std::string what_holds(time_point now) const;
   void requeue(operation&);
   void unqueue(operation&);
   void fail(operation&, error, time_point now);
   void finish(operation&);

   settings settings_;
   resp::link& link_;
   guide& guide_;
   retry_budget& budget_;
   event_queue& events_;
   random_source random_;
   connector connector_;
   session session_;
   scan_cursors cursors_;
   suspicion suspicion_;
   life life_;

   operation_list queue_;  // ordered by sequence
   operation_list limbo_;
   operation_list done_;
   ledger ledger_;
   std::uint64_t last_sequence_ = 0;
   std::size_t queued_bytes_ = 0;
   resend_order order_;        // of the queue: those written before
   std::uint64_t reruns_ = 0;  // writes that were sent again and have run, or may have
   duration default_deadline_ = std::chrono::seconds(10);

   std::uint64_t steps_ = 0;
   time_point earliest_ = never;  // no operation's deadline comes before
   // A server's state turns away what it holds. Then the oldest of that is sent alone after each pause, to see.
   enum class gate : std::uint8_t {
      open,
      writes,      // NOREPLICAS, MISCONF, OOM: reads go on with each knock, unless they are about what is held
      everything,  // LOADING, BUSY, ...
   };
   gate gate_ = gate::open;
   std::uint64_t knocking_ = 0;    // the sequence of the one that was sent to see; 0: none
   time_point hold_until_ = {};    // nothing is written before: the pause after a gate reply; zero: none
   endpoint held_for_;             // the node that asked for it
   std::string held_why_;          // in its words
   time_point silent_since_ = {};  // the oldest unanswered command waits since; see `life_`, too
   time_point last_heard_ = {};    // bytes came
   time_point last_left_ = {};     // a fixed server, as it was no master
   time_point last_asked_ = {};    // the guide, because of gate replies
   // What the last error named as its reason: the next one's is mostly the same, and then shared.
   text_list no_master_because_;
   text_list held_because_;
   text_list objection_;
   std::uint64_t newest_in_flight_ = 0;  // the highest sequence in the ledger
   bool leaving_ = false;                // the node is left as soon as what is in flight is answered
   std::string leaving_why_;
   time_point leaving_since_ = {};
   std::vector<std::pair<std::uint64_t, command>> abandoned_changes_;  // SELECT and the like, by sequence
   multi_test multi_test_;                                             // of the present connection
   bool awaiting_pong_ = false;    // nothing is written until the idle connection has shown that it lives
   bool called_down_ = false;      // by the Sentinels, as the guide said last
   bool abandoned_block_ = false;  // its caller has left a blocking command in flight
   bool first_reply_ = false;      // the present connection has answered a command
   bool told_replica_ = false;     // that the fixed server is a replica, and refuses writes
};

}  // namespace holdfast::lane

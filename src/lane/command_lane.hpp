// One ordered stream of commands to the current master: commands are submitted, written and matched to replies; a
// connection is lost; operations end. Its parts have the subjects: command_queue (what waits), ledger (what was
// written), connector (the connection), pacing and gate (whether to write), suspicion (silence), retries and
// resend_order (what is sent again), departures (callers who leave), endings (how operations end).
//
// Commands take effect in the order of `submit`. Every operation ends exactly once, with a reply or an error whose
// outcome follows from the ledger. Queue, flight, time and suspicion are bounded by `settings`; what is over is
// refused, never dropped. ("The path of a command" and "The decision" in docs/architecture.md)
//
// A reactor: `on_*` and `tick` take events, all that follows is in the links' pending I/O, `take_done` and the events.
#pragma once

#include "commands/session.hpp"
#include "core/counters.hpp"
#include "lane/admission.hpp"
#include "lane/command_queue.hpp"
#include "lane/connector.hpp"
#include "lane/departures.hpp"
#include "lane/endings.hpp"
#include "lane/gate.hpp"
#include "lane/lane_topology.hpp"
#include "lane/ledger.hpp"
#include "lane/operation.hpp"
#include "lane/pacing.hpp"
#include "lane/recent_nodes.hpp"
#include "lane/retries.hpp"
#include "lane/scan_cursors.hpp"
#include "lane/suspicion.hpp"
#include "lane/watches.hpp"
#include "link/link.hpp"

#include <holdfast/event.hpp>
#include <holdfast/policy/retry_budget.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::impl {

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
   lane_use use = lane_use::client;
   bool tests_multi = false;  // before its first transaction a connection is asked whether it takes MULTI and EXEC
};

class command_lane final : public link_owner {
 public:
   command_lane(const settings&, link& main, link& probe, lane_topology&, retry_budget&, event_queue&, counters&,
                std::uint64_t seed);
   command_lane(const command_lane&) = delete;
   command_lane& operator=(const command_lane&) = delete;

   // ---- the client's half ----
   void submit(operation&, time_point now);
   void take(operation&, time_point now);  // the same, of one that was described (transaction.hpp)
   // Ends it at once, certainly not executed.
   void refuse(operation& op, errc why, time_point now) {
      endings_.fail(op, endings_.make_error(op, why, outcome::not_executed, now));
   }
   // Whether the lane can carry it; if not, it is refused.
   bool admit(operation& op, time_point now) {
      return (is_admissible(op) && has_room(op.bytes) && op.deadline > now) || !is_refused(op, now);
   }
   // Ends one that waits elsewhere for a lane like this one.
   void end_waiting(operation& op, errc why, std::string cause, time_point now) {
      endings_.fail_parked(op, why, std::move(cause), now);
   }
   void cancel(operation&, time_point now);  // ends it with errc::cancelled and what is known of it
   void cancel_all(time_point now);
   operation* take_done() { return endings_.take_done(); }
   bool has_done() const { return endings_.has_done(); }
   // Deadline of a command without one of its own; commands under way are adjusted.
   void set_default_deadline(duration d) { departures_.set_default_deadline(d); }
   duration default_deadline() const { return departures_.default_deadline(); }

   // The caller who had it alone leaves, and another one comes: nothing is watched any more.
   void unwatch() { watches_.leave(); }
   // Keys are watched, or were and nobody has been told that they are not.
   bool is_watching() const { return watches_.any(); }
   void tell_watch_lost() { watches_.begin_lost(); }  // before the first command: of a connection that was never made

   // ---- the engine's half ----
   void on_view(time_point now);  // the view may have changed
   void tick(time_point now);
   time_point next_deadline() const;
   // Before a tick: whether a measure of its link would help to tell a slow way from silence.
   bool wants_transit(time_point now) const {
      return !ledger_.empty() && connector_.ready() && now >= suspicion_.look_at(awaited());
   }

   bool idle() const { return queue_.nothing_waits() && ledger_.empty(); }
   // Of the connection that is ready now, for `operation::pinned_to`; 0: there is none.
   std::uint32_t connection_serial() const { return connector_.ready() ? link_.serial() : 0; }
   const connector& connection() const { return connector_; }
   const session& state() const { return session_; }        // of the connection, as callers have changed it
   void resume(const session& s) { session_ = s; }          // before the first command
   const endpoint& where() const { return link_.where(); }  // of the present connection, or the last one
   // The node that it was written to last; null: it never was, or that is not known any more.
   const endpoint* written_to(const operation& op) const { return nodes_.of(op.written_on); }
   std::size_t queued() const { return queue_.size(); }
   std::size_t in_flight() const { return ledger_.size(); }
   // Whether a command of so many bytes would be taken now.
   bool has_room(std::size_t bytes) const { return queue_.has_room(bytes); }
   // Commands, and places in lists, that were gone through when many ended, or were put back, at once.
   std::uint64_t steps() const { return ledger_.steps() + queue_.steps(); }

 private:
   // ---- what comes in ----
   void on_opened(link&, time_point now) override;
   void on_received(link&, time_point now) override;
   void on_lost(link&, std::string_view why, time_point now) override;
   void on_wrote(link&, time_point now) override;
   void on_measured(link&, const transit&, time_point now) override;
   [[gnu::always_inline]] void take_in(operation&, time_point now);
   bool is_refused(operation&, time_point now);
   bool is_pinned_here(const operation& op) const { return connector_.ready() && op.pinned_to == link_.serial(); }
   void became_ready(time_point now);
   void check_final_problem(time_point now);
   void expire(time_point now);
   void watch_silence(time_point now);
   suspicion::awaited awaited() const;
   void rest_if_idle();

   // ---- what is written, and when ----
   void pump(time_point now);
   enum class attempt { written, ended, waits };
   attempt try_write(operation&, time_point now);
   void write_past_gate(time_point now);
   bool write_probe(operation&, time_point now);
   bool held(const operation&, time_point now);
   bool is_full() const { return pacing_.is_full(ledger_.size(), link_.out.size()); }
   bool must_test_multi(time_point now);
   // A command that is sent again with a transaction waits for its test, too: it must not run if that one ends.
   bool comes_with_transaction(const operation& op) const {
      return op.is_transaction() || (op.last && queue_.order().has_transactions());
   }
   bool must_test_multi_for(const operation& op, time_point now) {
      return (comes_with_transaction(op) || (is_own() && watches::is_watch(op))) && must_test_multi(now);
   }
   bool is_own() const { return use_ == lane_use::own; }
   // What its WATCH named is not watched any more: whether it is told so, instead of being written.
   bool tell_unwatched(operation& op, time_point now) {
      if (!watches_.is_in_vain(op, connector_.ready() && pacing_.wants_multi_test())) return false;
      watches_.on_told();
      endings_.fail_unwatched(op, now);
      return true;
   }
   bool refuse_foreign_cursor(operation&, time_point now);
   // It is to end, and an older one in flight may yet be turned away: that must not be sent again behind what may have
   // run and is gone, and its answer decides whether this one counts.
   bool waits_for_older(const operation& op, time_point now) const {
      if (op.kept == operation::answer::none || ledger_.empty()) return false;
      return ledger_.front().sequence < op.sequence && !retries_.may_ask_again(op, now);
   }
   bool its_answer_is_final(operation&, time_point now);
   void write(operation&, time_point now);
   void write_own(own_question, std::string_view question, time_point now);

   // ---- replies, matched to commands by their order alone ----
   void take_replies(time_point now);
   void take_reply(const value_view&, time_point now);
   void answered(operation&, const ledger_slot&, time_point now);
   void multi_tested(time_point now);
   void rejected(operation&, const ledger_slot&, bool probed, time_point now);
   bool rejected_inside(operation&, time_point now);
   void written_otherwise(operation&, time_point now);
   bool waits_out(operation&, reply_proof, const error&, time_point now);
   void pushed_back(operation&, const decision&, time_point now);
   void keep_answer(operation&, operation::answer);

   // ---- a connection ends ----
   void lose(std::string why, fault, bool abortive, time_point now);
   void resolve_lost(const lost_command&, const text_list& why, time_point now);
   void leave_if_unfinished(time_point now);
   void leave_when_drained(time_point now);

   link& link_;
   lane_topology& topology_;
   event_queue& events_;
   counters& counts_;
   const duration idle_ping_;
   const lane_use use_;
   bool was_ready_ = false;  // it had a connection before
   connector connector_;
   session session_;
   scan_cursors cursors_;
   recent_nodes nodes_;
   watches watches_;
   suspicion suspicion_;
   gate gate_;
   pacing pacing_;
   command_queue queue_;
   ledger ledger_;
   endings endings_;
   retries retries_;
   departures departures_;
};

}  // namespace holdfast::impl

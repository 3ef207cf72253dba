// A connection ends with commands unanswered: what is known of each, and what may be said of it when.
#include "lane/lane.hpp"
#include "lane/transaction.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::lane {

void lane::lose(std::string why, fault f, bool abortive, time_point now) {
   const auto accepted = link_.out.accepted();
   unsigned unanswered = 0;
   bool may_still_run = false;
   // From the oldest to the newest: where the retry budget is short, the older ones have it.
   operation* requeued = nullptr;
   for (std::size_t i = 0; i < ledger_.size(); ++i) {
      const ledger_slot slot = ledger_.at(i);
      written state = ledger::state_of(slot, accepted);
      // Without its MULTI, what arrived of a transaction was run as it came.
      if (state == written::partly && slot.op != nullptr && multi_was_refused(*slot.op)) state = written::whole;
      if (state == written::whole && (slot.op != nullptr || !slot.harmless)) ++unanswered;
      may_still_run = may_still_run || (state == written::whole && !slot.harmless);
      if (slot.op == nullptr) continue;
      // Too large was the oldest one's reply alone.
      settle(*slot.op, state, i != 0 && f == fault::reply_too_large ? fault::connection_lost : f, why, requeued, now);
      if (slot.op->where == operation::place::queue) requeued = slot.op;
   }
   ledger_.clear();
   abandoned_changes_.clear();
   if (may_still_run) connector_.remember_for_fence();
   events_.tell([&] { return event::connection_lost{link_.where(), std::move(why), unanswered}; });
   suspicion_.clear(false);
   leaving_ = awaiting_pong_ = first_reply_ = false;
   if (abortive) link_.abort();
   connector_.leave(now);
   rest_if_idle(now);
}

void lane::settle(operation& op, written state, fault f, const std::string& why, operation* after_this,
                  time_point now) {
   // What SELECT, AUTH or HELLO may have done died with the connection; what stands behind it must find it done.
   if (alters_connection(op) && !op.is_transaction()) state = written::nothing;
   situation s = describe(op, f, now);
   s.state = state;
   const decision d = decide(s);
   if (state != written::whole) --op.attempts;
   error e = make_error(op, d.code, d.outcome, now);
   e.causes.push_back(why);
   op.where = operation::place::nowhere;
   switch (d.verdict) {
      case verdict::park: return requeue(op, after_this);
      case verdict::resend:
      case verdict::rediscover_then_resend:
         budget_.withdraw(now);
         op.may_have_run = true;
         op.unfenced = op.unfenced || !op.harmless;
         op.last = std::move(e);
         return requeue(op, after_this);
      case verdict::complete: break;
   }
   if (e.outcome != outcome::unknown || op.harmless) return fail(op, std::move(e), now);
   // Known to be unknown; but reported only once the lost connection can do no more harm.
   op.last = std::move(e);
   op.where = operation::place::limbo;
   limbo_.insert_in_order(op);
}

// The lane is connected again: the connection before is proven dead, or it went to a master that is none any more, or
// we shall never know.
void lane::fenced(time_point now) {
   const auto result = connector_.fenced();
   const bool impossible = result == connector::fence_result::impossible;
   if (result != connector::fence_result::not_needed) {
      events_.tell([&] { return event::fenced{link_.where(), !impossible, connector_.fence_problem()}; });
   }
   const std::string reason = "not fenced: " + connector_.fence_problem();
   while (operation* op = limbo_.pop_front()) {
      if (impossible) op->last->causes.push_back(reason);
      op->where = operation::place::nowhere;
      op->last->elapsed = now - op->submitted;
      fail(*op, *op->last, now);
   }
   for (operation* op = queue_.front(); op != nullptr;) {
      operation* const next = op->next;
      const bool is_affected = std::exchange(op->unfenced, false);
      if (is_affected && impossible) settle_unfenced(*op, reason, now);
      op = next;
   }
}

// It waits to be sent again, and its first may still run there.
void lane::settle_unfenced(operation& op, const std::string& reason, time_point now) {
   situation s = describe(op, fault::connection_lost, now);
   s.state = written::whole;
   s.fence = fence::impossible;
   s.budget = true;  // was spent on it already
   s.max_resends.reset();
   if (decide(s).verdict != verdict::complete) return;
   error e = *op.last;
   e.outcome = outcome::unknown;
   e.causes.push_back(reason);
   unqueue(op);
   fail(op, std::move(e), now);
}

void lane::leave_soon(std::string why, time_point now) {
   if (leaving_) return;
   leaving_ = true;
   leaving_since_ = now;
   leaving_why_ = std::move(why);
}

void lane::leave_when_drained(time_point now) {
   if (!leaving_ || !ledger_.empty() || !connector_.ready()) return;
   lose(std::exchange(leaving_why_, {}), fault::connection_lost, false, now);
}

}  // namespace holdfast::lane

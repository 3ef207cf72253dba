// The lane's way in: replies, matched to commands by their order alone.
#include "lane/lane.hpp"
#include "lane/transaction.hpp"

#include <algorithm>

namespace holdfast::lane {

void lane::take_replies(time_point now) {
   while (connector_.ready()) {
      const auto status = link_.in.next();
      if (status == resp::reader::status::incomplete) break;
      if (status == resp::reader::status::broken) {
         const bool is_last_of_its = !ledger_.empty() && ledger_.front().replies_due == 1;
         const bool too_large = is_last_of_its && link_.in.answer_over_limit();
         return lose((too_large ? std::string() : "broken protocol: ") + link_.in.problem(),
                     too_large ? fault::reply_too_large : fault::broken_protocol, true, now);
      }
      const value_view reply = link_.in.reply();
      if (reply.kind() == kind::push) continue;  // out of band: answers nothing
      if (ledger_.empty()) {
         return lose("a reply that nobody asked for: " + to_string(reply), fault::broken_protocol, true, now);
      }
      take_reply(reply, now);
   }
   pump(now);
}

void lane::take_reply(const value_view& reply, time_point now) {
   ledger_slot& slot = ledger_.front();
   operation* const op = slot.op;
   silent_since_ = now;
   if (suspicion_.raised()) suspicion_.clear(true);
   if (op != nullptr) {
      result<value>& into = op->results[op->replies++];
      if (reply.is_error()) {
         into = make_error(*op, errc::server_error, outcome::not_executed, now);
         into.error().server_text = reply.text();
      } else {
         into = value(reply);
      }
   }
   if (reply.is_error()) leave_if_no_master(reply.text(), now);
   if (--slot.replies_due != 0) return;
   const ledger_slot answered_slot = slot;
   ledger_.pop();
   awaiting_pong_ = false;
   first_reply_ = true;
   connector_.proven();
   if (op == nullptr) return answered_nobody(answered_slot, reply, now);
   op->where = operation::place::nowhere;
   const result<value>& last = op->results[op->commands.size() - 1];
   if (last)
      answered(*op, now);
   else
      rejected(*op, now);
}

void lane::answered(operation& op, time_point now) {
   bool altered = false;
   if (resp::role_of(op.entry) != resp::command_role::plain && alters_connection(op)) {
      altered = true;
      note(op, session_);
   }
   if (!op.harmless) drop_overtaken(op.sequence, altered, now);
   finish(op);
}

// Its caller has left; but what it did is done.
void lane::answered_nobody(const ledger_slot& slot, const value_view& reply, time_point now) {
   const bool is_error = reply.is_error();
   bool altered = false;
   const auto found = std::find_if(abandoned_changes_.begin(), abandoned_changes_.end(),
                                   [&](const auto& change) { return change.first == slot.sequence; });
   if (found != abandoned_changes_.end()) {
      const command change = std::move(found->second);
      abandoned_changes_.erase(found);
      altered = !is_error;
      if (altered) session_.note(resp::role_of(resp::find_command(change)), change);
   }
   // An error of what may have been a script proves the least.
   const bool may_have_run =
      !is_error || resp::classify_error(reply.text(), true, false, false).ran != outcome::not_executed;
   if (may_have_run && !slot.harmless) drop_overtaken(slot.sequence, altered, now);
}

// The server answered with an error. What it proves decides.
void lane::rejected(operation& op, time_point now) {
   situation s = describe(op, fault::error_reply, now);
   s.state = written::whole;
   s.reply = proof_of(op);
   if (s.reply.cls != op.rejected_as) s.pushbacks = op.pushbacks = 0;
   op.rejected_as = s.reply.cls;
   const decision d = decide(s);
   error e = make_error(op, d.code, d.outcome, now);
   e.server_text = op.results[multi_was_refused(op) ? 0 : op.commands.size() - 1].error().server_text;
   if (d.verdict == verdict::complete) {
      if (d.outcome != outcome::not_executed && !op.harmless) drop_overtaken(op.sequence, false, now);
      return fail(op, std::move(e), now);
   }
   budget_.withdraw(now);
   if (d.verdict == verdict::rediscover_then_resend) leave_soon("it answered " + e.server_text, now);
   op.last = std::move(e);
   const duration base = d.pause.base > duration::zero() ? d.pause.base : std::chrono::milliseconds(50);
   if (d.pause.base > duration::zero() || op.pushbacks != 0) {
      const auto rule = exponential_backoff({.base = base, .factor = 2, .cap = d.pause.cap, .jitter = jitter::equal});
      hold_until_ = std::max(hold_until_, after(now, rule.delay(op.pushbacks, random_)));
      held_for_ = link_.where();
      held_why_ = op.last->server_text;
   }
   ++op.pushbacks;
   requeue(op);
   if (!leaving_ && now - last_asked_ >= std::chrono::seconds(1)) {
      last_asked_ = now;  // it may last: another node may have become the master meanwhile
      guide_.ask(now);
   }
}

// A newer write has run: to send an older one now would change the order in which they were given. Reads don't count,
// unless what has run decides where, or as whom, they would read.
void lane::drop_overtaken(std::uint64_t newer, bool reads_too, time_point now) {
   if (to_resend_ == 0) return;
   for (operation* op = queue_.front(); op != nullptr && op->sequence < newer;) {
      operation* const next = op->next;
      if (op->attempts != 0 && op->last && (reads_too || !op->harmless)) drop_overtaken(*op, now);
      op = next;
   }
}

void lane::drop_overtaken(operation& op, time_point now) {
   unqueue(op);
   fail_overtaken(op, now);
}

void lane::fail_overtaken(operation& op, time_point now) {
   error e = make_error(op, op.last->code(), outcome::not_executed, now);
   e.server_text = op.last->server_text;
   e.causes = op.last->causes;
   e.causes.emplace_back("not sent again: a newer command of the same lane has run meanwhile, or may have");
   if (!is_unfenced(op)) return fail(op, std::move(e), now);
   op.last = std::move(e);  // what was sent of it may still run: reported behind the fence
   op.where = operation::place::limbo;
   limbo_.insert_in_order(op);
}

}  // namespace holdfast::lane

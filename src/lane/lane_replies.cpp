// The lane's way in: replies, matched to commands by their order alone.
#include "lane/lane.hpp"

#include <algorithm>

namespace holdfast::lane {

void lane::take_replies(time_point now) {
   while (connector_.ready()) {
      const auto status = link_.in.next();
      if (status == resp::reader::status::incomplete) break;
      if (status == resp::reader::status::broken) {
         return lose("broken protocol: " + link_.in.problem(), fault::broken_protocol, true, now);
      }
      const value_view reply = link_.in.reply();
      if (reply.kind() == kind::push) continue;  // out of band: answers nothing
      if (ledger_.empty()) {
         return lose("a reply that nobody asked for: " + to_string(reply), fault::broken_protocol, true, now);
      }
      take_reply(reply, now);
   }
   leave_when_drained(now);
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
   if (--slot.replies_due != 0) return;
   ledger_.pop();
   awaiting_pong_ = false;
   first_reply_ = true;
   connector_.proven();
   if (op == nullptr) return;
   op->where = operation::place::nowhere;
   const result<value>& last = op->results[op->commands.size() - 1];
   if (last)
      answered(*op, now);
   else
      rejected(*op, last.error().server_text, now);
}

void lane::answered(operation& op, time_point now) {
   if (resp::role_of(op.entry) != resp::command_role::plain) {
      for (std::size_t i = 0; i < op.commands.size(); ++i) {
         if (op.results[i]) session_.note(resp::role_of(resp::find_command(op.commands[i])), op.commands[i]);
      }
   }
   if (to_resend_ != 0 && !op.harmless) drop_overtaken(op, now);
   finish(op);
}

// The server answered with an error. What it proves decides; of a transaction, the reason may stand in the reply to one
// of its members.
void lane::rejected(operation& op, std::string text, time_point now) {
   situation s = describe(op, fault::error_reply, now);
   s.state = written::whole;
   s.reply = resp::classify_error(text, resp::is_script(op.entry), op.is_transaction(), resp::is_native(op.entry));
   if (op.is_transaction() && s.reply.cls == resp::reply_class::aborted) {
      for (std::size_t i = 0; i + 1 < op.commands.size(); ++i) {
         if (op.results[i]) continue;
         const auto reason = resp::classify_error(op.results[i].error().server_text, false, false, true);
         if (resp::is_gate(reason.cls)) s.reply = reason;
         break;
      }
   }
   const decision d = decide(s);
   error e = make_error(op, d.code, d.outcome, now);
   e.server_text = text;
   if (d.verdict == verdict::complete) return fail(op, std::move(e), now);

   budget_.withdraw(now);
   op.last = std::move(e);
   const duration base = d.pause.base > duration::zero() ? d.pause.base : std::chrono::milliseconds(50);
   if (d.pause.base > duration::zero() || op.pushbacks != 0) {
      const auto rule = exponential_backoff({.base = base, .factor = 2, .cap = d.pause.cap, .jitter = jitter::equal});
      hold_until_ = std::max(hold_until_, after(now, rule.delay(op.pushbacks, random_)));
   }
   ++op.pushbacks;
   requeue(op);
   if (d.verdict == verdict::rediscover_then_resend) {
      leaving_ = true;
      leaving_why_ = text;
   } else if (now - last_asked_ >= std::chrono::seconds(1)) {
      last_asked_ = now;  // it may last: another node may have become the master meanwhile
      guide_.ask(now);
   }
}

// A newer write has run: to send an older one now would change the order in which they were given. Reads don't count.
void lane::drop_overtaken(const operation& newer, time_point now) {
   for (operation* op = queue_.front(); op != nullptr && op->sequence < newer.sequence;) {
      operation* const next = op->next;
      if (op->attempts != 0 && op->last && !op->harmless) {
         error e = make_error(*op, errc::server_error, outcome::not_executed, now);
         e.server_text = op->last->server_text;
         e.causes.emplace_back("not sent again: a newer command of the same lane has run meanwhile");
         unqueue(*op);
         fail(*op, std::move(e), now);
      }
      op = next;
   }
}

}  // namespace holdfast::lane

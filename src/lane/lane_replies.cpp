// The lane's way in: replies, matched to commands by their order alone.
#include "commands/shown.hpp"
#include "lane/lane.hpp"
#include "lane/transaction.hpp"
#include "resp/kind_and_size.hpp"

#include <algorithm>

namespace holdfast::lane {

void lane::take_replies(time_point now) {
   while (connector_.ready()) {
      const auto status = link_.in.next();
      if (status == resp::reader::status::incomplete) break;
      if (status == resp::reader::status::broken) {
         const bool is_last_of_its = !ledger_.empty() && ledger_.front().replies_due == 1;
         const bool too_large = is_last_of_its && link_.in.answer_over_limit();
         // Not what was found instead: it may be of a value.
         const std::string problem = link_.in.problem().substr(0, link_.in.problem().find(", found "));
         return lose((too_large ? std::string() : "broken protocol: ") + problem,
                     too_large ? fault::reply_too_large : fault::broken_protocol, true, now);
      }
      const value_view reply = link_.in.reply();
      if (reply.kind() == kind::push) continue;  // out of band: answers nothing
      if (ledger_.empty()) {
         return lose("a reply that nobody asked for: " + resp::kind_and_size(reply), fault::broken_protocol, true, now);
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
         into.error().server_text = resp::received_words(reply.text());
      } else {
         into = value(reply);
      }
   } else if (slot.tests_multi) {
      multi_test_.heard(reply);
   }
   if (reply.is_error()) leave_if_no_master(reply.text(), now);
   if (--slot.replies_due != 0) return;
   const ledger_slot answered_slot = slot;
   ledger_.pop();
   awaiting_pong_ = false;
   first_reply_ = true;
   connector_.proven();
   const bool knocked = knocking_ != 0 && knocking_ == answered_slot.sequence;
   if (knocked) knocking_ = 0;
   const bool is_inside = answered_slot.transaction && reply.is_error() && may_be_inside(reply.text()) &&
                          (op == nullptr || !multi_was_refused(*op));
   if (op == nullptr) {
      answered_slot.tests_multi ? multi_tested(now) : answered_nobody(answered_slot, knocked, reply, now);
   } else {
      op->where = operation::place::nowhere;
      if (!op->results[op->commands.size() - 1]) {
         rejected(*op, answered_slot, knocked, now);
      } else if (!rejected_inside(*op, now)) {
         if (knocked) open_gate();
         answered(*op, answered_slot, now);
      }
   }
   if (is_inside) lose("it may not have ended a transaction", fault::connection_lost, true, now);
}

void lane::answered(operation& op, const ledger_slot& slot, time_point now) {
   if (op.alters) {
      note(op, session_);
      may_be_another_user(resp::role_of(op.entry));
   }
   if (op.is_transaction()) hide_values(op);  // also of one whose answer is kept for a while
   if (resp::is_scan(op.entry)) cursors_.answered(*op.entry, op.commands.front(), *op.results[0]);
   if (!order_.empty()) {
      if (!op.harmless) {
         has_run(slot, now);
      } else if (order_.has_older_writer(op)) {
         if (resp::is_scan(op.entry)) cursors_.sent(*op.entry, op.commands.front());  // it may be asked for again
         error why = make_error(op, errc::server_error, outcome::unknown, now);
         why.server_text = held_why_;
         why.causes.emplace_back("its reply is from before an older command, which waits to be sent again");
         op.last = std::move(why);
         return keep_answer(op, operation::answer::reply);
      }
   }
   finish(op);
}

// What a connection takes depends on its user.
void lane::may_be_another_user(resp::command_role changed_by) {
   using enum resp::command_role;
   if (changed_by != select && changed_by != set_name) multi_test_.forget();
}

// The connection has said whether it takes transactions. If not, the one that waits for that ends, and nothing of it
// was sent.
void lane::multi_tested(time_point now) {
   const auto found = multi_test_.finish();
   if (found.allowed) return;
   if (found.is_inside) leave_soon("it took MULTI and did not carry out EXEC: " + found.said, now);
   if (found.leaves) leave_soon("it answered " + found.said, now);
   operation* op = queue_.front();
   while (op != nullptr && !op->is_transaction()) op = op->next;
   if (op == nullptr) return;
   unqueue(*op);
   error e = make_error(*op, errc::server_error, outcome::not_executed, now);
   e.server_text = found.said;
   if (waits_out(*op, {found.cls, outcome::not_executed}, e, now)) return;
   e.causes.emplace_back("the server does not take MULTI and EXEC: nothing of the transaction was sent to it");
   fail_unsent(*op, std::move(e), now);
}

// What certainly did not run, for this reason: whether it is sent again, by the rules for any command.
bool lane::waits_out(operation& op, resp::reply_proof why, const error& e, time_point now) {
   situation s = describe(op, fault::error_reply, now);
   s.state = written::whole;
   s.reply = why;
   if (why.cls != op.rejected_as) s.pushbacks = op.pushbacks = 0;
   op.rejected_as = why.cls;
   const bool free = is_free(op);
   s.budget = s.budget || free;
   const decision d = decide(s);
   if (d.verdict == verdict::complete) return false;
   op.last = e;
   count_resend(op, free, now);
   pushed_back(op, d, now);
   return true;
}

// Of a transaction that went on to its end although a member was refused.
void lane::hide_values(operation& op) {
   for (std::size_t i = 0; i < op.commands.size(); ++i) {
      if (op.results[i]) continue;
      auto& text = op.results[i].error().server_text;
      text = resp::without_values(text, op.commands[i]);
   }
}

// Its caller has left; but what it did is done.
void lane::answered_nobody(const ledger_slot& slot, bool knocked, const value_view& reply, time_point now) {
   // An error of what may have been a script proves the least.
   const auto proof = reply.is_error() ? resp::classify_error(reply.text(), true, false, false)
                                       : resp::reply_proof{{}, outcome::executed};
   if (knocked && !(reply.is_error() && resp::is_gate(proof.cls))) open_gate();
   const auto found = std::find_if(abandoned_changes_.begin(), abandoned_changes_.end(),
                                   [&](const auto& change) { return change.first == slot.sequence; });
   if (found != abandoned_changes_.end()) {
      const command change = std::move(found->second);
      abandoned_changes_.erase(found);
      const auto role = resp::role_of(resp::find_command(change));
      if (!reply.is_error()) {
         session_.note(role, change);
         may_be_another_user(role);
      }
   }
   if (proof.ran != outcome::not_executed && !slot.harmless) has_run(slot, now);
}

// A write. To send an older one now would change the order in which they were given; to read now what an older read was
// to tell would be an answer from the future.
void lane::has_run(const ledger_slot& slot, time_point now) {
   if (slot.again) ++reruns_;
   if (slot.op != nullptr && runs_while_busy(*slot.op)) return;  // SCRIPT KILL and its like change nothing
   const auto overtaken = order_.overtaken_by(slot.op, slot.sequence);
   // First those without an answer: with them gone, what others were answered may count.
   for (operation* op : overtaken)
      if (op->kept == operation::answer::none) drop_overtaken(*op, now);
   for (operation* op : overtaken) {
      if (op->kept == operation::answer::none) continue;
      answer_counts(*op) ? release(*op, now) : drop_overtaken(*op, now);
   }
}

// The server answered with an error. What it proves decides.
void lane::rejected(operation& op, const ledger_slot& slot, bool knocked, time_point now) {
   situation s = describe(op, fault::error_reply, now);
   s.state = written::whole;
   s.reply = proof_of(op);
   if (s.reply.cls != op.rejected_as) s.pushbacks = op.pushbacks = 0;
   op.rejected_as = s.reply.cls;
   // A closed gate costs one of the retry budget for each time that it is tried, however many commands it holds: only
   // the one that was sent to see is sent more than twice.
   const bool free = is_free(op);
   s.budget = s.budget || free;
   const decision d = decide(s);
   error e = make_error(op, d.code, d.outcome, now);
   if (multi_was_refused(op)) multi_test_.forget();  // it was allowed before: the next one asks again
   const std::size_t told_by = multi_was_refused(op) ? 0 : op.commands.size() - 1;
   e.server_text = resp::without_values(op.results[told_by].error().server_text, op.commands[told_by]);
   if (s.reply.cls == resp::reply_class::readonly && !guide_.roles_matter()) explain_replica(e);
   if (d.verdict != verdict::complete) {
      count_resend(op, free, now);
      op.last = std::move(e);
      return pushed_back(op, d, now);
   }
   const bool is_gate = resp::is_gate(s.reply.cls);
   if (knocked) open_gate();
   if (d.outcome != outcome::not_executed && !op.harmless) {
      has_run(slot, now);
   } else if (!is_gate && op.repeats != resp::repeat_class::never && order_.has_older_writer(op)) {
      op.last = std::move(e);
      return keep_answer(op, operation::answer::error);
   }
   if (knocked && is_gate && d.code == errc::server_error) give_up_at_gate(s.reply.cls, now);
   if (d.outcome != outcome::not_executed) return fail(op, std::move(e), now);
   fail_unsent(op, std::move(e), now);
}

// By a gate that only the scripts within a transaction meet. If it is not sent again, its replies are as they came.
bool lane::rejected_inside(operation& op, time_point now) {
   const auto refused = op.is_transaction() ? refused_inside(op) : std::nullopt;
   if (!refused) return false;
   error e = make_error(op, errc::server_error, outcome::not_executed, now);
   const value_view said = (*op.results[op.commands.size() - 1])[refused->member - 1];
   e.server_text = resp::without_values(said.text(), op.commands[refused->member]);
   return waits_out(op, refused->proof, e, now);
}

// Of a fixed server no Sentinel says where its master is; it may become one itself.
void lane::explain_replica(error& e) {
   e.causes.push_back(to_string(link_.where()) + " is a replica, and nothing but its address is configured: write to " +
                      "its master, or name the Sentinels");
   if (std::exchange(told_replica_, true)) return;
   events_.tell([&] { return event::role_refused{link_.where(), "slave"}; });
}

// By a gate; `op.last` says how.
void lane::pushed_back(operation& op, const decision& d, time_point now) {
   using enum resp::reply_class;
   const auto cls = op.rejected_as;
   if (d.verdict == verdict::rediscover_then_resend && is_worth_leaving(cls, now))
      leave_soon("it answered " + op.last->server_text, now);
   const duration base = d.pause.base > duration::zero() ? d.pause.base : std::chrono::milliseconds(50);
   if (d.pause.base > duration::zero() || op.pushbacks != 0) {
      const auto rule = exponential_backoff({.base = base, .factor = 2, .cap = d.pause.cap, .jitter = jitter::equal});
      hold_until_ = std::max(hold_until_, after(now, rule.delay(op.pushbacks, random_)));
      held_for_ = link_.where();
      held_why_ = op.last->server_text;
      const bool writes_only = cls == no_replicas || cls == misconf || cls == out_of_memory;
      if (cls != no_permission) gate_ = std::max(gate_, writes_only ? gate::writes : gate::everything);
   }
   ++op.pushbacks;
   requeue(op);
   if (!leaving_ && now - last_asked_ >= std::chrono::seconds(1)) {
      last_asked_ = now;  // it may last: another node may have become the master meanwhile
      guide_.ask(now);
   }
}

// A fixed server that is no master is the same one when it is connected to again, unless its name has moved, or its
// address: that is looked for once a second.
bool lane::is_worth_leaving(resp::reply_class c, time_point now) {
   using enum resp::reply_class;
   const bool no_master = c == readonly || c == master_down || c == demoted;
   if (guide_.roles_matter() || !no_master) return true;
   if (now - last_left_ < std::chrono::seconds(1)) return false;
   last_left_ = now;
   return true;
}

// It was tried often enough: all that it turned away with these words hear of it, and what comes next is tried anew.
void lane::give_up_at_gate(resp::reply_class cls, time_point now) {
   std::vector<operation*> gone;
   for (operation* op : order_.all()) {
      if (op->pushbacks == 0 || op->rejected_as != cls) continue;
      unqueue(*op);
      if (op->may_have_run && !op->harmless) gone.push_back(op);
      fail_waiting(*op, {}, now);
   }
   forbid_overtaking(std::move(gone), now);
}

void lane::open_gate() {
   gate_ = gate::open;
   knocking_ = 0;
   hold_until_ = {};
}

// It left no trace on the server; `op.last` is the error that it ends with if the answer does not count and it can't be
// asked for again.
void lane::keep_answer(operation& op, operation::answer what) {
   op.kept = what;
   op.kept_at = reruns_;
   op.may_have_run = op.may_have_run || what == operation::answer::reply;
   requeue(op);
}

// Whether it is what the given order gives: no older one waits that it should have seen, nor has one run since.
bool lane::answer_counts(const operation& op) const {
   if (!ledger_.empty() && ledger_.front().sequence < op.sequence) return false;
   return op.kept_at == reruns_ && !order_.has_older_writer(op);
}

bool lane::may_be_asked_again(const operation& op, time_point now) {
   if (op.kept == operation::answer::reply && op.promise == delivery::at_most_once) return false;
   return is_free(op) || budget_.available(now) != 0;
}

// It is to end, and an older one in flight may yet be turned away: that must not be sent again behind what may have run
// and is gone, and its answer decides whether this one counts.
bool lane::waits_for_older(const operation& op, time_point now) {
   const bool is_older_in_flight = !ledger_.empty() && ledger_.front().sequence < op.sequence;
   return op.kept != operation::answer::none && is_older_in_flight && !may_be_asked_again(op, now);
}

// Its turn has come to be asked for again. Whether it ends instead: with its answer, or because it must not run twice.
bool lane::its_answer_is_final(operation& op, time_point now) {
   if (answer_counts(op)) {
      release(op, now);
      return true;
   }
   if (may_be_asked_again(op, now)) return false;
   const bool may_run_twice = op.kept != operation::answer::reply || op.promise != delivery::at_most_once;
   unqueue(op);
   fail_waiting(op, may_run_twice ? "not sent again: the retry budget is spent" : "not sent again: at most once", now);
   return true;
}

void lane::release(operation& op, time_point now) {
   unqueue(op);
   if (op.kept == operation::answer::reply) return finish(op);
   error e = std::move(*op.last);
   fail(op, std::move(e), now);
}

void lane::drop_overtaken(operation& op, time_point now) {
   unqueue(op);
   fail_overtaken(op, now);
}

void lane::fail_overtaken(operation& op, time_point now) {
   fail_waiting(op, "not sent again: a newer command of the same lane has run meanwhile, or may have", now);
}

// What waited to be sent again ends. What was sent of it may still run: that is reported behind the fence.
void lane::fail_waiting(operation& op, std::string_view cause, time_point now) {
   error e = make_error(op, op.last->code(), outcome::not_executed, now);
   e.server_text = op.last->server_text;
   e.causes = op.last->causes;
   if (!cause.empty()) e.causes.emplace_back(cause);
   if (!is_unfenced(op)) return fail(op, std::move(e), now);
   op.last = std::move(e);
   op.where = operation::place::limbo;
   limbo_.insert_in_order(op);
}

}  // namespace holdfast::lane

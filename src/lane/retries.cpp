#include "lane/retries.hpp"

#include "lane/transaction.hpp"
#include "lane/watches.hpp"

namespace holdfast::impl {

void retries::count(operation& op, bool free, time_point now) {
   ++op.resends;
   if (free)
      op.resent_free_at = connector_.master_changed_at();
   else
      budget_.withdraw(now);
}

situation retries::describe(operation& op, fault f, time_point now) {
   if (!op.classified) {
      op.repeats = repeats(op);
      op.classified = true;
   }
   situation s;
   s.fault = f;
   s.repeats = op.repeats;
   s.delivery = op.delivery;
   s.attempts = op.attempts;
   s.max_resends = max_resends_;
   s.pushbacks = op.pushbacks;
   s.budget = budget_.available(now) > 0;
   s.master_is_new =
      connector_.master_changed_at() != time_point{} && now - connector_.master_changed_at() < std::chrono::seconds(60);
   s.pinned = op.pinned_to != 0;
   s.deadline = op.deadline;
   s.now = now;
   return s;
}

decision retries::after_error(operation& op, reply_proof proof, time_point now) {
   situation s = describe(op, fault::error_reply, now);
   s.whole = true;
   s.reply = proof;
   if (s.reply.cls != op.rejected_as) s.pushbacks = op.pushbacks = 0;
   op.rejected_as = s.reply.cls;
   // A closed gate costs one of the retry budget for each time that it is tried, however many commands it holds: only
   // its probe is sent more than twice.
   s.budget = s.budget || is_free(op);
   return decide(s);
}

decision retries::classify_lost(operation& op, written& state, fault f, bool budget, time_point now) {
   // Effects of SELECT, AUTH, HELLO or WATCH died with the connection; the commands behind must find them done.
   if ((alters_connection(op) || watches::is_watch(op) || watches::is_unwatch(op)) && !op.is_transaction())
      state = written::nothing;
   situation s = describe(op, f, now);
   s.whole = state == written::whole;
   s.budget = budget;
   return decide(s);
}

retries::loss retries::after_loss(ledger& in_flight, outbox::position accepted, fault f, time_point now) {
   loss found;
   found.commands.resize(in_flight.size());
   // From the oldest to the newest: where the retry budget is short, the older ones have it.
   auto budget = budget_.available(now);
   for (std::size_t i = 0; i < found.commands.size(); ++i) {
      const ledger_slot slot = in_flight.at(i);
      lost_command& l = found.commands[i];
      l.op = slot.op;
      l.sequence = slot.sequence;
      l.state = ledger::state_of(slot, accepted);
      const auto left = in_flight.take_left(slot);
      // Without its MULTI, what arrived of a transaction was run as it came.
      const bool is_bare = l.op != nullptr ? multi_was_refused(*l.op) : left && left->multi_was_refused();
      if (l.state == written::partly && is_bare) l.state = written::whole;
      const bool is_refused =
         (l.op != nullptr && l.op->is_decided() && proof_of_work(*l.op).ran == outcome::not_executed) ||
         (left && left->proof().ran == outcome::not_executed);
      l.remains = l.state == written::whole && !slot.reads_only && !is_refused;
      l.ran_before = !slot.reads_only && (l.op != nullptr ? l.op->may_have_run : slot.again);
      if (l.remains || (l.state == written::whole && l.op != nullptr)) ++found.unanswered;
      found.may_still_run = found.may_still_run || l.remains;
      if (l.remains && slot.again) ++found.reruns;
      if (l.op == nullptr) {
         if (left) l.left = left->touched();
         continue;
      }
      found.others_wait = found.others_wait || l.op->unfenced || l.op->left_behind;
      // Too large was the oldest one's reply alone.
      const fault its = i != 0 && f == fault::reply_too_large ? fault::connection_lost : f;
      l.free = is_free(*l.op);
      l.then = classify_lost(*l.op, l.state, its, l.free || budget > 0, now);
      if (l.op->is_decided()) l.then = after_its_work(*l.op, now);
      if (sends_again(l.then) && !l.free) --budget;
   }
   return found;
}

// Its work was answered; only what stood behind that was lost.
decision retries::after_its_work(operation& op, time_point now) {
   const auto proof = proof_of_work(op);
   if (proof.ran == outcome::executed) return {next_step::complete, proof.ran, errc::connection_lost, {}};
   if (proof.cls == reply_class::no_script && op.pinned_to == 0)
      return {next_step::park, proof.ran, errc::server_error, {}};
   return after_error(op, proof, now);
}

bool retries::ends_unfenced(operation& op, time_point now) {
   situation s = describe(op, fault::connection_lost, now);
   s.whole = s.fence_impossible = true;
   s.budget = true;  // was spent on it already
   s.max_resends.reset();
   return decide(s).next_step == next_step::complete;
}

}  // namespace holdfast::impl

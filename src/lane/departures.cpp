#include "lane/departures.hpp"

namespace holdfast::impl {

departures::departures(link& l, ledger& in_flight, command_queue& queue, pacing& p, gate& g, endings& e)
   : link_(l), ledger_(in_flight), queue_(queue), pacing_(p), gate_(g), endings_(e) {}

time_point departures::default_deadline_of(const operation& op) const {
   if (op.blocks && *op.blocks == duration::zero()) return never;
   return after(after(op.submitted, default_deadline_), op.blocks.value_or(duration::zero()));
}

void departures::set_default_deadline(duration d) {
   if (d == default_deadline_) return;
   default_deadline_ = d;
   const auto adjust = [&](operation* op) {
      if (op == nullptr || !op->default_deadline) return;
      op->deadline = default_deadline_of(*op);
      watch(*op);
   };
   for (operation* op = queue_.front(); op != nullptr; op = op->next) adjust(op);
   for (operation* op = queue_.first_awaiting_fence(); op != nullptr; op = op->next) adjust(op);
   for (std::size_t i = 0; i < ledger_.size(); ++i) adjust(ledger_.at(i).op);
}

void departures::expire(time_point now) {
   earliest_ = never;
   leave_all(errc::deadline_exceeded, now, [&](const operation& op) {
      if (op.deadline > now) watch(op);
      return op.deadline <= now;
   });
}

void departures::cancel_all(time_point now) {
   leave_all(errc::cancelled, now, [](const operation&) { return true; });
}

void departures::cancel(operation& op, time_point now) {
   operations gone;
   if (op.is != operation::state::in_flight) {
      leave_queue(op, errc::cancelled, gone, now);
   } else if (const std::size_t i = *ledger_.find(op.sequence); !is_unsent(ledger_.at(i))) {
      leave_slot(ledger_.at(i), errc::cancelled, gone, now);
   } else {
      ledger_.take_out(i, link_.out, [&](const ledger_slot& slot) { return slot.op == &op; });
      leave_unsent(op, errc::cancelled, gone, now);
   }
   endings_.end_behind(std::move(gone), now);
}

// Linear, however many end at once: what is left behind of all of them is dealt with in one pass.
template <class Leaves>
void departures::leave_all(errc why, time_point now, Leaves&& leaves) {
   operations gone;
   for (operation* first : {queue_.front(), queue_.first_awaiting_fence()}) {
      for (operation* op = first; op != nullptr;) {
         operation* const next = op->next;
         if (leaves(*op)) leave_queue(*op, why, gone, now);
         op = next;
      }
   }
   std::size_t unsent = ledger_.size();
   for (std::size_t i = ledger_.size(); i-- > 0;) {
      ledger_.add_step();
      ledger_slot& slot = ledger_.at(i);
      if (slot.op == nullptr || !leaves(*slot.op)) continue;
      if (is_unsent(slot))
         unsent = i;
      else
         leave_slot(slot, why, gone, now);
   }
   ledger_.take_out(unsent, link_.out, [&](const ledger_slot& slot) {
      ledger_.add_step();
      const bool is_out = slot.op != nullptr && leaves(*slot.op);
      if (is_out) leave_unsent(*slot.op, why, gone, now);
      return is_out;
   });
   endings_.end_behind(std::move(gone), now);
}

bool departures::is_unsent(const ledger_slot& slot) const {
   return ledger::state_of(slot, link_.out.accepted()) == written::nothing;
}

// From the queue, or while it waits for the fence.
void departures::leave_queue(operation& op, errc why, operations& gone, time_point now) {
   const bool is_queued = op.is == operation::state::queued;
   if (is_queued && op.kept != operation::answer::none && endings_.end_with_answer(op)) return;
   error e = endings_.waiting_error(op, why, now);
   queue_.remove(op);
   if (is_queued && op.may_have_run && !op.reads_only) gone.push_back(&op);
   endings_.fail(op, std::move(e));
}

// Nothing of it will be sent. It was taken out of the ledger.
void departures::leave_unsent(operation& op, errc why, operations& gone, time_point now) {
   error e = endings_.waiting_error(op, why, now);
   gate_.take_probe(op.sequence);
   e.attempts = --op.attempts;
   e.outcome = op.may_have_run ? outcome::unknown : outcome::not_executed;
   if (op.may_have_run && !op.reads_only) gone.push_back(&op);
   endings_.fail(op, std::move(e));
}

// Its reply will be swallowed. An attempt before may have run: that can't be repeated any more.
void departures::leave_slot(ledger_slot& slot, errc why, operations& gone, time_point now) {
   operation& op = *slot.op;
   error e = endings_.waiting_error(op, why, now);
   if (op.alters) remember_change(op, now);
   if (op.blocks) pacing_.leave_soon("a blocking command was abandoned", now);
   e.outcome = ledger_.abandon(slot).proof().ran;
   if (op.may_have_run && !op.reads_only) gone.push_back(&op);
   if (op.may_have_run && e.outcome == outcome::not_executed) e.outcome = outcome::unknown;
   if (!op.is_decided()) e.causes.emplace_back("not fenced: it was written and not answered, and may still run");
   endings_.fail(op, std::move(e));
}

// Which database, or user, the connection then has depends on a reply that its caller does not wait for.
void departures::remember_change(const operation& op, time_point now) {
   if (op.is_transaction()) return pacing_.leave_soon("a transaction that changes its state was abandoned", now);
   changes_.emplace_back(op.sequence, op.commands.front());
}

void departures::answered(const ledger_slot& slot, bool probed, session& now_is, time_point now) {
   const auto left = ledger_.take_left(slot);
   if (!left) return;  // a PING of ours
   if (probed && !is_gate(left->proof().cls)) gate_.open();
   if (const auto change = take_change(slot.sequence); change && left->proof().ran == outcome::executed) {
      const auto role = role_of(find_command(*change));
      now_is.note(role, *change);
      pacing_.on_changed(role);
   }
   if (left->may_have_changed()) endings_.end_overtaken_by(left->touched(), slot, now);
}

std::optional<command> departures::take_change(std::uint64_t sequence) {
   const auto found =
      std::find_if(changes_.begin(), changes_.end(), [&](const auto& change) { return change.first == sequence; });
   if (found == changes_.end()) return {};
   command change = std::move(found->second);
   changes_.erase(found);
   return change;
}

}  // namespace holdfast::impl

#include "lane/departures.hpp"

#include "commands/shown.hpp"

#include <algorithm>
#include <string_view>

namespace holdfast::impl {

departures::departures(link& l, ledger& in_flight, command_queue& queue, pacing& p, gate& g, endings& e)
   : link_(l), ledger_(in_flight), queue_(queue), pacing_(p), gate_(g), endings_(e) {}

time_point default_deadline_of(const operation& op, duration d) {
   if (op.blocks && *op.blocks == duration::zero()) return never;
   return after(after(op.submitted, d), op.blocks.value_or(duration::zero()));
}

void departures::set_default_deadline(duration d) {
   if (d == default_deadline_) return;
   default_deadline_ = d;
   const auto adjust = [&](operation* op) {
      if (op == nullptr || !op->default_deadline) return;
      const bool is_in_order = op->deadline_place != 0;
      endings_.by_deadline().remove(*op);
      op->deadline = default_deadline_of(*op, d);
      watch(*op);
      if (is_in_order) endings_.by_deadline().put_in_order(*op);
   };
   for (operation* op = queue_.front(); op != nullptr; op = op->next) adjust(op);
   for (operation* op = queue_.first_awaiting_fence(); op != nullptr; op = op->next) adjust(op);
   for (std::size_t i = 0; i < ledger_.size(); ++i) adjust(ledger_.at(i).op);
}

void departures::expire(time_point now) {
   deadlines& all = endings_.by_deadline();
   const std::uint64_t known = all.newest();
   operations passed;
   bool newest_first = true;
   std::uint64_t before = static_cast<std::uint64_t>(-1);
   const auto pass = [&](operation& op) {
      newest_first = newest_first && op.sequence < before;
      before = op.sequence;
      passed.push_back(&op);
   };
   const auto take_in = [&](operation& op) {
      if (!all.add(op, now)) pass(op);
   };
   for (operation* last : {queue_.back(), queue_.last_awaiting_fence()})
      for (operation* op = last; op != nullptr && op->sequence > known; op = op->previous) take_in(*op);
   for (std::size_t i = ledger_.size(); i-- > 0 && ledger_.at(i).sequence > known;)
      if (ledger_.at(i).op != nullptr) take_in(*ledger_.at(i).op);
   while (operation* op = all.take_passed(now)) pass(*op);
   std::reverse(passed.begin(), passed.end());
   const auto is_older = [](const operation* a, const operation* b) { return a->sequence < b->sequence; };
   if (!newest_first) std::sort(passed.begin(), passed.end(), is_older);
   leave(passed, errc::deadline_exceeded, now);
}

void departures::cancel_all(time_point now) {
   operations all;
   for (operation* op = queue_.front(); op != nullptr; op = op->next) all.push_back(op);
   for (operation* op = queue_.first_awaiting_fence(); op != nullptr; op = op->next) all.push_back(op);
   for (std::size_t i = 0; i < ledger_.size(); ++i)
      if (ledger_.at(i).op != nullptr) all.push_back(ledger_.at(i).op);
   leave(all, errc::cancelled, now);
}

// Operations that their ends leave behind are dealt with in one pass.
void departures::leave(const operations& all, errc why, time_point now) {
   operations gone;
   std::size_t unsent = ledger_.size();
   for (operation* op : all) {
      ledger_.add_step();
      if (op->is != operation::state::in_flight) {
         leave_queue(*op, why, gone, now);
      } else if (const std::size_t i = *ledger_.find(op->sequence); !is_unsent(ledger_.at(i))) {
         leave_slot(ledger_.at(i), why, gone, now);
      } else {
         unsent = std::min(unsent, i);
         leave_unsent(*op, why, gone, now);
      }
   }
   ledger_.take_out(unsent, link_.out, [&](const ledger_slot& slot) {
      ledger_.add_step();
      return slot.op != nullptr && slot.op->is == operation::state::idle;
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

// Nothing of it will be sent. It is taken out of the ledger.
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
   if (!op.is_decided()) e.causes.append(unanswered_);
   endings_.fail(op, std::move(e));
}

// Which database, or user, the connection then has depends on a reply that its caller does not wait for.
void departures::remember_change(const operation& op, time_point now) {
   if (op.is_transaction()) return pacing_.leave_soon("a transaction that changes its state was abandoned", now);
   changes_.emplace_back(op.sequence, op.commands.front());
}

void departures::heard(const ledger_slot& slot, const value_view& reply, time_point now) {
   const std::string_view refusal = reply.is_error() ? reply.text() : std::string_view();
   if (slot.asks == own_question::multi_test)
      pacing_.of_multi().heard(reply);
   else if (slot.asks == own_question::unwatch && reply.is_error())
      pacing_.leave_soon("it answered " + kept_words(refusal) + " to UNWATCH", now);
   else if (abandoned* const left = ledger_.left_of(slot))
      left->on_reply(reply.is_error(), refusal);
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

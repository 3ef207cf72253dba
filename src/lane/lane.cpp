#include "lane/lane.hpp"

#include "lane/admission.hpp"
#include "lane/transaction.hpp"

#include <algorithm>

namespace holdfast::lane {

lane::lane(settings s, resp::link& main, resp::link& probe, guide& g, retry_budget& budget, event_queue& events,
           std::uint64_t seed)
   : settings_(std::move(s)),
     link_(main),
     guide_(g),
     budget_(budget),
     events_(events),
     random_(seed),
     connector_(settings_.connecting, main, g, events, random_()),
     session_(settings_.initial),
     suspicion_(probe, events),
     life_(settings_.attempt_timeout) {}

void lane::submit(operation& op, time_point now) {
   op.sequence = ++last_sequence_;
   op.entry = resp::find_command(op.commands.front());
   op.harmless = op.is_transaction() ? only_reads(op) : is_plain_read(op.entry);
   op.alters = resp::role_of(op.entry) != resp::command_role::plain && alters_connection(op);
   op.blocks = op.is_transaction() ? std::nullopt : resp::block_time(op.entry, op.commands.front());
   op.bytes = 0;
   for (const command& c : op.commands) op.bytes += c.bytes().size();
   if (op.default_deadline) op.deadline = default_deadline_of(op);
   if (!admit(op, now)) return;
   budget_.deposit(now);
   op.where = operation::place::queue;
   queue_.push_back(op);
   queued_bytes_ += op.bytes;
   earliest_ = std::min(earliest_, op.deadline);
   pump(now);
}

// What can't be taken is refused at once: certainly not executed.
bool lane::admit(operation& op, time_point now) {
   auto refused = admission_problem(op);
   if (!refused && op.bytes > settings_.queued_bytes) {
      refused = make_error(op, errc::limit_exceeded, outcome::not_executed, now);
      refused->causes.push_back(std::to_string(op.bytes) + " bytes are more than config::limits.parked_bytes allows");
   }
   if (!refused && !has_room(op.bytes)) {
      refused = make_error(op, errc::queue_full, outcome::not_executed, now);
      refused->causes.push_back(std::to_string(queue_.size()) + " commands of " + std::to_string(queued_bytes_) +
                                " bytes wait already (config::limits)");
   }
   if (!refused && op.deadline <= now) refused = make_error(op, errc::deadline_exceeded, outcome::not_executed, now);
   if (refused) fail(op, std::move(*refused), now);
   return !refused;
}

time_point lane::default_deadline_of(const operation& op) const {
   if (op.blocks && *op.blocks == duration::zero()) return never;
   return after(after(op.submitted, default_deadline_), op.blocks.value_or(duration::zero()));
}

void lane::set_default_deadline(duration d) {
   if (d == default_deadline_) return;
   default_deadline_ = d;
   const auto adjust = [&](operation* op) {
      if (op == nullptr || !op->default_deadline) return;
      op->deadline = default_deadline_of(*op);
      earliest_ = std::min(earliest_, op->deadline);
   };
   for (operation* op = queue_.front(); op != nullptr; op = op->next) adjust(op);
   for (operation* op = limbo_.front(); op != nullptr; op = op->next) adjust(op);
   for (std::size_t i = 0; i < ledger_.size(); ++i) adjust(ledger_.at(i).op);
}

void lane::refuse(operation& op, errc why, time_point now) {
   fail(op, make_error(op, why, outcome::not_executed, now), now);
}

void lane::cancel(operation& op, time_point now) {
   if (op.where == operation::place::nowhere) return;
   abandon(op, errc::cancelled, now);
   rest_if_idle(now);
   pump(now);
}

void lane::on_opened(resp::link& l, time_point now) {
   if (&l == &link_)
      connector_.on_opened(session_, !queue_.empty() && runs_while_busy(*queue_.front()), now);
   else
      suspicion_.on_opened();
}

void lane::on_received(resp::link& l, time_point now) {
   if (&l != &link_) return suspicion_.on_received();
   last_heard_ = now;
   life_.received(now);
   if (suspicion_.raised()) suspicion_.clear(true);
   if (connector_.ready()) return take_replies(now);
   connector_.on_received(now);
   if (connector_.ready())
      became_ready(now);
   else
      check_final_problem(now);
}

void lane::became_ready(time_point now) {
   first_reply_ = false;
   multi_test_ = {};
   life_.begin();
   cursors_.connected(link_.address().empty() ? link_.where() : link_.address(), connector_.self().run_id);
   if (connector_.role() == "master") told_replica_ = false;
   if (link_.where() != held_for_) open_gate();
   if (!connector_.unfinished()) fenced(now);
   take_replies(now);  // what stands behind the handshake answers nothing of ours
}

void lane::on_lost(resp::link& l, std::string_view why, time_point now) {
   if (&l != &link_) return suspicion_.on_lost();
   if (connector_.ready()) return lose(std::string(why), fault::connection_lost, false, now);
   connector_.on_lost(why, now);
   check_final_problem(now);
}

void lane::guided(time_point now) {
   called_down_ = guide_.objectively_down();
   if (connector_.ready() && connector_.superseded()) {
      return lose("the Sentinels name another master", fault::connection_lost, true, now);
   }
   connector_.guided(now);
   check_final_problem(now);
   expire(now);  // first: whoever leaves a blocking command changes how long silence may last
   watch_silence(now);
   pump(now);
}

void lane::tick(time_point now) {
   connector_.tick(now);
   check_final_problem(now);
   expire(now);  // first: whoever leaves a blocking command changes how long silence may last
   watch_silence(now);
   if (now >= look_at()) life_.looked(now);
   pump(now);
}

time_point lane::next_deadline() const {
   if (idle()) return connector_.next_deadline();
   time_point t = std::min(connector_.next_deadline(), earliest_);
   if (!connector_.ready()) return t;
   if (!queue_.empty() && hold_until_ != time_point{}) t = std::min(t, hold_until_);
   return std::min({t, silence_ends(), look_at()});
}

void lane::expire(time_point now) {
   if (now < earliest_) return;
   earliest_ = never;
   abandon_all(errc::deadline_exceeded, now, [&](const operation& op) {
      if (op.deadline > now) earliest_ = std::min(earliest_, op.deadline);
      return op.deadline <= now;
   });
}

// Linear, however many end at once: what is left behind of all of them is dealt with in one pass.
template <class Leaves>
void lane::abandon_all(errc why, time_point now, Leaves&& leaves) {
   std::vector<operation*> gone;
   for (operation_list* list : {&queue_, &limbo_}) {
      for (operation* op = list->front(); op != nullptr;) {
         operation* const next = op->next;
         if (leaves(*op)) leave_list(*op, why, gone, now);
         op = next;
      }
   }
   std::size_t unsent = ledger_.size();
   for (std::size_t i = ledger_.size(); i-- > 0;) {
      ++steps_;
      ledger_slot& slot = ledger_.at(i);
      if (slot.op == nullptr || !leaves(*slot.op)) continue;
      if (is_unsent(slot))
         unsent = i;
      else
         leave_slot(slot, why, now);
   }
   ledger_.take_out(unsent, link_.out, [&](const ledger_slot& slot) {
      ++steps_;
      const bool is_out = slot.op != nullptr && leaves(*slot.op);
      if (is_out) leave_unsent(*slot.op, why, gone, now);
      return is_out;
   });
   forbid_overtaking(std::move(gone), now);
   rest_if_idle(now);
}

void lane::cancel_all(time_point now) {
   abandon_all(errc::cancelled, now, [](const operation&) { return true; });
   pump(now);
}

// The caller leaves, now: whatever is known of its command is what it gets.
void lane::abandon(operation& op, errc why, time_point now) {
   std::vector<operation*> gone;
   if (op.where != operation::place::ledger) {
      leave_list(op, why, gone, now);
   } else if (const std::size_t i = *ledger_.find(op.sequence); !is_unsent(ledger_.at(i))) {
      leave_slot(ledger_.at(i), why, now);
   } else {
      ledger_.take_out(i, link_.out, [&](const ledger_slot& slot) { return slot.op == &op; });
      leave_unsent(op, why, gone, now);
   }
   forbid_overtaking(std::move(gone), now);
}

bool lane::is_unsent(const ledger_slot& slot) const {
   return ledger::state_of(slot, link_.out.accepted()) == written::nothing;
}

// From the queue or from limbo. What may have run, and will not be sent again, is added to `gone`.
void lane::leave_list(operation& op, errc why, std::vector<operation*>& gone, time_point now) {
   if (op.kept != operation::answer::none && answer_counts(op)) return release(op, now);
   error e = waiting_error(op, why, now);
   if (op.where == operation::place::limbo) {
      limbo_.remove(op);
   } else {
      unqueue(op);
      if (op.may_have_run && !op.harmless) gone.push_back(&op);
   }
   fail(op, std::move(e), now);
}

// Of what the kernel has not got a byte, nothing will be sent. It was taken out of the ledger.
void lane::leave_unsent(operation& op, errc why, std::vector<operation*>& gone, time_point now) {
   error e = waiting_error(op, why, now);
   if (op.sequence == knocking_) knocking_ = 0;
   e.attempts = --op.attempts;
   e.outcome = op.may_have_run ? outcome::unknown : outcome::not_executed;
   if (op.may_have_run && !op.harmless) gone.push_back(&op);
   fail(op, std::move(e), now);
}

// All else stays in its place, and its reply is swallowed: a caller's deadline is no reason to make the commands behind
// it unknown.
void lane::leave_slot(ledger_slot& slot, errc why, time_point now) {
   operation& op = *slot.op;
   error e = waiting_error(op, why, now);
   if (op.alters) remember_change(op, now);
   if (op.blocks) {
      abandoned_block_ = true;
      leave_soon("a blocking command was abandoned", now);
   }
   slot.op = nullptr;
   e.outcome = outcome::unknown;
   e.causes.emplace_back("not fenced: it was written and not answered, and may still run");
   fail(op, std::move(e), now);
}

// Which database, or user, the connection then has depends on a reply that its caller does not wait for.
void lane::remember_change(const operation& op, time_point now) {
   if (op.is_transaction()) return leave_soon("a transaction that changes its state was abandoned", now);
   abandoned_changes_.emplace_back(op.sequence, op.commands.front());
}

// Trying on would not help as far as can be known (a wrong password, a name that no Sentinel knows): better an error
// now than at the deadline.
void lane::check_final_problem(time_point now) {
   const auto& problem = connector_.problem();
   if (!problem || !problem->final) return;
   while (operation* op = queue_.front()) {
      error e = waiting_error(*op, problem->code, now);
      unqueue(*op);
      fail(*op, std::move(e), now);
   }
   rest_if_idle(now);
}

void lane::rest_if_idle(time_point now) {
   if (queue_.empty() && limbo_.empty()) connector_.rest(now);
}

}  // namespace holdfast::lane

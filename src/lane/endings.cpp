#include "lane/endings.hpp"

#include "lane/retries.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace holdfast::impl {
namespace {

error recoded(const error& e, errc code) {
   error other(code, e.outcome);
   other.where = e.where;
   other.attempts = e.attempts;
   other.elapsed = e.elapsed;
   other.server_text = e.server_text;
   other.causes = e.causes;
   return other;
}

// `said` itself if it was said before, so that it is kept once.
const text_list& shared(text_list& before, text_list said) {
   if (before != said) before = std::move(said);
   return before;
}

}  // namespace

void endings::fail(operation& op, error e) {
   const auto where = [&] { return e.where == endpoint{} && op.last ? op.last->where : e.where; };
   if (e.code() == errc::retry_budget_exhausted) {
      at_.events.tell([&] {
         std::string why = !e.server_text.empty() || e.causes.empty() ? e.server_text : e.causes.front();
         return event::budget_exhausted{to_string(op.commands.front()), std::move(why), where()};
      });
   }
   if (e.outcome == outcome::unknown) {
      at_.events.tell([&] { return event::outcome_unknown{to_string(op.commands.front()), e.what(), where()}; });
   }
   for (std::size_t i = 1; i < op.commands.size(); ++i) op.results[i] = e;
   op.results[0] = std::move(e);
   finish(op);
}

void endings::fail_lost(operation& op, error e) {
   if (e.outcome != outcome::unknown || op.reads_only) return fail(op, std::move(e));
   if (at_.connector.without_identity()) {  // it cannot be named, so it will not be fenced
      e.causes.emplace_back("not fenced: the server was too busy to say who we were");
      return fail(op, std::move(e));
   }
   op.last = std::move(e);
   at_.queue.await_fence(op);
}

void endings::fail_waiting(operation& op, std::string_view cause, time_point now) {
   error e = make_error(op, op.last->code(), outcome::not_executed, now);
   e.server_text = op.last->server_text;
   e.causes = op.last->causes;
   if (!cause.empty()) e.causes.emplace_back(cause);
   if (!is_unfenced(op)) return fail(op, std::move(e));
   op.last = std::move(e);
   at_.queue.await_fence(op);
}

void endings::fail_overtaken(operation& op, time_point now) {
   fail_waiting(op, "not sent again: a newer command of the same lane has run meanwhile, or may have", now);
}

void endings::fail_unsent(operation& op, error e, time_point now) {
   operations gone;
   if (op.may_have_run && !op.reads_only) gone.push_back(&op);
   fail(op, std::move(e));
   end_behind(std::move(gone), now);
}

void endings::drop_overtaken(const operations& all, time_point now) {
   for (operation* op : all) {
      at_.queue.remove(*op);
      fail_overtaken(*op, now);
   }
}

bool endings::end_with_answer(operation& op) {
   if (!at_.queue.order().answer_counts(op, at_.in_flight.oldest())) return false;
   at_.queue.remove(op);
   if (op.kept == operation::answer::reply) {
      finish(op);
   } else {
      error e = std::move(*op.last);
      fail(op, std::move(e));
   }
   return true;
}

void endings::end_answered(const operations& all, time_point now) {
   for (operation* op : all)
      if (!end_with_answer(*op)) drop_overtaken({op}, now);
}

void endings::end_overtaken_by(const operation& op, const ledger_slot& slot, time_point now) {
   if (!ends_script(op)) end_overtaken_by(footprint_of(op), slot, now);
}

void endings::end_overtaken_by(const footprint& ran, const ledger_slot& slot, time_point now) {
   if (slot.again) at_.queue.order().count_reruns(1);
   end_overtaken_by(ran, slot.sequence, now);
}

void endings::end_overtaken_by(const std::vector<lost_command>& lost, time_point now) {
   for (const lost_command& l : lost) {
      if (l.op == nullptr || l.op->reads_only || l.then.outcome != outcome::executed) continue;
      end_overtaken_by(footprint_of(*l.op), l.sequence, now);
   }
}

void endings::end_overtaken_by(const footprint& ran, std::uint64_t sequence, time_point now) {
   auto overtaken = at_.queue.order().overtaken_by(ran, sequence);
   // First those without an answer: with them gone, what others were answered may count.
   const auto answered = std::stable_partition(overtaken.begin(), overtaken.end(),
                                               [](const auto* op) { return op->kept == operation::answer::none; });
   drop_overtaken({overtaken.begin(), answered}, now);
   end_answered({answered, overtaken.end()}, now);
}

void endings::end_behind_gone(operation& op, time_point now) {
   operations gone;
   if (op.may_have_run && !op.reads_only) gone.push_back(&op);
   fail_overtaken(op, now);
   end_behind(std::move(gone), now);
}

void endings::end_behind(operations gone, time_point now) {  // NOLINT(performance-unnecessary-value-param)
   if (gone.empty()) return;
   std::uint64_t newest = 0;
   for (const operation* op : gone) newest = std::max(newest, op->sequence);
   const auto unsent = at_.in_flight.unsent_before(newest, at_.link.out.accepted());
   // NOLINTNEXTLINE(performance-move-const-arg)
   auto ended = at_.queue.order().forbid_behind(std::move(gone), unsent, at_.in_flight.oldest());
   const auto taken_back = std::stable_partition(ended.begin(), ended.end(),
                                                 [](const auto* op) { return op->is == operation::state::queued; });
   drop_overtaken({ended.begin(), taken_back}, now);
   if (taken_back == ended.end()) return;
   for (auto op = taken_back; op != ended.end(); ++op) {
      (*op)->is = operation::state::idle;
      at_.counts.left_flight();
   }
   const std::size_t oldest = at_.in_flight.older_than(ended.back()->sequence);
   at_.in_flight.take_out(oldest, at_.link.out, [](const ledger_slot& slot) {
      return slot.op != nullptr && slot.op->is == operation::state::idle;
   });
   for (auto op = taken_back; op != ended.end(); ++op) {
      at_.gate.take_probe((*op)->sequence);
      --(*op)->attempts;
      fail_overtaken(**op, now);
   }
}

void endings::give_up_at_gate(reply_class cls, time_point now) {
   operations gone;
   for (operation* op : at_.queue.order().all()) {
      if (op->pushbacks == 0 || op->rejected_as != cls) continue;
      at_.queue.remove(*op);
      if (op->may_have_run && !op->reads_only) gone.push_back(op);
      fail_waiting(*op, {}, now);
   }
   end_behind(std::move(gone), now);
}

bool endings::end_at_final_problem(time_point now) {
   const auto& problem = at_.connector.problem();
   if (!problem || !problem->final) return false;
   while (operation* op = at_.queue.front()) {
      error e = waiting_error(*op, problem->code, now);
      at_.queue.remove(*op);
      fail(*op, std::move(e));
   }
   return true;
}

void endings::fail_pinned(operation& op, time_point now) {
   fail(op, make_error(op, errc::connection_lost, outcome::not_executed, now));
}

void endings::end_pinned(time_point now) {
   for (operation *op = at_.queue.front(), *next = nullptr; op != nullptr; op = next) {
      next = op->next;
      if (op->pinned_to == 0) continue;
      at_.queue.remove(*op);
      fail_pinned(*op, now);
   }
}

void endings::fail_unwatched(operation& op, time_point now) {
   error e = make_error(op, errc::connection_lost, outcome::not_executed, now);
   e.causes.emplace_back("the connection that WATCH was given to has ended, or its user has changed: begin again");
   at_.queue.remove(op);
   fail_unsent(op, std::move(e), now);
}

void endings::fail_foreign_cursor(operation& op, const endpoint& of, time_point now) {
   error e = make_error(op, errc::invalid_argument, outcome::not_executed, now);
   e.causes.push_back("its cursor is of another server process (" + to_string(of) +
                      "): here the scan would pass over some of the keys; begin again with cursor 0");
   at_.queue.remove(op);
   fail_unsent(op, std::move(e), now);
}

void endings::fail_parked(operation& op, errc why, std::string cause, time_point now) {
   error e = waiting_error(op, why, now);
   e.causes.push_back(std::move(cause));
   fail(op, std::move(e));
}

// The lane is connected again: the connection before is proven dead, or it went to a master that is none any more, or
// we shall never know.
void endings::on_fenced(retries& again, time_point now) {
   const auto result = at_.connector.fenced();
   const bool impossible = result == connector::fence_result::impossible;
   const bool holds = result == connector::fence_result::holds;
   const bool needed = result != connector::fence_result::not_needed;
   if (needed) at_.events.tell([&] { return event::fenced{at_.link.where(), holds, at_.connector.fence_problem()}; });
   const text_list reason{"not fenced: " + at_.connector.fence_problem()};
   while (operation* op = at_.queue.first_awaiting_fence()) {
      at_.queue.remove(*op);
      if (needed && !holds) op->last->causes.append(reason);
      op->last->elapsed = now - op->submitted;
      fail(*op, *op->last);
   }
   operations gone;
   for (operation *op = at_.queue.front(), *next = nullptr; op != nullptr; op = next) {
      next = op->next;
      const bool was_unfenced = std::exchange(op->unfenced, false);
      const bool is_affected = was_unfenced || op->left_behind;
      op->left_behind = is_affected && at_.connector.has_to_fence();
      if (!is_affected || !impossible || !again.ends_unfenced(*op, now)) continue;
      // It waits to be sent again, and its first may still run there.
      error e = *op->last;
      e.outcome = outcome::unknown;
      e.causes.append(reason);
      at_.queue.remove(*op);
      fail(*op, std::move(e));
      gone.push_back(op);
   }
   end_behind(std::move(gone), now);
}

error endings::make_error(const operation& op, std::error_code code, outcome o, time_point now) const {
   if (o == outcome::not_executed && op.may_have_run) o = outcome::unknown;
   error e(code, o);
   e.where = at_.link.where();
   e.attempts = op.attempts;
   e.elapsed = now - op.submitted;
   return e;
}

error endings::waiting_error(const operation& op, errc code, time_point now) {
   if (op.is == operation::state::awaiting_fence) {
      error e = *op.last;
      if (code == errc::cancelled) e = make_error(op, code, outcome::unknown, now);
      e.elapsed = now - op.submitted;
      e.causes.append(never_fenced_);
      return e;
   }
   error e = make_error(op, code, outcome::not_executed, now);
   if (op.last) {
      e.server_text = op.last->server_text;
      e.causes = op.last->causes;
   }
   if (is_unfenced(op)) e.causes.append(never_fenced_);
   if (at_.connector.ready()) {
      if (op.is == operation::state::in_flight || op.last) return e;  // it is not held back
      auto why = at_.pacing.text(at_.pacing.why_held(nullptr, at_.topology, at_.gate, now), at_.gate);
      if (!why.empty()) e.causes.append(shared(held_because_, {std::move(why)}));
      return e;
   }
   e.where = {};
   if (const auto none = at_.topology.why_none()) {
      if (code == errc::deadline_exceeded) e = recoded(e, none->code);
      e.causes.append(shared(no_master_because_, none->causes));
   } else if (const auto& problem = at_.connector.problem()) {
      if (code == errc::deadline_exceeded) e = recoded(e, problem->code);
      if (e.server_text.empty()) e.server_text = problem->server_text;
      if (problem->final && !problem->text.empty()) e.causes.push_back(problem->text);
   }
   if (const auto& objection = at_.topology.objection(); !objection.empty())
      e.causes.append(shared(objection_, {objection}));
   e.causes.append(at_.connector.causes());
   if (auto now_tried = at_.connector.under_way(); e.causes.empty() && !now_tried.empty()) {
      e.causes.append(shared(held_because_, {std::move(now_tried)}));
   }
   return e;
}

void endings::explain_replica(error& e) {
   e.causes.push_back(to_string(at_.link.where()) +
                      " is a replica, and nothing but its address is configured: write to " +
                      "its master, or name the Sentinels");
   if (std::exchange(told_replica_, true)) return;
   at_.events.tell([&] { return event::role_refused{at_.link.where(), "slave"}; });
}

}  // namespace holdfast::impl

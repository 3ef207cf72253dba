// How operations end, and what is said of them.
#include "lane/lane.hpp"
#include "lane/transaction.hpp"

namespace holdfast::lane {
namespace {

constexpr const char* never_fenced = "not fenced: the node could not be reached again to end the lost connection";

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

situation lane::describe(operation& op, fault f, time_point now) {
   if (!op.classified) {
      op.repeats = repeats(op);
      op.classified = true;
   }
   situation s;
   s.fault = f;
   s.repeats = op.repeats;
   s.promise = op.promise;
   s.attempts = op.attempts;
   s.max_resends = settings_.max_resends;
   s.pushbacks = op.pushbacks;
   s.budget = budget_.available(now) > 0;
   s.master_is_new =
      connector_.master_changed_at() != time_point{} && now - connector_.master_changed_at() < std::chrono::seconds(60);
   s.deadline = op.deadline;
   s.now = now;
   return s;
}

error lane::make_error(const operation& op, std::error_code code, outcome o, time_point now) const {
   // A later attempt that certainly did not run says nothing about an earlier one that may have.
   if (o == outcome::not_executed && op.may_have_run) o = outcome::unknown;
   error e(code, o);
   e.where = link_.where();
   e.attempts = op.attempts;
   e.elapsed = now - op.submitted;
   return e;
}

// Why an operation that is still waiting ends now: `code` is the caller's reason (deadline, cancel), or what made
// further waiting useless.
error lane::waiting_error(operation& op, errc code, time_point now) {
   if (op.where == operation::place::limbo) {
      error e = *op.last;
      if (code == errc::cancelled) e = make_error(op, code, outcome::unknown, now);
      e.elapsed = now - op.submitted;
      e.causes.emplace_back(never_fenced);
      return e;
   }
   error e = make_error(op, code, outcome::not_executed, now);
   if (op.last) {
      e.server_text = op.last->server_text;
      e.causes = op.last->causes;
   }
   if (is_unfenced(op)) e.causes.emplace_back(never_fenced);
   if (connector_.ready()) {
      const bool waits = op.where != operation::place::ledger && !op.last;  // in the ledger it is not held back
      if (auto why = what_holds(now); waits && !why.empty()) e.causes.append(shared(held_because_, {std::move(why)}));
      return e;
   }
   e.where = {};
   if (const auto none = guide_.why_none()) {
      if (code == errc::deadline_exceeded) e = recoded(e, none->code);
      e.causes.append(shared(no_master_because_, none->causes));
   } else if (const auto& problem = connector_.problem()) {
      if (code == errc::deadline_exceeded) e = recoded(e, problem->code);
      if (e.server_text.empty()) e.server_text = problem->server_text;
      if (problem->final && !problem->text.empty()) e.causes.push_back(problem->text);
   }
   if (auto objection = guide_.objection(); !objection.empty())
      e.causes.append(shared(objection_, {std::move(objection)}));
   e.causes.append(connector_.causes());
   if (auto now_tried = connector_.under_way(); e.causes.empty() && !now_tried.empty()) {
      e.causes.append(shared(held_because_, {std::move(now_tried)}));
   }
   return e;
}

// Why a connection that is ready is not written to.
std::string lane::what_holds(time_point now) const {
   if (leaving_) return leaving_why_;
   if (awaiting_pong_) return "the connection was idle for long, and a PING that tests it is not answered";
   if (is_testing()) return "held back, because a MULTI that tests the connection is not answered";
   if (now < guide_.hold_writes_until()) return "held back, because another node is about to be promoted";
   if (now < hold_until_) return "held back, because an earlier command was answered " + held_why_;
   return {};
}

void lane::requeue(operation& op) {
   op.where = operation::place::queue;
   op.replies = 0;
   queue_.insert_in_order(op);
   queued_bytes_ += op.bytes;
   if (op.last) order_.add(op);
}

void lane::unqueue(operation& op) {
   queue_.remove(op);
   queued_bytes_ -= op.bytes;
   if (op.last) order_.remove(op);
   op.where = operation::place::nowhere;
}

void lane::fail(operation& op, error e, time_point) {
   if (e.code() == errc::retry_budget_exhausted) {
      events_.tell([&] {
         std::string why = !e.server_text.empty() || e.causes.empty() ? e.server_text : e.causes.front();
         return event::budget_exhausted{to_string(op.commands.front()), std::move(why)};
      });
   }
   if (e.outcome == outcome::unknown) {
      events_.tell([&] { return event::outcome_unknown{to_string(op.commands.front()), e.what()}; });
   }
   for (std::size_t i = 1; i < op.commands.size(); ++i) op.results[i] = e;
   op.results[0] = std::move(e);
   finish(op);
}

void lane::finish(operation& op) {
   op.where = operation::place::nowhere;
   op.done = true;
   done_.push_back(op);
}

}  // namespace holdfast::lane

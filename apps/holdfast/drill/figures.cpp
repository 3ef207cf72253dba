#include "drill/figures.hpp"

#include "drill/counted.hpp"
#include "drill/losses.hpp"

#include <holdfast/policy/circuit_breaker.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::drill {
namespace {

using lab::ms_between;

// ---- times ---------------------------------------------------------------------------------------------------------

// When the client could first write where its writes belong after the fault. Empty: it never got there.
std::optional<clock::time_point> arrival(const record& r, std::span<const told> events) {
   for (const told& t : events) {
      if (t.at < r.fault_at) continue;
      if (r.promotes) {
         const auto* there = std::get_if<event::connected>(&t.what);
         if (there != nullptr && there->master == r.promoted) return t.at;
      } else if (std::holds_alternative<event::connection_lost>(t.what)) {
         return t.at;
      }
   }
   if (r.promotes) return std::nullopt;
   return r.fault_at;
}

// The last reply of the old master may be read after the connection to the new one was there: its write is not on it.
bool known_elsewhere(const record& r, const operation& o) {
   const bool comparable = r.held && (r.promotions.empty() || r.promotions.back().node == r.promoted);
   if (!r.promotes || !comparable || o.kind == write_kind::incr) return false;
   if (o.kind == write_kind::set) return !r.held->set.contains(o.number);
   return std::find(r.held->list.begin(), r.held->list.end(), o.number) == r.held->list.end();
}

double longest_gap_ms(const record& r) {
   std::optional<clock::time_point> last;
   double longest = 0;
   for (const operation& o : r.operations) {
      if (!o.acked) continue;
      if (last) longest = std::max(longest, ms_between(*last, o.end));
      last = o.end;
   }
   return std::max(longest, ms_between(last.value_or(r.start), r.end));
}

void judge_times(const record& r, figures& f) {
   if (const auto ok = first_ok(r)) {
      f.first_ok_ms = ms_between(r.fault_at, *ok);
      if (r.promoted_at) f.client_added_ms = ms_between(*r.promoted_at, *ok);
   }
   if (r.promoted_at) f.promoted_ms = ms_between(r.fault_at, *r.promoted_at);
   if (r.named_at) f.sentinel_named_ms = ms_between(r.fault_at, *r.named_at);
   if (f.first_ok_ms && f.sentinel_named_ms) f.after_named_ms = *f.first_ok_ms - *f.sentinel_named_ms;
   f.longest_gap_ms = longest_gap_ms(r);
   const auto deadline = static_cast<double>(r.deadline.count());
   f.late = r.promotes ? !f.promoted_ms || *f.promoted_ms > deadline
                       : r.interrupts && ms_between(r.fault_at, r.in_force_at) > deadline;
   f.second_failover = r.second_failover;
}

// ---- what became of the commands -----------------------------------------------------------------------------------

void count(const record& r, figures& f) {
   for (const operation& o : r.operations) {
      totals& t = f.of(o.kind);
      if (o.acked)
         ++t.acked;
      else if (cancelled(r, o))
         continue;
      else
         ++(o.outcome == outcome::not_executed ? t.not_executed
            : o.outcome == outcome::unknown    ? t.unknown
                                               : t.executed);
   }
   for (const told& t : r.events) {
      const auto* lost = std::get_if<event::connection_lost>(&t.what);
      if (lost != nullptr && lost->unanswered != 0) ++f.connections_lost;
      const auto* breaker = std::get_if<event::breaker_changed>(&t.what);
      if (breaker != nullptr && breaker->state == to_string(circuit_state::open)) ++f.breaker_opened;
      if (std::holds_alternative<event::budget_exhausted>(t.what)) ++f.budget_exhausted;
   }
}

// ---- promises ------------------------------------------------------------------------------------------------------

void promise(figures& f, bool kept, std::string otherwise) {
   if (!kept) f.broken.push_back(std::move(otherwise));
}

// Those unknown outcomes that no connection lost meanwhile accounts for: each accounts for the commands that it left
// unanswered, once.
std::uint64_t unexplained(const record& r, const figures& f) {
   std::vector<std::pair<clock::time_point, unsigned>> losses;
   for (const told& t : r.events)
      if (const auto* lost = std::get_if<event::connection_lost>(&t.what)) losses.emplace_back(t.at, lost->unanswered);
   std::uint64_t count = 0;
   for (const operation& o : r.operations) {
      if (o.acked || cancelled(r, o) || o.outcome != outcome::unknown) continue;
      const auto its = std::find_if(losses.begin(), losses.end(), [&](const auto& loss) {
         return loss.second != 0 && loss.first >= o.start && loss.first <= o.end;
      });
      if (its == losses.end())
         ++count;
      else
         --its->second;
   }
   return std::min(count, f.all.unknown);
}

void judge_errors(const record& r, figures& f) {
   const bool resends_anything = r.delivery == delivery::at_least_once || r.delivery == delivery::exactly_once;
   for (const write_kind kind : every_kind) {
      const totals& t = f.of(kind);
      const bool resent = resends_anything || (kind == write_kind::set && r.delivery != delivery::at_most_once);
      const std::uint64_t wrong = t.errors() - (resent ? 0 : t.unknown);
      promise(f, wrong == 0,
              fmt::format("{} of {} failed, though it could wait or be sent again", wrong, word_of(kind)));
   }
   const std::uint64_t without_cause = unexplained(r, f);
   promise(f, without_cause == 0, counted(without_cause, "unknown outcome") + " without a connection lost under it");
}

// Whether the client went to another server meanwhile, which may lack the last writes of the one before.
bool moved_between(const record& r, clock::time_point from, clock::time_point to) {
   return std::any_of(r.events.begin(), r.events.end(), [&](const told& t) {
      return t.at >= from && t.at <= to && std::holds_alternative<event::connected>(t.what);
   });
}

// The length of the list, and the counter, rise by one with each write, and by what else may have run in between.
void judge_replies(const record& r, write_kind kind, figures& f) {
   const bool may_lose = r.may_lose != lab::loss::nothing;
   const operation* last = nullptr;
   long long maybe = 0;
   std::uint64_t wrong = 0;
   for (const operation& o : r.operations) {
      if (o.kind != kind) continue;
      if (!o.acked) {
         maybe += o.outcome != outcome::not_executed;
         continue;
      }
      if (!o.integer) {
         ++wrong;
         continue;
      }
      if (last != nullptr && !(may_lose && moved_between(r, last->start, o.end))) {
         const long long rise = *o.integer - *last->integer;
         const bool bounded = !may_lose && r.delivery != delivery::at_least_once;
         wrong += rise < 1 || (bounded && rise > 1 + maybe);
      }
      last = &o;
      maybe = 0;
   }
   promise(f, wrong == 0,
           fmt::format("out of line with those before: {} to {}", counted(wrong, "reply"), word_of(kind)));
}

void judge_replies(const record& r, figures& f) {
   const auto wrong = std::count_if(r.operations.begin(), r.operations.end(), [](const operation& o) {
      return o.kind == write_kind::set && o.acked && o.status != "OK";
   });
   promise(f, wrong == 0, counted(wrong, "reply") + " to SET other than OK");
   judge_replies(r, write_kind::rpush, f);
   judge_replies(r, write_kind::incr, f);
}

void judge_return(const record& r, figures& f) {
   if (r.cut_short) return;
   if (f.ordinary() || r.promoted_at || !r.promotes)
      promise(f, came_back(r, r.operations, r.events), "the client did not come back");
   if (f.ordinary() && f.after_named_ms && !r.bad_network)
      promise(f, *f.after_named_ms <= after_named_at_most_ms,
              fmt::format("the client came {:.1f} ms after a Sentinel named the new master", *f.after_named_ms));
}

// A fault that cost more than it may was not ridden out; one that hit nobody has shown nothing.
void judge_costs(const record& r, figures& f) {
   if (!f.ordinary() || r.bad_network) return;
   const auto count = [&](const auto& counts) {
      return std::count_if(r.events.begin(), r.events.end(),
                           [&](const told& t) { return t.at >= r.fault_at && counts(t); });
   };
   if (r.costs == lab::toll::nothing) {
      const auto given_up = count([&](const told& t) {
         const auto* lost = std::get_if<event::connection_lost>(&t.what);
         return lost != nullptr && lost->unanswered != 0 && t.at < r.promoted_at.value_or(r.end);
      });
      promise(f, given_up == 0,
              counted(given_up, "connection") + " lost with commands under way, though the fault ends none");
      return;
   }
   if (r.cut_short || !r.trouble.empty()) return;
   promise(f, count([](const told& t) { return std::holds_alternative<event::connection_lost>(t.what); }) != 0,
           "the fault hit nobody: no connection was lost");
   if (r.costs != lab::toll::fence) return;
   const auto fences = count([](const told& t) {
      const auto* fence = std::get_if<event::fenced>(&t.what);
      return fence != nullptr && fence->done;
   });
   promise(f, fences != 0, "the client came back to the same master without a fence");
}

// It sees what commands came to after all their tries: what was ridden out is a success.
void judge_breaker(figures& f) {
   if (!f.ordinary()) return;
   promise(f, f.breaker_opened == 0,
           fmt::format("the circuit breaker opened {}, though the fault was to be ridden out",
                       counted(f.breaker_opened, "time")));
}

void judge_losses(const record& r, figures& f) {
   promise(f, r.may_lose != lab::loss::nothing || f.all.lost == 0,
           counted(f.all.lost, "acknowledged write") + " lost, though the fault takes none away");
   if (!f.ordinary()) return;
   // Who waits for the Sentinels' confirmation writes to an old master that lives until it comes.
   const bool leaves_at_once = r.cutover == cutover::eager && r.may_lose == lab::loss::moments;
   promise(f, !leaves_at_once || f.lost_out_of_time == 0,
           fmt::format("{} lost, not acknowledged in the last {} ms before the fault",
                       counted(f.lost_out_of_time, "write"), last_moments_ms));
   promise(f, f.old_master_writes.value_or(0) == 0,
           fmt::format("{} reached {}, {}", counted(f.old_master_writes.value_or(0), "write"), to_string(r.forbidden),
                       r.promotes ? "the old master, after the first on the new one"
                                  : "which says that it is a master, though no Sentinel has named it"));
}

void judge_promises(const record& r, figures& f, std::uint64_t wrongly_present) {
   if (f.ordinary()) judge_errors(r, f);
   judge_return(r, f);
   judge_costs(r, f);
   judge_breaker(f);
   judge_replies(r, f);
   promise(f, f.all.duplicated == 0 || r.delivery == delivery::at_least_once,
           counted(f.all.duplicated, "write") + " applied more than once");
   promise(f, wrongly_present == 0, counted(wrongly_present, "write") + " ran and had been reported as not executed");
   judge_losses(r, f);
   const auto order = !r.held || std::is_sorted(r.held->list.begin(), r.held->list.end());
   promise(f, order || r.delivery == delivery::at_least_once, "the list is not in the order in which it was written");
   promise(f, r.trouble.empty(), r.trouble);
}

}  // namespace

totals& totals::operator+=(const totals& other) {
   acked += other.acked;
   not_executed += other.not_executed;
   unknown += other.unknown;
   executed += other.executed;
   lost += other.lost;
   duplicated += other.duplicated;
   return *this;
}

std::optional<clock::time_point> first_ok(const record& r, std::span<const operation> operations,
                                          std::span<const told> events) {
   const auto from = arrival(r, events);
   if (!from) return std::nullopt;
   for (const operation& o : operations)
      if (o.acked && o.end >= *from && !known_elsewhere(r, o)) return o.end;
   return std::nullopt;
}

bool came_back(const record& r, std::span<const operation> operations, std::span<const told> events) {
   const auto& promotions = r.promotions;
   if (promotions.empty() || (r.promotes && promotions.size() == 1)) return first_ok(r, operations, events).has_value();
   // The checker sees a promotion a moment after the client may: so from the one before on.
   const auto since = promotions.size() > 1 ? promotions[promotions.size() - 2].at : r.fault_at;
   for (const told& t : events) {
      const auto* there = std::get_if<event::connected>(&t.what);
      if (there == nullptr || t.at < since || there->master != promotions.back().node) continue;
      return std::any_of(operations.begin(), operations.end(),
                         [&](const operation& o) { return o.acked && o.end >= t.at; });
   }
   return false;
}

std::optional<clock::time_point> first_ok(const record& r) { return first_ok(r, r.operations, r.events); }

figures judge(const record& r) {
   figures f;
   if (!r.skipped.empty()) return f;
   judge_times(r, f);
   count(r, f);
   const std::uint64_t wrongly_present = compare(r, f);
   f.old_master_writes = forbidden_writes(r);
   for (const totals& t : f.by_command) f.all += t;
   judge_promises(r, f, wrongly_present);
   return f;
}

}  // namespace holdfast::drill

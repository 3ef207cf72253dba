#include "drill/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace holdfast::drill {
namespace {

using lab::ms_between;

std::size_t index_of(write_kind kind) { return static_cast<std::size_t>(kind); }

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
   f.longest_gap_ms = longest_gap_ms(r);
   const auto deadline = static_cast<double>(r.deadline.count());
   f.late_promotion = r.promotes && (!f.promoted_ms || *f.promoted_ms > deadline);
   f.second_failover = r.second_failover;
}

// ---- what became of the commands -----------------------------------------------------------------------------------

void count(const record& r, figures& f) {
   for (const operation& o : r.operations) {
      totals& t = f.by_command[index_of(o.kind)];
      if (o.acked)
         ++t.acked;
      else if (o.cancelled)
         continue;
      else
         ++(o.outcome == outcome::not_executed ? t.not_executed
            : o.outcome == outcome::unknown    ? t.unknown
                                               : t.executed);
   }
   for (const told& t : r.events) {
      const auto* lost = std::get_if<event::connection_lost>(&t.what);
      if (lost != nullptr && lost->unanswered != 0) ++f.connections_lost;
   }
}

// Each RPUSH is told by its number, each SET by its key: what was acknowledged must be there, and there once.
void compare_numbered(const record& r, figures& f, std::uint64_t& wrongly_present) {
   std::map<std::uint64_t, unsigned> pushed;
   for (const std::uint64_t number : r.held.list) ++pushed[number];
   for (const operation& o : r.operations) {
      if (o.kind == write_kind::incr || o.cancelled) continue;
      const bool present = o.kind == write_kind::set ? r.held.set.contains(o.number) : pushed.contains(o.number);
      totals& t = f.by_command[index_of(o.kind)];
      if (o.acked && !present) ++t.lost;
      if (!o.acked && o.outcome == outcome::not_executed && present) ++wrongly_present;
   }
   for (const auto& [number, times] : pushed) f.by_command[index_of(write_kind::rpush)].duplicated += times - 1;
}

// A counter gives bounds only: a loss and a repetition cancel each other out.
void compare_counter(const record& r, figures& f) {
   totals& t = f.by_command[index_of(write_kind::incr)];
   const auto cancelled = static_cast<std::uint64_t>(std::count_if(
      r.operations.begin(), r.operations.end(), [](auto& o) { return o.cancelled && o.kind == write_kind::incr; }));
   const auto final = static_cast<std::uint64_t>(std::max(r.held.counter, 0LL));
   const std::uint64_t at_most = t.acked + t.unknown + t.executed + cancelled;
   if (final < t.acked) t.lost = t.acked - final;
   if (final > at_most) t.duplicated = final - at_most;
}

// ---- promises ------------------------------------------------------------------------------------------------------

void promise(figures& f, bool kept, std::string otherwise) {
   if (!kept) f.broken.push_back(std::move(otherwise));
}

void judge_errors(const record& r, figures& f) {
   const bool resends_anything = r.delivery == delivery::at_least_once || r.delivery == delivery::exactly_once;
   std::uint64_t unknown = 0;
   for (const write_kind kind : every_kind) {
      const totals& t = f.by_command[index_of(kind)];
      const bool resent = resends_anything || (kind == write_kind::set && r.delivery != delivery::at_most_once);
      const std::uint64_t wrong = t.errors() - (resent ? 0 : t.unknown);
      promise(f, wrong == 0,
              fmt::format("{} of {} failed, though it could wait or be sent again", wrong, word_of(kind)));
      if (!resent) unknown += t.unknown;
   }
   promise(f, unknown <= f.connections_lost,
           fmt::format("{} outcomes are unknown, but only {} connections were lost with a command in flight", unknown,
                       f.connections_lost));
}

void judge_promises(const record& r, figures& f, std::uint64_t wrongly_present) {
   if (f.ordinary()) {
      judge_errors(r, f);
      promise(f, f.first_ok_ms.has_value(), "the client did not come back");
   }
   promise(f, f.all.duplicated == 0 || r.delivery == delivery::at_least_once,
           fmt::format("{} writes were applied more than once", f.all.duplicated));
   promise(f, wrongly_present == 0, fmt::format("{} writes ran that were reported as not executed", wrongly_present));
   promise(f, r.may_lose || f.all.lost == 0,
           fmt::format("{} acknowledged writes are lost, though the server that acknowledged them is still the master",
                       f.all.lost));
   const auto order = std::is_sorted(r.held.list.begin(), r.held.list.end());
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
      if (o.acked && o.end >= *from) return o.end;
   return std::nullopt;
}

std::optional<clock::time_point> first_ok(const record& r) { return first_ok(r, r.operations, r.events); }

figures judge(const record& r) {
   figures f;
   judge_times(r, f);
   count(r, f);
   std::uint64_t wrongly_present = 0;
   compare_numbered(r, f, wrongly_present);
   compare_counter(r, f);
   for (const totals& t : f.by_command) f.all += t;
   judge_promises(r, f, wrongly_present);
   return f;
}

}  // namespace holdfast::drill

#include "drill/losses.hpp"

#include <algorithm>
#include <map>

namespace holdfast::drill {
namespace {

using lab::ms_between;

std::uint64_t count_if(const record& r, write_kind kind, const auto& counts) {
   return static_cast<std::uint64_t>(std::count_if(r.operations.begin(), r.operations.end(),
                                                   [&](const operation& o) { return o.kind == kind && counts(o); }));
}

// Acknowledged when no fault excuses that it is gone: well before it, or by a master that was to take no more.
bool out_of_time(const record& r, const operation& o) {
   return ms_between(o.end, r.fault_at) > last_moments_ms || o.start > r.in_force_at;
}

// Each RPUSH is told by its number, each SET by its key: what was acknowledged must be there, and there once.
std::uint64_t compare_numbered(const record& r, figures& f) {
   std::map<std::uint64_t, unsigned> pushed;
   for (const std::uint64_t number : r.held->list) ++pushed[number];
   std::uint64_t wrongly_present = 0;
   for (const operation& o : r.operations) {
      if (o.kind == write_kind::incr || cancelled(r, o)) continue;
      const bool present = o.kind == write_kind::set ? r.held->set.contains(o.number) : pushed.contains(o.number);
      if (!o.acked && o.outcome == outcome::not_executed && present) ++wrongly_present;
      if (!o.acked || present) continue;
      ++f.of(o.kind).lost;
      f.lost_before_fault_ms.push_back(ms_between(o.end, r.fault_at));
      f.lost_out_of_time += out_of_time(r, o);
   }
   for (const auto& [number, times] : pushed) f.of(write_kind::rpush).duplicated += times - 1;
   return wrongly_present;
}

// A counter gives bounds only: a loss and a repetition cancel each other out.
void compare_counter(const record& r, figures& f) {
   totals& t = f.of(write_kind::incr);
   const auto stopped = count_if(r, write_kind::incr, [&](const operation& o) { return cancelled(r, o); });
   const auto final = static_cast<std::uint64_t>(std::max(r.held->counter, 0LL));
   const std::uint64_t at_most = t.acked + t.unknown + t.executed + stopped;
   if (final < t.acked) t.lost = t.acked - final;
   if (final > at_most) t.duplicated = final - at_most;
   const auto excused =
      count_if(r, write_kind::incr, [&](const operation& o) { return o.acked && !out_of_time(r, o); });
   f.lost_out_of_time += t.lost > excused ? t.lost - excused : 0;
}

}  // namespace

std::uint64_t compare(const record& r, figures& f) {
   if (!r.held) return 0;
   const std::uint64_t wrongly_present = compare_numbered(r, f);
   compare_counter(r, f);
   return wrongly_present;
}

std::optional<std::uint64_t> forbidden_writes(const record& r) {
   if (!r.sighted) return std::nullopt;
   // Never there: then nothing was to be left for it.
   const auto since = r.promotes ? first_ok(r) : std::optional(r.fault_at);
   if (!since) return 0;
   return static_cast<std::uint64_t>(std::count_if(r.operations.begin(), r.operations.end(), [&](const operation& o) {
      return o.start > *since && std::binary_search(r.sighted->begin(), r.sighted->end(), sighting{o.kind, o.number});
   }));
}

}  // namespace holdfast::drill

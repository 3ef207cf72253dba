#include "drill/summary.hpp"

#include <algorithm>
#include <numeric>

namespace holdfast::drill {
namespace {

using optional_ms = std::optional<double>;

template <class Get>
spread over(const std::vector<const figures*>& runs, Get get) {
   std::vector<double> values;
   for (const figures* f : runs)
      if (const optional_ms value = get(*f)) values.push_back(*value);
   return spread_of(std::move(values));
}

fault_summary of_one(const std::string& fault, const std::vector<judged>& runs) {
   fault_summary s;
   s.fault = fault;
   std::vector<const figures*> ordinary;
   for (const judged& j : runs) {
      if (j.seen.fault != fault) continue;
      const figures& f = j.found;
      ++s.runs;
      if (!j.seen.skipped.empty()) {
         ++s.skipped;
         continue;
      }
      s.late += f.late;
      s.second_failovers += f.second_failover;
      s.told_apart += !f.ordinary();
      s.all += f.all;
      s.lost_out_of_time += f.lost_out_of_time;
      if (f.old_master_writes) s.old_master_writes = s.old_master_writes.value_or(0) + *f.old_master_writes;
      s.promises_broken += f.broken.size();
      if (f.ordinary() && !j.seen.cut_short) ordinary.push_back(&f);
   }
   s.ordinary = ordinary.size();
   for (const figures* f : ordinary) {
      s.runs_without_loss += f->all.lost == 0;
      s.most_lost = std::max(s.most_lost, f->all.lost);
   }
   s.promoted_ms = over(ordinary, [](const figures& f) { return f.promoted_ms; });
   s.sentinel_named_ms = over(ordinary, [](const figures& f) { return f.sentinel_named_ms; });
   s.first_ok_ms = over(ordinary, [](const figures& f) { return f.first_ok_ms; });
   s.client_added_ms = over(ordinary, [](const figures& f) { return f.client_added_ms; });
   s.longest_gap_ms = over(ordinary, [](const figures& f) { return optional_ms(f.longest_gap_ms); });
   s.after_named_ms = over(ordinary, [](const figures& f) {
      return f.first_ok_ms && f.sentinel_named_ms ? optional_ms(*f.first_ok_ms - *f.sentinel_named_ms) : std::nullopt;
   });
   s.before_named_ms = over(ordinary, [](const figures& f) {
      const bool first = f.first_ok_ms && f.sentinel_named_ms && *f.first_ok_ms < *f.sentinel_named_ms;
      return first ? optional_ms(*f.sentinel_named_ms - *f.first_ok_ms) : std::nullopt;
   });
   return s;
}

}  // namespace

spread spread_of(std::vector<double> values) {
   if (values.empty()) return {};
   for (double& value : values) value = std::max(value, 0.0);
   std::sort(values.begin(), values.end());
   const std::size_t middle = values.size() / 2;
   const double median = values.size() % 2 == 1 ? values[middle] : std::midpoint(values[middle - 1], values[middle]);
   return {values.size(), median, values.back()};
}

std::vector<fault_summary> summarise(const std::vector<judged>& runs) {
   std::vector<fault_summary> all;
   for (const judged& j : runs) {
      const auto known = [&](const fault_summary& s) { return s.fault == j.seen.fault; };
      if (std::none_of(all.begin(), all.end(), known)) all.push_back(of_one(j.seen.fault, runs));
   }
   return all;
}

}  // namespace holdfast::drill

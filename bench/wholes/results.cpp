#include "bench/wholes/results.hpp"

#include <algorithm>

namespace holdfast::bench {

spread spread_of(std::vector<double> values) {
   std::sort(values.begin(), values.end());
   const std::size_t half = values.size() / 2;
   const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
   return {median, values.front(), values.back()};
}

measured& results::add(const workload& what, const client_kind& who) {
   return all_.emplace_back(measured{&what, &who});
}

const measured* results::find(std::string_view workload, std::string_view client) const {
   for (const measured& m : all_)
      if (m.what->name == workload && m.who->name == client) return &m;
   return nullptr;
}

template <class Ratio>
std::optional<spread> results::ratio(const measured& m, std::string_view to, Ratio of) const {
   const measured* other = find(m.what->name, to);
   if (other == nullptr || m.samples.empty() || other->samples.size() != m.samples.size()) return std::nullopt;
   std::vector<double> all;
   for (std::size_t i = 0; i < m.samples.size(); ++i) all.push_back(of(m.samples[i], other->samples[i]));
   return spread_of(all);
}

std::optional<spread> results::throughput_ratio(const measured& m, std::string_view to) const {
   return ratio(m, to, [](const sample& ours, const sample& theirs) { return theirs.time / ours.time; });
}

std::optional<spread> results::processor_ratio(const measured& m, std::string_view to) const {
   return ratio(m, to,
                [](const sample& ours, const sample& theirs) { return ours.processor_time / theirs.processor_time; });
}

std::optional<holding> results::of_one_caller(std::string_view client) const {
   std::vector<double> resident;
   std::vector<double> descriptors;
   const holding* last = nullptr;
   for (const holding& h : holdings_) {
      if (h.who->name != client) continue;
      if (last != nullptr) {
         const auto more = static_cast<double>(h.callers - last->callers);
         resident.push_back((h.resident - last->resident) / more);
         descriptors.push_back((h.descriptors - last->descriptors) / more);
      }
      last = &h;
   }
   if (resident.empty()) return std::nullopt;
   return holding{last->who, 1, spread_of(resident).median, spread_of(descriptors).median};
}

spread rate_of(const measured& m) {
   std::vector<double> all;
   for (const sample& s : m.samples) all.push_back(1e9 / s.time);
   return spread_of(all);
}

double processor_time_of(const measured& m) {
   std::vector<double> all;
   for (const sample& s : m.samples) all.push_back(s.processor_time);
   return spread_of(all).median;
}

}  // namespace holdfast::bench

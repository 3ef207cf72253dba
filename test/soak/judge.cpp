#include "soak/judge.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace holdfast::soak {
namespace {

// The first failover of that time.
std::optional<std::size_t> find(const std::vector<failover>& all, std::int64_t from, std::int64_t to) {
   const auto found = std::find_if(all.begin(), all.end(), [&](auto& f) { return f.from <= to && from <= f.to; });
   return found == all.end() ? std::nullopt : std::optional<std::size_t>(found - all.begin());
}

class comparison {
 public:
   comparison(const journal& j, const std::vector<failover>& failovers) : journal_(j), failovers_(failovers) {
      for (const ran& r : j.runs) runs_[r.number].push_back(r.at);
      for (const std::uint64_t number : j.held) ++held_[number];
      verdict_.lost.resize(failovers.size());
   }

   verdict judge() {
      std::uint64_t accounted = 0;
      for (const told& t : journal_.writes) {
         accounted += held_.count(t.number);
         judge(t);
      }
      if (accounted != held_.size()) violate("its list holds numbers that it never gave");
      judge_order();
      return verdict_;
   }

 private:
   void violate(const std::string& what) { verdict_.violations.push_back(journal_.client + ": " + what); }

   void judge(const told& t) {
      const std::string name = "write " + std::to_string(t.number);
      const auto held = held_.find(t.number);
      const auto runs = runs_.find(t.number);
      if ((held != held_.end() && held->second > 1) || (runs != runs_.end() && runs->second.size() > 1))
         violate(name + " ran twice");
      if (t.acked && held == held_.end()) {
         if (const auto during = find(failovers_, t.end, t.end))
            ++verdict_.lost[*during];
         else
            violate(name + " was acknowledged outside of any failover, and is lost");
      }
      if (t.acked) return;
      if (t.outcome == outcome::not_executed && (held != held_.end() || runs != runs_.end()))
         violate(name + " was reported as not executed, and ran");
      if (t.outcome != outcome::unknown || !t.fenced || runs == runs_.end()) return;
      const std::int64_t last = *std::max_element(runs->second.begin(), runs->second.end());
      if (last > t.end && !find(failovers_, t.start, last))
         violate(name + " was reported as unknown, fenced, and ran " + std::to_string(last - t.end) + " us later");
   }

   // Only what was given up without a fence may come behind younger ones.
   void judge_order() {
      std::uint64_t youngest = 0;
      for (const std::uint64_t number : journal_.held) {
         if (number < youngest) {
            const auto given = std::lower_bound(journal_.writes.begin(), journal_.writes.end(), number,
                                                [](const told& t, std::uint64_t n) { return t.number < n; });
            const bool loose = given != journal_.writes.end() && given->number == number && !given->acked &&
                               given->outcome == outcome::unknown && !given->fenced;
            if (!loose) violate("write " + std::to_string(number) + " stands behind a younger one");
         }
         youngest = std::max(youngest, number);
      }
   }

   const journal& journal_;
   const std::vector<failover>& failovers_;
   std::map<std::uint64_t, std::vector<std::int64_t>> runs_ = {};
   std::map<std::uint64_t, unsigned> held_ = {};
   verdict verdict_ = {};
};

}  // namespace

verdict judge(const journal& j, const std::vector<failover>& failovers) { return comparison(j, failovers).judge(); }

}  // namespace holdfast::soak

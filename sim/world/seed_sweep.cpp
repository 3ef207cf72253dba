#include "sim/world/seed_sweep.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace holdfast::sim {

namespace {

void add(sweep_result& sum, std::uint64_t seed, run_report&& v) {
   ++sum.worlds;
   sum.failovers += v.failovers;
   sum.promotions += v.promotions;
   sum.stuck += v.stuck;
   sum.events += v.events;
   sum.calls.calls += v.calls.calls;
   sum.calls.acknowledged += v.calls.acknowledged;
   sum.calls.unknown += v.calls.unknown;
   sum.calls.not_executed += v.calls.not_executed;
   sum.calls.lost += v.calls.lost;
   sum.calls.lost_late += v.calls.lost_late;
   sum.calls.lost_unsaved += v.calls.lost_unsaved;
   sum.calls.lost_selected += v.calls.lost_selected;
   busiest_second& most = sum.calls.most;
   most.dials = std::max(most.dials, v.calls.most.dials);
   most.questions = std::max(most.questions, v.calls.most.questions);
   most.wakes = std::max(most.wakes, v.calls.most.wakes);
   most.dials_aside = std::max(most.dials_aside, v.calls.most.dials_aside);
   most.role_questions = std::max(most.role_questions, v.calls.most.role_questions);
   most.candidate_polls = std::max(most.candidate_polls, v.calls.most.candidate_polls);
   sum.virtual_time += v.length;
   if (v.violations.empty()) return;
   sum.failed.push_back(seed);
   if (!sum.first || seed < sum.first->seed) sum.first = failure{seed, std::move(v.violations)};
}

}  // namespace

run_report run_world(std::uint64_t seed, const std::vector<fault_kind>& faults, const std::vector<unsigned>& without,
                     tracer t, calling how) {
   world w(draw_plan(seed, faults, without, how), std::move(t));
   return w.run();
}

run_report run_fleet(std::uint64_t seed, unsigned clients, fault_kind kind, duration reconnect_spread) {
   world w(draw_fleet(seed, clients, kind, reconnect_spread));
   return w.run();
}

sweep_result run_seed_sweep(const sweep_settings& s, const std::function<bool(const sweep_result&)>& enough) {
   using real_clock = std::chrono::steady_clock;
   const auto began = real_clock::now();
   sweep_result sum;
   std::mutex of_sum;
   std::atomic<std::uint64_t> next{s.seed};
   std::atomic<bool> over{false};
   const auto work = [&] {
      while (!over) {
         const std::uint64_t seed = next++;
         if (seed - s.seed >= s.runs) return;
         run_report v = run_world(seed, s.faults, {}, {}, s.how);
         const std::lock_guard lock(of_sum);
         add(sum, seed, std::move(v));
         if (enough(sum) || (s.real_time && real_clock::now() - began >= *s.real_time)) over = true;
      }
   };
   std::vector<std::jthread> others;
   for (unsigned i = 1; i < s.threads; ++i) others.emplace_back(work);
   work();
   others.clear();
   return sum;
}

// Leaves out one after the other, as long as it goes on failing.
std::vector<unsigned> shrink(unsigned count, const std::function<bool(const std::vector<unsigned>&)>& fails_without) {
   std::vector<unsigned> without;
   for (bool again = true; again;) {
      again = false;
      for (unsigned i = 0; i < count; ++i) {
         if (std::find(without.begin(), without.end(), i) != without.end()) continue;
         without.push_back(i);
         if (fails_without(without))
            again = true;
         else
            without.pop_back();
      }
   }
   std::sort(without.begin(), without.end());
   return without;
}

std::vector<unsigned> shrink(std::uint64_t seed, const std::vector<fault_kind>& faults, calling how) {
   return shrink(static_cast<unsigned>(draw_plan(seed, faults).faults.size()),
                 [&](const auto& without) { return !run_world(seed, faults, without, {}, how).violations.empty(); });
}

std::string replay_command(std::uint64_t seed, const std::vector<fault_kind>& faults,
                           const std::vector<unsigned>& without, calling how) {
   std::string line = "holdfast sim --seed " + std::to_string(seed) + " --runs 1";
   for (std::size_t i = 0; i < faults.size(); ++i)
      line += (i == 0 ? " --fault " : ",") + std::string(to_string(faults[i]));
   for (std::size_t i = 0; i < without.size(); ++i) line += (i == 0 ? " --without " : ",") + std::to_string(without[i]);
   if (how == calling::posted) line += " --posted";
   return line + " --trace";
}

}  // namespace holdfast::sim

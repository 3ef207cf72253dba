#include "sim/world/seed_sweep.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::sim::worlds_sim_test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(HOLDFAST_COVERAGE)
constexpr std::uint64_t worlds = 1'000;  // a sanitizer, or counting lines, makes each ten times as slow
#else
constexpr std::uint64_t worlds = 20'000;
#endif

std::string describe(const std::optional<failure>& f, calling how = calling::drawn) {
   if (!f) return {};
   std::string text = replay_command(f->seed, {}, shrink(f->seed, {}, how), how) + "\n";
   for (const auto& v : f->violations) text += v.what + "\n";
   return text;
}

std::vector<std::string> trace_of(std::uint64_t seed) {
   std::vector<std::string> lines;
   run_world(seed, {}, {}, [&](const std::string& line) { lines.push_back(line); });
   return lines;
}

TEST(Worlds, KeepEveryPromiseInTwentyThousandOfThem) {
   sweep_settings s;
   s.runs = worlds;
   s.threads = std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
   const auto r = run_seed_sweep(s, [](const sweep_result& so_far) { return !so_far.failed.empty(); });
   EXPECT_TRUE(r.failed.empty()) << describe(r.first);
   EXPECT_EQ(r.worlds, worlds);
   EXPECT_GT(r.failovers, worlds) << "most worlds are to have more than one failover that counts";
   EXPECT_LT(r.stuck, worlds / 200) << "in too many worlds the model's servers never recover";
   EXPECT_GT(r.calls.unknown, 0U);
   EXPECT_GT(r.calls.lost, 0U) << "asynchronous replication loses writes, in the model as in life";
}

TEST(Worlds, keep_every_promise_where_calls_are_posted) {
   sweep_settings s;
   s.runs = worlds / 40;
   s.how = calling::posted;
   s.threads = std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
   const auto r = run_seed_sweep(s, [](const sweep_result& so_far) { return !so_far.failed.empty(); });
   EXPECT_TRUE(r.failed.empty()) << describe(r.first, s.how);
   EXPECT_EQ(r.worlds, s.runs);
   EXPECT_GT(r.calls.unknown, 0U);
}

TEST(Worlds, RunTheSameFromTheSameSeedToTheLastByte) {
   for (const std::uint64_t seed : {1U, 2U, 3U, 77U}) {
      const auto first = trace_of(seed);
      EXPECT_GT(first.size(), 100U);
      EXPECT_EQ(first, trace_of(seed)) << "seed " << seed;
   }
}

TEST(Worlds, AreNotChangedByBeingWatched) {
   for (std::uint64_t seed = 10; seed < 30; ++seed) {
      const auto unseen = run_world(seed, {});
      const auto seen = run_world(seed, {}, {}, [](const std::string&) {});
      EXPECT_EQ(unseen.digest, seen.digest) << "seed " << seed;
   }
}

TEST(Worlds, DifferFromSeedToSeed) { EXPECT_NE(run_world(1, {}).digest, run_world(2, {}).digest); }

TEST(Worlds, HaveOnlyTheFaultsThatAreAskedFor) {
   for (std::uint64_t seed = 1; seed < 50; ++seed) {
      for (const fault& f : draw_plan(seed, std::vector{fault_kind::stop, fault_kind::cut}).faults)
         EXPECT_TRUE(f.is == fault_kind::stop || f.is == fault_kind::cut) << to_string(f);
   }
}

TEST(Worlds, GoThroughEveryKindOfFaultAlone) {
   for (std::size_t i = 0; i < fault_kinds; ++i) {
      const auto kind = static_cast<fault_kind>(i);
      sweep_settings s;
      s.runs = 20;
      s.faults = {kind};
      const auto r = run_seed_sweep(s, [](const sweep_result&) { return false; });
      EXPECT_TRUE(r.failed.empty()) << to_string(kind) << ": " << describe(r.first);
      if (promotes(kind)) {
         EXPECT_GT(r.failovers, 10U) << to_string(kind);
      }
   }
}

TEST(Worlds, HaveSentinelsThatMoveAreReplacedRunTwiceAndLeaveTheirAddresses) {
   const std::pair<fault_kind, std::string_view> cases[] = {
      {fault_kind::moved, "+sentinel-address-switch"},
      {fault_kind::replaced, "+reset-master"},
      {fault_kind::cloned, "runs as the copy of another one"},
      {fault_kind::passed, "belongs to another deployment from now on"},
   };
   for (const auto& [kind, shown] : cases) {
      unsigned worlds_with_it = 0;
      for (std::uint64_t seed = 1; seed <= 20; ++seed) {
         bool found = false;
         run_world(seed, {kind}, {},
                   [&, what = shown](const std::string& line) { found = found || line.find(what) != line.npos; });
         worlds_with_it += found;
      }
      EXPECT_GT(worlds_with_it, 5U) << to_string(kind);
   }
}

// The same node under another name is the same node: nobody leaves it.
TEST(Worlds, InWhichSentinelsRenameTheirNodesLoseNoConnection) {
   unsigned renamed = 0;
   for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      scenario p = draw_plan(seed, std::vector{fault_kind::renamed});
      p.seeds = seeds::addresses;
      p.network.loss = 0;
      for (fault& f : p.faults) f.at += 1s;  // a Sentinel that has just begun does not know which process it watches
      world w(p, [&](const std::string& line) {
         renamed += line.find("fault: renamed") != line.npos;
         EXPECT_EQ(line.find("lost the connection to"), line.npos) << "seed " << seed << ": " << line;
      });
      EXPECT_TRUE(w.run().violations.empty()) << "seed " << seed;
   }
   EXPECT_GT(renamed, 20U);
}

TEST(Worlds, LeaveOutTheFaultsThatAreNamedAndKeepTheRest) {
   const auto whole = draw_plan(5, {});
   const std::vector<unsigned> without{0};
   const auto rest = draw_plan(5, {}, without);
   ASSERT_EQ(rest.faults.size() + 1, whole.faults.size());
   for (std::size_t i = 0; i < rest.faults.size(); ++i)
      EXPECT_EQ(to_string(rest.faults[i]), to_string(whole.faults[i + 1]));
}

}  // namespace
}  // namespace holdfast::sim::worlds_sim_test

// The leader that dies after it has ordered a promotion, and before it has told anybody (docs/guarantees.md). What this
// prints stands in docs/simulation.md.
#include "sim/world/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace holdfast::sim::leader_dies_sim_test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(HOLDFAST_COVERAGE)
constexpr std::uint64_t worlds = 8;
#else
constexpr std::uint64_t worlds = 16;
#endif

// One client that writes all the time; nothing goes wrong but what is looked at.
scenario plan_of(std::uint64_t seed, fault_kind loss, fault_kind of_leader, cutover how) {
   scenario p = draw_plan(seed, {});
   p.replicas = 2;
   p.sentinels = 3;
   p.sentinel.quorum = 2;
   p.redis = {};
   p.clients = 1;
   p.work = {};
   p.work.pause_low = 5ms;
   p.work.pause_high = 15ms;
   p.knows_all_seeds = true;
   p.max_resends = p.parked = p.in_flight = {};
   p.resends_per_second = {};
   p.attempt_timeout = p.deadline = {};
   p.cutover = how;
   p.warm_replicas = true;
   p.follow_role_hint = false;
   p.hold_on_selected = 250ms;
   p.reconnect_spread = {};
   const auto step = static_cast<std::uint32_t>(failover_state::wait_promotion);
   p.faults = {{loss, 1s, 100s, 0, true}, {of_leader, 10ms, 100s, step - 1, false}};
   p.length = 40s;
   return p;
}

struct seen {
   unsigned worlds = 0;     // in which a node was promoted, though the leader was gone
   unsigned followed = 0;   // the client went there before any Sentinel named it
   unsigned withdrawn = 0;  // and came back
   checkers::figures calls = {};
   std::vector<double> gaps = {};  // the longest time without a reply, of each world, ms
};

// What one world's trace tells.
struct story {
   void read(const std::string& line) {
      const auto has = [&](const char* words) { return line.find(words) != std::string::npos; };
      const double now = std::strtod(line.c_str(), nullptr);
      if (has("is struck: leader")) gone = now;
      // What comes later is the failover that the others begin.
      const bool at_once = gone != 0 && now < gone + 1000;
      if (at_once && has("is promoted")) promoted = true;
      followed = followed || (at_once && has("was selected, and says that it is the master now"));
      withdrawn = withdrawn || has("is not the master after all");
      if (!has(" ends: ") || has("outcome") || now > 40'000) return;  // healed: frozen Sentinels fall into TILT
      if (answered != 0) gap = std::max(gap, now - answered);
      answered = now;
   }

   double gone = 0;  // when, ms
   bool promoted = false;
   bool followed = false;
   bool withdrawn = false;
   double answered = 0;
   double gap = 0;
};

void look(const scenario& p, seen& s) {
   story told;
   const auto v = world(p, [&](const std::string& line) { told.read(line); }).run();
   for (const auto& broken : v.violations) ADD_FAILURE() << "seed " << p.seed << ": " << broken.what;
   if (!told.promoted) return;
   ++s.worlds;
   s.followed += told.followed ? 1 : 0;
   s.withdrawn += told.withdrawn ? 1 : 0;
   s.calls.acknowledged += v.calls.acknowledged;
   s.calls.unknown += v.calls.unknown;
   s.calls.not_executed += v.calls.not_executed;
   s.calls.lost += v.calls.lost;
   s.gaps.push_back(told.gap);
}

double median(std::vector<double> of) {
   std::sort(of.begin(), of.end());
   return of.empty() ? 0 : of[of.size() / 2];
}

seen look_at_all(fault_kind loss, fault_kind of_leader, cutover how) {
   seen s;
   for (std::uint64_t seed = 1; seed <= worlds; ++seed) look(plan_of(seed, loss, of_leader, how), s);
   EXPECT_GT(s.worlds, 0U);
   std::printf("| %s | %s | `%s` | %u | %u | %u | %llu of %llu | %llu | %.0f |\n",
               loss == fault_kind::planned ? "lives" : "is dead",
               of_leader == fault_kind::leader_kill ? "dies" : "freezes", how == cutover::eager ? "eager" : "confirmed",
               s.worlds, s.followed, s.withdrawn, static_cast<unsigned long long>(s.calls.lost),
               static_cast<unsigned long long>(s.calls.acknowledged),
               static_cast<unsigned long long>(s.calls.unknown + s.calls.not_executed), median(s.gaps));
   return s;
}

// ---- the old master lives: the others make the promoted node a replica again ---------------------------------------

TEST(LeaderOfAPlannedFailover, DiesAndWithItsSubscriptionItsCandidateGoes) {
   const seen eager = look_at_all(fault_kind::planned, fault_kind::leader_kill, cutover::eager);
   EXPECT_EQ(eager.followed, 0U);
   EXPECT_EQ(eager.calls.lost, 0U);
   const seen confirmed = look_at_all(fault_kind::planned, fault_kind::leader_kill, cutover::confirmed);
   EXPECT_EQ(confirmed.followed, 0U);
   EXPECT_EQ(confirmed.calls.lost, 0U);
}

TEST(LeaderOfAPlannedFailover, FreezesAndEagerLosesWhatItWroteUntilItGoesBack) {
   const seen eager = look_at_all(fault_kind::planned, fault_kind::leader_stop, cutover::eager);
   EXPECT_GT(eager.followed, 0U);
   EXPECT_EQ(eager.withdrawn, eager.followed) << "each goes back to the master that the Sentinels have kept";
   EXPECT_GT(eager.calls.lost, 0U);
   const seen confirmed = look_at_all(fault_kind::planned, fault_kind::leader_stop, cutover::confirmed);
   EXPECT_EQ(confirmed.followed, 0U);
   EXPECT_EQ(confirmed.calls.lost, 0U) << "the old master was never left";
}

// ---- the old master is dead: the others hold another election ------------------------------------------------------

TEST(LeaderOfAFailover, DiesAndAllWaitForTheNextElection) {
   const seen eager = look_at_all(fault_kind::kill, fault_kind::leader_kill, cutover::eager);
   EXPECT_EQ(eager.followed, 0U);
   const seen confirmed = look_at_all(fault_kind::kill, fault_kind::leader_kill, cutover::confirmed);
   EXPECT_EQ(confirmed.followed, 0U);
}

TEST(LeaderOfAFailover, FreezesAndEagerIsBackLongBeforeTheNextElection) {
   const seen eager = look_at_all(fault_kind::kill, fault_kind::leader_stop, cutover::eager);
   const seen confirmed = look_at_all(fault_kind::kill, fault_kind::leader_stop, cutover::confirmed);
   EXPECT_EQ(eager.followed, eager.worlds);
   EXPECT_EQ(confirmed.followed, 0U);
   EXPECT_LT(median(eager.gaps), median(confirmed.gaps) / 4);
   EXPECT_GT(eager.calls.lost, confirmed.calls.lost) << "where the others choose another replica";
}

}  // namespace
}  // namespace holdfast::sim::leader_dies_sim_test

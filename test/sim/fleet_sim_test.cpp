// Many clients that lose their master at the same moment.
#include "sim/world/seed_sweep.hpp"

#include <gtest/gtest.h>

namespace holdfast::sim::fleet_sim_test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(HOLDFAST_COVERAGE)
constexpr unsigned crowd = 50;
#else
constexpr unsigned crowd = 500;
#endif

void expect_all_back(const run_report& v, unsigned clients) {
   for (const violation& broken : v.violations) ADD_FAILURE() << broken.what;
   EXPECT_FALSE(v.stuck);
   EXPECT_EQ(v.failovers, 1U);
   ASSERT_TRUE(v.fleet.has_value());
   EXPECT_EQ(v.fleet->clients, clients);
   EXPECT_GT(v.fleet->outage, 1s);
   EXPECT_LT(v.fleet->last_back, 6s);
   // Each of them needs one connection to the new master. The Sentinels are asked over connections that are there.
   EXPECT_GE(v.fleet->master_peak, clients / 2);
   EXPECT_LE(v.fleet->master_peak, clients * 2);
   EXPECT_LE(v.fleet->sentinel_peak, clients / 2);
}

TEST(Fleet, ComesBackWholeAfterItsMasterDied) { expect_all_back(run_fleet(1, crowd, fault_kind::kill), crowd); }

TEST(Fleet, ComesBackWholeAfterItsMasterWasCutOff) {
   expect_all_back(run_fleet(2, crowd / 2, fault_kind::partition), crowd / 2);
}

}  // namespace
}  // namespace holdfast::sim::fleet_sim_test

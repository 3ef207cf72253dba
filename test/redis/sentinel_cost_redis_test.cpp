// What one client costs a Sentinel, in peace and while it has no master: docs/operating.md has the figures, this the
// bounds.
#include "lab/cutter.hpp"
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <iostream>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

// One Sentinel, so that nobody but the client talks to it; and the client through a relay that counts.
class CostOfAClient : public testing::Test {
 protected:
   struct toll {
      std::size_t commands = 0;
      std::size_t to_sentinel = 0;  // bytes
      std::size_t to_client = 0;
   };

   CostOfAClient() {
      settings_.sentinels = {between_.address()};
      settings_.master = deployment_.options().master_name;
      settings_.deadline = 20s;
   }

   toll so_far() {
      toll t;
      t.commands = std::stoul(sentinel_.info("stats", "total_commands_processed")) - asked_++;
      for (const auto& c : between_.connections()) {
         t.to_sentinel += c.to_server;
         t.to_client += c.to_client;
      }
      return t;
   }

   static void tell(const char* when, const toll& from, const toll& to, double seconds) {
      std::cout << when << ": " << to.commands - from.commands << " commands, " << to.to_sentinel - from.to_sentinel
                << " bytes to the Sentinel and " << to.to_client - from.to_client << " from it, in " << seconds
                << " s\n";
   }

   lab::deployment deployment_{{.replicas = 1, .sentinels = 1}};
   lab::cutter between_{deployment_.sentinel(0).own_address()};
   lab::control sentinel_ = deployment_.sentinel(0).connect();
   config settings_;
   std::size_t asked_ = 0;  // by ourselves
};

TEST_F(CostOfAClient, IsTwoConnectionsAndLessThanACommandASecondInPeaceAndABoundedNumberInAnOutage) {
   client redis(settings_);
   const toll none = so_far();
   ASSERT_TRUE(redis.ping());
   redis.watch(1s);
   const toll found = so_far();
   tell("to find the master", none, found, 1);
   EXPECT_GE(found.commands - none.commands, 3U);
   EXPECT_LE(found.commands - none.commands, 12U);

   redis.watch(20s);
   const toll idle = so_far();
   tell("in peace", found, idle, 20);
   EXPECT_EQ(between_.open(), 2U);
   EXPECT_EQ(between_.connections().size(), 2U) << "which stay";
   EXPECT_LE(idle.commands - found.commands, 20U);

   const auto dead_at = lab::clock::now();
   deployment_.node(0).kill();
   ASSERT_TRUE(redis.set("k", "v"));
   const double outage = lab::ms_between(dead_at, lab::clock::now()) / 1000;
   const toll after = so_far();
   tell("in a failover", idle, after, outage);
   EXPECT_LE(static_cast<double>(after.commands - idle.commands), 12 + 40 * outage);
}

}  // namespace
}  // namespace holdfast

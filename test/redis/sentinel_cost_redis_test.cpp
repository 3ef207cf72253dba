// What one client costs a Sentinel and a replica, in peace and while it has no master: docs/operating.md has the
// figures, this the bounds.
#include "lab/deployment.hpp"
#include "lab/fault_proxy.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <iostream>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

// One Sentinel, so that nobody but the client talks to it; and the client through a proxy that counts.
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
      settings_.client_name = "cost";
      settings_.observer = [this](const any_event& e) {
         if (std::holds_alternative<event::sentinel_up>(e)) first_asked_at_ = lab::clock::now();
         if (std::holds_alternative<event::connected>(e)) connected_at_ = lab::clock::now();
      };
   }

   // A command waits while the client connects to its master: the Sentinel is asked again, for the first time after 1
   // to 10 ms, then in growing intervals, with two commands each time.
   double most_to_find() const {
      const double waited = lab::ms_between(first_asked_at_, connected_at_) / 1000;
      return waited < 0.001 ? 13 : 13 + 2 * (3 + 20 * waited);
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

   // Only we say HELLO to a replica; Sentinels and masters do not.
   std::size_t questions_to_replica() {
      const std::string calls = replica_.info("commandstats", "cmdstat_hello");
      return calls.empty() ? 0 : std::stoul(calls.substr(calls.find('=') + 1));
   }
   std::size_t connections_to_replica() {
      const std::string list = replica_.run({"CLIENT", "LIST"}).text;
      std::size_t n = 0;
      for (std::size_t at = 0; (at = list.find("name=cost", at)) != std::string::npos; ++at) ++n;
      return n;
   }

   static void tell(const char* when, const toll& from, const toll& to, double seconds) {
      std::cout << when << ": " << to.commands - from.commands << " commands, " << to.to_sentinel - from.to_sentinel
                << " bytes to the Sentinel and " << to.to_client - from.to_client << " from it, in " << seconds
                << " s\n";
   }

   lab::deployment deployment_{{.replicas = 1, .sentinels = 1}};
   lab::fault_proxy between_{deployment_.sentinel(0).own_address()};
   lab::control sentinel_ = deployment_.sentinel(0).connect();
   lab::control replica_ = deployment_.node(1).connect();
   config settings_;
   std::size_t asked_ = 0;  // by ourselves
   lab::clock::time_point first_asked_at_ = {};
   lab::clock::time_point connected_at_ = {};
};

TEST_F(CostOfAClient, IsTwoConnectionsAndLessThanACommandASecondInPeaceAndABoundedNumberInAnOutage) {
   client redis(settings_);
   const toll none = so_far();
   ASSERT_TRUE(redis.ping());
   redis.wait_for_events(1s);
   const toll found = so_far();
   tell("to find the master", none, found, 1);
   EXPECT_GE(found.commands - none.commands, 3U);
   EXPECT_LE(static_cast<double>(found.commands - none.commands), most_to_find());
   EXPECT_EQ(connections_to_replica(), 1U);
   const std::size_t first_questions = questions_to_replica();
   EXPECT_EQ(first_questions, 1U);

   redis.wait_for_events(20s);
   const toll idle = so_far();
   tell("in peace", found, idle, 20);
   EXPECT_EQ(between_.open(), 2U);
   EXPECT_EQ(between_.connections().size(), 2U) << "which stay";
   EXPECT_LE(idle.commands - found.commands, 24U);
   EXPECT_EQ(connections_to_replica(), 1U);
   const std::size_t questions = questions_to_replica() - first_questions;
   std::cout << "to a replica, in peace: " << questions << " commands in 20 s\n";
   EXPECT_LE(questions, 5U);
   EXPECT_GE(questions, 2U);

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

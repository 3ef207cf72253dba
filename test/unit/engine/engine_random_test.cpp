// Random deployments: after every tick the engine asks for the next one later than now, everything ends, and nothing
// that was not executed has reached a server.
#include "unit/engine/deployment.hpp"

#include <holdfast/random.hpp>

#include <gtest/gtest.h>

namespace holdfast::impl::test::engine_random_test {
namespace {

config random_config(random_source& random) {
   config c = random() % 4 == 0 ? with_server() : with_sentinels();
   if (random() % 3 == 0) c.breaker = circuit_breaker_settings{};
   if (random() % 3 == 0) c.deadline = 700ms;
   if (random() % 4 == 0) c.reconnect_spread = 50ms;
   if (random() % 4 == 0) c.resend.max_resends = 1;
   if (random() % 4 == 0) c.limits.in_flight = 2;
   return c;
}

void disturb(deployment& d, random_source& random) {
   const endpoint all[] = {s1, s2, s3, node_a, node_b};
   const endpoint& one = all[random() % 5];
   switch (random() % 10) {
      case 0: return d.set(one, host::condition::working);
      case 1: return d.set(one, host::condition::refusing);
      case 2: return d.set(one, host::condition::vanished);
      case 3: return d.set(one, host::condition::stopped);
      case 4: return d.cut(one);
      case 5: return d.fail_over();
      case 6: return d.publish("+odown", "master mymaster 10.0.0.1 6379 #quorum 2/2");
      case 7: d.at(one).role = random() % 2 == 0 ? "slave" : "master"; return;
      case 8: d.at(one).refusal = random() % 2 == 0 ? "LOADING Redis is loading the dataset in memory" : ""; return;
      default: return d.publish("+switch-master", "mymaster 10.0.0.1 6379 10.0.0.2 6379");
   }
}

void heal(deployment& d) {
   for (const auto& e : {s1, s2, s3, node_a, node_b}) {
      d.set(e, host::condition::working);
      d.at(e).refusal = {};
   }
   d.at(d.settings.server.empty() ? d.at(s1).master : node_a).role = "master";
}

TEST(random_deployment, never_spins_and_ends_everything) {
   unsigned fine = 0, failed = 0;
   for (std::uint64_t seed = 1; seed <= 200 && !testing::Test::HasFailure(); ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      random_source random(seed);
      deployment d(random_config(random), seed);
      std::vector<call*> calls;
      for (int i = 0; i < 60; ++i) {
         const char* lines[] = {"INCR n", "SET k 1", "GET k", "PING", "BLPOP q 0.1"};
         if (random() % 2 == 0) calls.push_back(&d.submit(lines[random() % 5]));
         if (random() % 3 == 0) disturb(d, random);
         if (random() % 20 == 0 && !calls.empty()) d.cancel(*calls[random() % calls.size()]);
         const std::uint64_t at_most = random() % 8 == 0 ? 3000 : 60;
         d.run_for(std::chrono::milliseconds(random() % at_most));
      }
      heal(d);
      d.run_for(60s);
      for (const call* c : calls) {
         EXPECT_TRUE(c->done()) << c->commands[0];
         (c->ok() ? fine : failed) += 1;
      }
      EXPECT_TRUE(d.subject.lane().idle());
      auto& last = d.submit("SET k 2", 20s);
      EXPECT_TRUE(d.finish(last) && last.ok()) << last.error().what();
   }
   EXPECT_GT(fine, 1000U);
   EXPECT_GT(failed, 300U);
}

}  // namespace
}  // namespace holdfast::impl::test::engine_random_test

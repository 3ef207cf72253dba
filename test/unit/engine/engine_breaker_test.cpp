// The circuit breaker, which sees what commands came to in the end.
#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::engine_breaker_test {
namespace {

config with_breaker() {
   config c = with_sentinels();
   c.breaker = circuit_breaker_settings{.consecutive_failures = 3, .open_for = 1s};
   return c;
}

// Three commands that ran out of time.
void open_circuit(deployment& d) {
   for (int i = 0; i < 3; ++i) {
      auto& get = d.submit("GET n", 50ms);
      EXPECT_TRUE(d.finish(get));
      EXPECT_EQ(get.error().outcome, outcome::not_executed);
   }
}

std::vector<std::string> states(const deployment& d) {
   std::vector<std::string> all;
   for (const auto& e : d.told<event::breaker_changed>()) all.push_back(e.state);
   return all;
}

TEST(breaker, opens_when_commands_fail_and_then_refuses_at_once) {
   deployment d(with_breaker());
   d.set(node_a, host::condition::refusing);
   open_circuit(d);
   EXPECT_EQ(states(d), std::vector<std::string>{"open"});
   auto& refused = d.submit("GET n");
   EXPECT_TRUE(refused.failed_with(errc::circuit_open, outcome::not_executed));
   EXPECT_EQ(refused.op.attempts, 0U);
}

TEST(breaker, lets_a_probe_through_and_closes_when_that_succeeds) {
   deployment d(with_breaker());
   d.set(node_a, host::condition::refusing);
   open_circuit(d);
   d.set(node_a, host::condition::working);
   d.run_for(1s);
   auto& probe = d.submit("GET n");
   auto& second = d.submit("GET n");
   EXPECT_TRUE(second.failed_with(errc::circuit_open, outcome::not_executed)) << "one probe at a time";
   EXPECT_TRUE(d.finish(probe) && probe.ok());
   EXPECT_TRUE(d.succeeds("GET n"));
   EXPECT_EQ(states(d), (std::vector<std::string>{"open", "half-open", "closed"}));
}

TEST(breaker, is_not_closed_by_a_probe_that_reached_nobody) {
   for (const bool cancel : {true, false}) {
      deployment d(with_breaker());
      d.set(node_a, host::condition::refusing);
      open_circuit(d);
      d.run_for(1s);
      auto& probe = d.submit(cancel ? "GET n" : "SUBSCRIBE c");
      if (cancel) d.cancel(probe);
      EXPECT_TRUE(probe.done());
      EXPECT_EQ(states(d), (std::vector<std::string>{"open", "half-open"})) << "it says nothing about the servers";
      d.set(node_a, host::condition::working);
      EXPECT_TRUE(d.succeeds("GET n")) << "and its place is free again";
   }
}

TEST(breaker, is_not_opened_by_a_failover_that_is_ridden_out) {
   deployment d(with_breaker());
   EXPECT_TRUE(d.succeeds("SET k 0"));
   d.set(node_a, host::condition::refusing);
   std::vector<call*> calls;
   for (int i = 0; i < 30; ++i) {
      calls.push_back(&d.submit("SET k 1"));
      d.run_for(100ms);
   }
   d.fail_over();
   for (const call* c : calls) EXPECT_TRUE(d.finish(*c) && c->ok());
   EXPECT_TRUE(states(d).empty());
}

TEST(breaker, is_not_opened_by_errors_that_the_server_answers) {
   deployment d(with_breaker());
   d.at(node_a).refusal = "WRONGTYPE Operation against a key holding the wrong kind of value";
   for (int i = 0; i < 10; ++i) EXPECT_TRUE(d.finish(d.submit("INCR n")));
   EXPECT_TRUE(states(d).empty());
}

TEST(breaker, is_closed_against_a_new_master) {
   deployment d(with_breaker());
   EXPECT_TRUE(d.succeeds("SET k 0"));
   d.run_for(100ms);
   d.set(node_a, host::condition::refusing);
   d.run_for(10ms);
   open_circuit(d);
   d.fail_over();
   d.run_for(100ms);
   EXPECT_EQ(states(d), (std::vector<std::string>{"open", "closed"}));
   EXPECT_TRUE(d.succeeds("SET k 1"));
}

TEST(breaker, that_is_open_asks_the_sentinels) {
   deployment d(with_breaker());
   EXPECT_TRUE(d.succeeds("SET k 0"));
   d.run_for(100ms);
   d.set(node_a, host::condition::refusing);
   // A failover of which no event came.
   for (int i = 0; i < 2; ++i) EXPECT_TRUE(d.finish(d.submit("GET n", 20ms)));
   for (const auto& s : {s1, s2, s3}) {
      d.at(s).master = node_b;
      d.at(s).epoch = 6;
   }
   d.at(node_b).role = "master";
   EXPECT_TRUE(d.finish(d.submit("GET n", 1us)));
   d.run_for(100ms);
   ASSERT_TRUE(d.subject.watch()->target());
   EXPECT_EQ(d.subject.watch()->target()->where, node_b);
}

}  // namespace
}  // namespace holdfast::impl::test::engine_breaker_test

// What the engine counts, and what it tells of each command at its end, against histories that a script has.
#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace holdfast::impl::test::engine_stats_test {
namespace {

struct told_command {
   std::string name;
   std::size_t commands;
   std::optional<std::size_t> keys;
   duration took;
   unsigned attempts;
   endpoint where;
   std::optional<errc> code;
   std::optional<holdfast::outcome> outcome;
};

// A deployment whose command observer takes notes.
struct observed {
   explicit observed(config c = with_sentinels()) : d(listening(std::move(c))) {}

   config listening(config c) {
      c.command_observer = [this](const ended_command& e) {
         told.push_back({std::string(e.name), e.commands, e.keys, e.took(), e.attempts, e.where, {}, {}});
         if (e.failed == nullptr) return;
         told.back().outcome = e.failed->outcome;
         told.back().code = static_cast<errc>(e.failed->code().value());
      };
      return c;
   }

   std::vector<told_command> told;
   deployment d;
};

TEST(engine_stats, of_a_client_that_did_nothing_are_zero) {
   deployment d;
   const stats s = d.subject.stats();
   EXPECT_EQ(s.ended() + s.in_flight + s.queued + s.bytes_read + s.bytes_written + s.reconnects, 0U);
}

TEST(engine_stats, count_what_succeeded_and_how_long_it_took) {
   deployment d(with_server());
   ASSERT_TRUE(d.succeeds("INCR n"));
   const auto before = d.subject.stats();
   ASSERT_TRUE(d.succeeds("INCR n"));
   const auto s = d.subject.stats();
   EXPECT_EQ(s.succeeded, 2U);
   EXPECT_EQ(s.failed(), 0U);
   EXPECT_EQ(s.reconnects, 0U);
   EXPECT_EQ(s.bytes_written - before.bytes_written, std::string_view("*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n").size());
   EXPECT_EQ(s.bytes_read - before.bytes_read, std::string_view(":2\r\n").size());
   const auto latency = s.latency.since(before.latency);
   EXPECT_EQ(latency.counts[latency_histogram::bucket_of(2 * deployment::one_way)], 1U);
   EXPECT_NEAR(latency.sum.count(), 0.001, 0.000'001);
}

TEST(engine_stats, tell_what_waits_from_what_is_in_flight) {
   deployment d(with_server());
   d.set(node_a, host::condition::refusing);
   const auto& parked = d.submit("INCR n", 5s);
   d.run_for(100ms);
   EXPECT_EQ(d.subject.stats().queued, 1U);
   EXPECT_EQ(d.subject.stats().in_flight, 0U);
   d.set(node_a, host::condition::working);
   ASSERT_TRUE(d.finish(parked));
   const auto& sent = d.submit("INCR n", 5s);
   d.run_for(deployment::one_way);
   EXPECT_EQ(d.subject.stats().queued, 0U);
   EXPECT_EQ(d.subject.stats().in_flight, 1U);
   ASSERT_TRUE(d.finish(sent));
   EXPECT_EQ(d.subject.stats().in_flight, 0U);
}

TEST(engine_stats, tell_failures_by_what_is_known_of_them) {
   deployment d(with_server());
   ASSERT_TRUE(d.succeeds("INCR n"));
   d.at(node_a).refusal = "WRONGTYPE Operation against a key holding the wrong kind of value";
   auto& refused = d.submit("INCR n");
   ASSERT_TRUE(d.finish(refused));
   d.set(node_a, host::condition::stopped);
   auto& late = d.submit("INCR n", 50ms);
   ASSERT_TRUE(d.finish(late));
   ASSERT_TRUE(late.failed_with(errc::deadline_exceeded, outcome::unknown)) << late.error().what();
   auto& door = d.submit("SUBSCRIBE c");
   ASSERT_TRUE(d.finish(door));
   const stats s = d.subject.stats();
   EXPECT_EQ(s.succeeded, 1U);
   EXPECT_EQ(s.not_executed, 2U);
   EXPECT_EQ(s.unknown, 1U);
   EXPECT_EQ(s.executed_with_error, 0U);
   EXPECT_EQ(s.latency.count(), s.ended());
   EXPECT_EQ(s.in_flight + s.queued, 0U) << "the caller of the late one has left";
}

TEST(engine_stats, count_what_is_sent_again_and_the_connection_for_it) {
   deployment d(with_server());
   ASSERT_TRUE(d.succeeds("GET n"));
   d.set(node_a, host::condition::stopped);
   auto& get = d.submit("GET n", 10s);
   d.run_for(10ms);
   d.set(node_a, host::condition::working);
   d.cut(node_a);
   ASSERT_TRUE(d.finish(get));
   ASSERT_TRUE(get.ok()) << get.error().what();
   const stats s = d.subject.stats();
   EXPECT_EQ(s.resends, 1U);
   EXPECT_EQ(s.resends, d.told<event::resent>().size());
   EXPECT_EQ(s.reconnects, 1U);
   EXPECT_EQ(s.cutovers, 0U);
}

TEST(engine_stats, count_a_failover_as_one_cutover) {
   deployment d;
   ASSERT_TRUE(d.succeeds("INCR n"));
   d.fail_over();
   d.run_for(5s);
   ASSERT_TRUE(d.succeeds("INCR n"));
   EXPECT_EQ(d.subject.stats().cutovers, 1U);
   EXPECT_GE(d.subject.stats().reconnects, 1U);
   EXPECT_EQ(d.subject.stats().reconnects + 1, d.told<event::connected>().size());
}

TEST(engine_stats, count_what_the_breaker_refused) {
   config c = with_sentinels();
   c.breaker = circuit_breaker_settings{.consecutive_failures = 1, .open_for = 1h};
   deployment d(c);
   d.set(node_a, host::condition::refusing);
   ASSERT_TRUE(d.finish(d.submit("GET n", 50ms)));
   ASSERT_TRUE(d.submit("GET n").failed_with(errc::circuit_open, outcome::not_executed));
   d.run_for(1ms);
   EXPECT_EQ(d.subject.stats().not_executed, 2U);
   EXPECT_EQ(d.subject.stats().queued, 0U);
}

// ---- the command observer -----------------------------------------------------------------------------------------

TEST(command_observer, hears_of_each_command_at_its_end) {
   observed o(with_server());
   ASSERT_TRUE(o.d.succeeds("INCR n"));
   ASSERT_TRUE(o.d.succeeds("client GETNAME"));
   ASSERT_EQ(o.told.size(), 2U);
   EXPECT_EQ(o.told[0].name, "incr");
   EXPECT_EQ(o.told[0].keys, 1U);
   EXPECT_EQ(o.told[0].commands, 1U);
   EXPECT_EQ(o.told[0].attempts, 1U);
   EXPECT_EQ(o.told[0].where, node_a);
   EXPECT_EQ(o.told[0].code, std::nullopt);
   EXPECT_EQ(o.told[1].name, "client|getname");
   EXPECT_EQ(o.told[1].keys, 0U);
   EXPECT_EQ(o.told[1].took, 2 * deployment::one_way);
}

TEST(command_observer, hears_why_a_command_failed) {
   observed o(with_server());
   o.d.at(node_a).refusal = "WRONGTYPE Operation against a key holding the wrong kind of value";
   ASSERT_TRUE(o.d.finish(o.d.submit("INCR n")));
   o.d.set(node_a, host::condition::stopped);
   ASSERT_TRUE(o.d.finish(o.d.submit("INCR n", 50ms)));
   ASSERT_EQ(o.told.size(), 2U);
   EXPECT_EQ(o.told[0].code, errc::server_error);
   EXPECT_EQ(o.told[0].outcome, outcome::not_executed);
   EXPECT_EQ(o.told[0].where, node_a);
   EXPECT_EQ(o.told[1].code, errc::deadline_exceeded);
   EXPECT_EQ(o.told[1].outcome, outcome::unknown);
   EXPECT_EQ(o.told[1].took, 50ms);
}

TEST(command_observer, names_the_node_that_answered_though_it_was_left) {
   observed o;
   ASSERT_TRUE(o.d.succeeds("INCR n"));
   o.d.fail_over();
   o.d.run_for(5s);
   ASSERT_TRUE(o.d.succeeds("INCR n"));
   ASSERT_EQ(o.told.size(), 2U);
   EXPECT_EQ(o.told[0].where, node_a);
   EXPECT_EQ(o.told[1].where, node_b);
}

TEST(command_observer, that_throws_changes_nothing_but_a_count) {
   config c = with_server();
   c.command_observer = [](const ended_command&) { throw std::runtime_error("no"); };
   deployment d(c);
   EXPECT_TRUE(d.succeeds("INCR n"));
   EXPECT_TRUE(d.succeeds("INCR n"));
   EXPECT_EQ(d.subject.stats().succeeded, 2U);
   EXPECT_EQ(d.subject.stats().observer_exceptions, 2U);
}

}  // namespace
}  // namespace holdfast::impl::test::engine_stats_test

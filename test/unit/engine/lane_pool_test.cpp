// Lanes of one's own: for commands that block on the server, and for callers who asked for one.
#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace holdfast::impl::test::lane_pool_test {
namespace {

config with_lanes(std::size_t n, config c = with_sentinels()) {
   c.limits.lanes = n;
   return c;
}

// An engine of many callers.
struct pool : testing::Test {
   static constexpr std::size_t most = 3;

   call& block(std::optional<duration> deadline = 30s) { return d.submit("BLPOP q 0", deadline); }
   std::size_t blocked_at(const endpoint& where) {
      return static_cast<std::size_t>(std::count(d.at(where).arrived.begin(), d.at(where).arrived.end(), "BLPOP q 0"));
   }
   std::size_t connections_to(const endpoint& where) const { return d.connections(where); }

   deployment d{with_lanes(most), 1, callers::many};
};

// ---- commands that block --------------------------------------------------------------------------------------------

TEST_F(pool, blocking_command_holds_up_nobody) {
   call& pop = block();
   EXPECT_TRUE(d.succeeds("INCR n"));
   EXPECT_FALSE(pop.done());
   d.run_for(10ms);
   EXPECT_TRUE(d.push(node_a));
   EXPECT_TRUE(d.finish(pop));
   EXPECT_TRUE(pop.ok());
   EXPECT_EQ(connections_to(node_a), 2U);
}

TEST_F(pool, each_blocking_command_has_a_connection_of_its_own) {
   std::vector<call*> all;
   for (std::size_t i = 0; i < most; ++i) all.push_back(&block());
   d.run_for(10ms);
   EXPECT_EQ(blocked_at(node_a), most);
   EXPECT_EQ(connections_to(node_a), most);
   EXPECT_EQ(d.subject.lanes().parked(), 0U);
   for (std::size_t i = 0; i < most; ++i) ASSERT_TRUE(d.push(node_a));
   for (call* c : all) EXPECT_TRUE(d.finish(*c) && c->ok());
}

TEST_F(pool, commands_beyond_the_limit_get_the_lanes_in_order) {
   std::vector<call*> all;
   for (std::size_t i = 0; i < 10; ++i) all.push_back(&block());
   d.run_for(10ms);
   EXPECT_EQ(blocked_at(node_a), most);
   EXPECT_EQ(d.subject.lanes().parked(), 10 - most);
   for (std::size_t i = 0; i < 10; ++i) {
      ASSERT_TRUE(d.push(node_a)) << i;
      ASSERT_TRUE(d.finish(*all[i]) && all[i]->ok()) << i;
      d.run_for(10ms);
      const auto done = std::count_if(all.begin(), all.end(), [](const call* c) { return c->done(); });
      EXPECT_EQ(done, static_cast<long>(i) + 1) << "in the order in which they were given";
   }
   EXPECT_EQ(connections_to(node_a), most) << "no lane but the first ones";
   EXPECT_EQ(d.at(node_a).connects, most);
}

TEST_F(pool, command_that_waits_for_a_lane_ends_at_its_deadline) {
   for (std::size_t i = 0; i < most; ++i) block();
   call& late = block(200ms);
   const call& later = block();
   d.run_for(199ms);
   EXPECT_FALSE(late.done());
   d.run_for(2ms);
   ASSERT_TRUE(late.failed_with(errc::deadline_exceeded, outcome::not_executed));
   EXPECT_NE(late.error().what().find("config::limits.lanes"), std::string::npos) << late.error().what();
   EXPECT_FALSE(later.done());
   EXPECT_EQ(blocked_at(node_a), most);
}

TEST_F(pool, command_that_waits_for_a_lane_is_cancelled) {
   for (std::size_t i = 0; i < most; ++i) block();
   call& waits = block();
   call& behind = block();
   d.run_for(10ms);
   d.cancel(waits);
   EXPECT_TRUE(waits.failed_with(errc::cancelled, outcome::not_executed));
   ASSERT_TRUE(d.push(node_a));
   d.run_for(10ms);
   EXPECT_EQ(d.subject.lanes().parked(), 0U);
   EXPECT_FALSE(behind.done()) << "it has the lane";
   EXPECT_EQ(blocked_at(node_a), most + 1);
}

TEST_F(pool, cancel_all_ends_what_blocks_and_what_waits) {
   std::vector<call*> all;
   for (std::size_t i = 0; i < 10; ++i) all.push_back(&block());
   d.run_for(10ms);
   d.cancel_all();
   for (std::size_t i = 0; i < 10; ++i) {
      const outcome ran = i < most ? outcome::unknown : outcome::not_executed;
      EXPECT_TRUE(all[i]->failed_with(errc::cancelled, ran)) << i;
   }
   EXPECT_EQ(blocked_at(node_a), most) << "nothing took the place of what was cancelled";
   d.run_for(1ms);
   EXPECT_FALSE(d.push(node_a)) << "nobody waits there";
}

TEST_F(pool, abandoned_command_ends_its_connection_and_takes_nothing) {
   call& pop = block();
   call& short_pop = block(200ms);
   d.run_for(10ms);
   d.cancel(pop);
   EXPECT_TRUE(pop.failed_with(errc::cancelled, outcome::unknown));
   EXPECT_EQ(std::count(d.actions.begin(), d.actions.end(), io_request::kind::abort), 1);
   d.run_for(200ms);
   EXPECT_TRUE(short_pop.failed_with(errc::deadline_exceeded, outcome::unknown)) << "as of a blocking client";
   EXPECT_EQ(std::count(d.actions.begin(), d.actions.end(), io_request::kind::abort), 2);
   EXPECT_FALSE(d.push(node_a));
}

TEST_F(pool, abandoned_commands_lane_is_fenced_by_the_next_one) {
   call& pop = block();
   d.run_for(10ms);
   d.cancel(pop);
   const call& next = block();
   d.run_for(10ms);
   EXPECT_EQ(d.told<event::fenced>().size(), 1U);
   EXPECT_EQ(d.subject.lanes().lanes(), 1U);
   ASSERT_TRUE(d.push(node_a));
   EXPECT_TRUE(d.finish(next) && next.ok());
}

TEST_F(pool, what_a_lane_refuses_is_refused_though_none_is_free) {
   for (std::size_t i = 0; i < most; ++i) block();
   EXPECT_TRUE(block(-1ms).failed_with(errc::deadline_exceeded, outcome::not_executed));
   call& c = d.submit("BLPOP q 0", 30s);
   EXPECT_FALSE(c.done());
   EXPECT_EQ(d.subject.lanes().parked(), 1U);
}

TEST(lane_pool, commands_that_wait_for_a_lane_are_bounded) {
   config c = with_lanes(1);
   c.limits.parked_commands = 5;
   deployment d(c, 1, callers::many);
   for (std::size_t i = 0; i < 6; ++i) EXPECT_FALSE(d.submit("BLPOP q 0", 30s).done());
   EXPECT_TRUE(d.submit("BLPOP q 0", 30s).failed_with(errc::queue_full, outcome::not_executed));
   EXPECT_TRUE(d.succeeds("INCR n")) << "others are not concerned";
}

TEST(lane_pool, bytes_that_wait_for_a_lane_are_bounded) {
   config c = with_lanes(1);
   c.limits.parked_bytes = 100;
   deployment d(c, 1, callers::many);
   for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(d.submit("BLPOP q 0", 30s).done());
   EXPECT_TRUE(d.submit("BLPOP " + std::string(40, 'q') + " 0").failed_with(errc::queue_full, outcome::not_executed));
   EXPECT_TRUE(
      d.submit("BLPOP " + std::string(100, 'q') + " 0").failed_with(errc::limit_exceeded, outcome::not_executed));
}

TEST(lane_pool, default_deadline_of_what_waits_follows_the_deployment) {
   config c = with_lanes(1);
   deployment d(c, 1, callers::many);
   for (const auto& s : {s1, s2, s3}) d.at(s).down_after = "20000";
   const call& first = d.submit("BLPOP q 5");
   const call& second = d.submit("BLPOP q 5");
   d.run_for(50ms);
   EXPECT_EQ(first.op.deadline - first.op.submitted, 33s);
   EXPECT_EQ(second.op.deadline - second.op.submitted, 33s);
}

TEST(lane_pool, blocking_client_has_one_connection) {
   deployment d(with_lanes(3));
   const call& pop = d.submit("BLPOP q 0", 30s);
   const call& incr = d.submit("INCR n");
   d.run_for(10ms);
   EXPECT_EQ(d.connections(node_a), 1U);
   EXPECT_EQ(d.subject.lanes().lanes(), 0U);
   EXPECT_TRUE(d.push(node_a));
   EXPECT_TRUE(d.finish(pop) && d.finish(incr));
}

// ---- a lane comes and goes ------------------------------------------------------------------------------------------

TEST_F(pool, idle_lane_is_closed_after_a_minute) {
   call& pop = block();
   d.run_for(10ms);
   ASSERT_TRUE(d.push(node_a));
   ASSERT_TRUE(d.finish(pop));
   d.run_for(59s);
   EXPECT_EQ(d.subject.lanes().lanes(), 1U);
   EXPECT_EQ(connections_to(node_a), 1U);
   d.run_for(2s);
   EXPECT_EQ(d.subject.lanes().lanes(), 0U);
   EXPECT_EQ(connections_to(node_a), 0U);
}

TEST_F(pool, idle_lane_is_used_again) {
   for (int i = 0; i < 5; ++i) {
      call& pop = block();
      d.run_for(10ms);
      ASSERT_TRUE(d.push(node_a));
      ASSERT_TRUE(d.finish(pop));
      d.run_for(3s);
   }
   EXPECT_EQ(d.at(node_a).connects, 1U);
}

TEST_F(pool, idle_lane_does_not_follow_a_failover) {
   call& pop = block();
   d.run_for(10ms);
   ASSERT_TRUE(d.push(node_a));
   ASSERT_TRUE(d.finish(pop));
   d.fail_over();
   d.run_for(5s);
   EXPECT_EQ(d.at(node_b).connects, 0U);
   EXPECT_EQ(connections_to(node_a), 0U) << "and leaves the old master";
   EXPECT_EQ(d.subject.lanes().lanes(), 0U);
}

TEST_F(pool, all_lanes_follow_a_failover) {
   std::vector<call*> all;
   for (std::size_t i = 0; i < 5; ++i) all.push_back(&d.submit("XREAD BLOCK 0 STREAMS s 1-0", 30s));
   for (std::size_t i = 0; i < most; ++i) all.push_back(&block());
   d.run_for(10ms);
   d.at(node_a).is = host::condition::stopped;
   d.fail_over();
   d.run_for(3s);
   EXPECT_EQ(connections_to(node_a), 0U);
   EXPECT_EQ(connections_to(node_b), most);
   for (call* c : all) {
      const bool is_told = !c->done() || c->ok() || c->error().outcome == outcome::unknown;
      EXPECT_TRUE(is_told) << c->error().what();
   }
   EXPECT_EQ(d.subject.lanes().lanes(), most);
}

TEST_F(pool, lanes_share_the_questions_of_one_client) {
   for (std::size_t i = 0; i < most; ++i) block();
   d.run_for(100ms);
   const unsigned before = d.at(s1).asked;
   d.cut(node_a);
   d.run_for(100ms);
   EXPECT_LE(d.at(s1).asked - before, 4U) << "not one for each lane";
}

// ---- lanes of one's own ---------------------------------------------------------------------------------------------

TEST_F(pool, acquired_lane_touches_no_network) {
   const lane_number n = d.subject.acquire();
   EXPECT_FALSE(d.subject.has_io());
   EXPECT_NE(n, d.subject.acquire());
   EXPECT_EQ(d.subject.lanes().lanes(), 2U);
}

TEST_F(pool, acquired_lane_has_a_connection_of_its_own) {
   const lane_number n = d.subject.acquire();
   const call& select = d.submit({"SELECT 3"}, n);
   EXPECT_TRUE(d.finish(select) && select.ok()) << "it is nobody else's";
   const call& pop = d.submit({"BLPOP q 0"}, n, 30s);
   EXPECT_TRUE(d.succeeds("INCR n"));
   EXPECT_FALSE(pop.done());
   EXPECT_EQ(d.subject.lanes().lanes(), 1U) << "what blocks there stays there";
   EXPECT_TRUE(d.push(node_a));
   EXPECT_TRUE(d.finish(pop));
}

TEST_F(pool, acquired_lanes_are_not_counted) {
   for (std::size_t i = 0; i < 2 * most; ++i) d.subject.acquire();
   for (std::size_t i = 0; i < most; ++i) block();
   d.run_for(10ms);
   EXPECT_EQ(blocked_at(node_a), most);
}

TEST_F(pool, lane_given_back_clean_is_used_again) {
   const lane_number n = d.subject.acquire();
   ASSERT_TRUE(d.finish(d.submit({"INCR n"}, n)));
   d.subject.give_back(n, d.now);
   block();
   d.run_for(10ms);
   EXPECT_EQ(d.at(node_a).connects, 1U);
}

TEST_F(pool, lane_given_back_in_another_database_is_closed) {
   const lane_number n = d.subject.acquire();
   ASSERT_TRUE(d.finish(d.submit({"SELECT 3"}, n)));
   d.subject.give_back(n, d.now);
   d.run_for(1ms);
   EXPECT_EQ(connections_to(node_a), 0U);
   EXPECT_EQ(d.subject.lanes().lanes(), 0U);
}

TEST_F(pool, lane_given_back_with_something_in_flight_is_closed) {
   const lane_number n = d.subject.acquire();
   ASSERT_TRUE(d.finish(d.submit({"INCR n"}, n)));
   const call& pop = d.submit({"BLPOP q 0"}, n, 30s);
   d.run_for(10ms);
   d.subject.give_back(n, d.now);
   d.run_for(1ms);
   EXPECT_TRUE(pop.failed_with(errc::cancelled, outcome::unknown));
   EXPECT_EQ(connections_to(node_a), 0U);
   EXPECT_EQ(std::count(d.actions.begin(), d.actions.end(), io_request::kind::abort), 1);
   EXPECT_FALSE(d.push(node_a));
}

TEST_F(pool, lane_given_back_while_its_command_is_unanswered_is_closed) {
   const lane_number n = d.subject.acquire();
   ASSERT_TRUE(d.finish(d.submit({"INCR n"}, n)));
   d.at(node_a).is = host::condition::stopped;
   const call& incr = d.submit({"INCR n"}, n, 100ms);
   d.run_for(200ms);
   ASSERT_TRUE(incr.failed_with(errc::deadline_exceeded, outcome::unknown));
   d.subject.give_back(n, d.now);
   d.run_for(1ms);
   EXPECT_EQ(connections_to(node_a), 0U);
}

TEST_F(pool, lane_given_back_while_it_connects_leaves_nothing_behind) {
   const lane_number n = d.subject.acquire();
   const call& incr = d.submit({"INCR n"}, n);
   d.subject.give_back(n, d.now);
   d.run_for(2s);
   EXPECT_TRUE(incr.failed_with(errc::cancelled, outcome::not_executed));
   EXPECT_EQ(d.subject.lanes().lanes(), 0U);
   EXPECT_EQ(connections_to(node_a), 0U);
   d.run_for(60s);
   EXPECT_FALSE(d.subject.needed());
}

TEST_F(pool, watched_key_that_changes_keeps_exec_from_running) {
   const lane_number n = d.subject.acquire();
   ASSERT_TRUE(d.finish(d.submit({"WATCH k"}, n)));
   d.at(node_a).watched_key_changes = true;
   const call& unit = d.submit({"MULTI", "INCR n", "EXEC"}, n);
   ASSERT_TRUE(d.finish(unit) && unit.ok());
   EXPECT_TRUE(unit.results.back()->is_nil());
   const call& shared = d.submit("WATCH k");
   EXPECT_TRUE(shared.failed_with(errc::not_supported, outcome::not_executed));
}

TEST_F(pool, transaction_after_a_failover_is_told_that_nothing_is_watched) {
   const lane_number n = d.subject.acquire();
   ASSERT_TRUE(d.finish(d.submit({"WATCH k"}, n)));
   d.fail_over();
   d.run_for(1s);
   const call& get = d.submit({"GET n"}, n);
   EXPECT_TRUE(d.finish(get) && get.ok());
   EXPECT_TRUE(d.submit({"MULTI", "INCR n", "EXEC"}, n).failed_with(errc::connection_lost, outcome::not_executed));
   const call& again = d.submit({"MULTI", "INCR n", "EXEC"}, n);
   EXPECT_TRUE(d.finish(again) && again.ok());
}

TEST_F(pool, lane_given_back_watched_is_unwatched_before_its_next_use) {
   const lane_number n = d.subject.acquire();
   ASSERT_TRUE(d.finish(d.submit({"WATCH k"}, n)));
   d.subject.give_back(n, d.now);
   d.run_for(1s);
   EXPECT_EQ(d.at(node_a).arrived.back(), "WATCH k");
   block();
   d.run_for(10ms);
   ASSERT_GE(d.at(node_a).arrived.size(), 2U);
   EXPECT_EQ(d.at(node_a).arrived.end()[-2], "UNWATCH");
   EXPECT_EQ(d.at(node_a).arrived.back(), "BLPOP q 0");
   EXPECT_EQ(d.at(node_a).connects, 1U);
}

// ---- step sweep -----------------------------------------------------------------------------------------------------

// Whatever a connection suffers at any step, each command ends once, and the lanes are as good as before.
TEST(lane_pool, survives_a_cut_at_each_step) {
   for (duration at = 0us; at < 12ms; at += 250us) {
      SCOPED_TRACE(at.count());
      deployment d(with_lanes(2), 1, callers::many);
      std::vector<call*> all;
      for (std::size_t i = 0; i < 5; ++i) all.push_back(&d.submit("BLPOP q 0", 4s));
      const lane_number n = d.subject.acquire();
      all.push_back(&d.submit({"GET n"}, n, 4s));
      d.run_for(at);
      d.cut(node_a);
      for (int i = 0; i < 400; ++i) {
         d.run_for(10ms);
         d.push(node_a);
      }
      d.run_for(1s);
      for (const call* c : all) {
         ASSERT_TRUE(c->done());
         EXPECT_TRUE(c->ok() || c->error().outcome == outcome::unknown) << c->error().what();
      }
      d.subject.give_back(n, d.now);
      EXPECT_EQ(d.subject.lanes().parked(), 0U);
      call& last = d.submit("BLPOP q 0", 4s);
      d.run_for(100ms);
      EXPECT_TRUE(d.push(node_a));
      EXPECT_TRUE(d.finish(last) && last.ok());
      d.run_for(70s);
      EXPECT_EQ(d.connections(node_a), 0U);
   }
}

}  // namespace
}  // namespace holdfast::impl::test::lane_pool_test

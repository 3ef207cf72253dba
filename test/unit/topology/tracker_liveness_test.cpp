// Sentinels that fall silent, and a caller who is away.
#include "unit/topology/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::tracker_liveness_test {
namespace {

using namespace test;

using liveness = settled;

TEST_F(liveness, silent_connection_is_checked_by_a_ping_after_five_seconds) {
   w.run_for(5s);
   EXPECT_GE(w.count(s1, "PING"), 1u);
   w.run_for(60s);
   EXPECT_LE(w.count(s1, "PING"), 2u * 13) << "no more than one in five seconds on each of two connections";
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
   EXPECT_EQ(w.told<event::sentinel_up>().size(), 3u);
}

TEST_F(liveness, half_open_sentinel_is_found_and_comes_back) {
   w.set(s2, condition::stopped);
   w.run_for(5s + 400ms);
   const auto down = w.told<event::sentinel_down>();
   ASSERT_EQ(down.size(), 1u);
   EXPECT_EQ(down[0].sentinel, s2);
   EXPECT_EQ(down[0].why, "no answer within 300 ms, where sentinel_timeout is 300 ms");
   EXPECT_EQ(w.subscriptions(s2), 0u) << "the subscription is half-open, too";
   EXPECT_TRUE(w.targets(old_master));
   w.run_for(120s);
   EXPECT_EQ(w.told<event::sentinel_down>().size(), 1u);
   w.set(s2, condition::working);
   w.run_for(11s);
   EXPECT_EQ(w.told<event::sentinel_up>().size(), 4u);
   EXPECT_EQ(w.subscriptions(s2), 1u);
}

TEST_F(liveness, dead_sentinel_is_dialled_with_backoff_for_ever) {
   w.set(s2, condition::refusing);
   w.run_for(60s);
   const auto before = w.ticks;
   w.run_for(600s);
   // Each dial and each poll is a tick; ten seconds on average are five (full jitter).
   EXPECT_LE(w.ticks - before, 1200u);
   EXPECT_GE(w.ticks - before, 100u);
   w.at(s2).is = condition::working;
   w.run_for(11s);
   EXPECT_EQ(w.subscriptions(s2), 1u);
}

TEST_F(liveness, outage_of_all_sentinels_leaves_no_target_and_ends_with_it) {
   w.set_all(condition::refusing);
   w.run_for(2s);
   EXPECT_FALSE(w.watched.target());
   EXPECT_EQ(w.told<event::master_lost>().size(), 1u);
   w.at(s3).is = condition::working;
   w.watched.need(true, w.now);
   const auto r = w.watched.ask(w.now);
   ASSERT_TRUE(w.finds_any());
   EXPECT_EQ(*w.watched.target(), (master_node{old_master, 5, 1})) << "the same generation as before";
   EXPECT_TRUE(w.run_till([&] { return w.watched.answered(r); }));
}

TEST_F(liveness, round_ends_when_a_majority_confirms_or_at_the_timeout) {
   for (const auto& [silent, within] : {std::pair(s3, 2ms), std::pair(s2, 302ms)}) {
      w.set(silent, condition::stopped);
      const auto before = w.now;
      const auto r = w.watched.ask(w.now);
      ASSERT_TRUE(w.run_till([&] { return w.watched.answered(r); }));
      EXPECT_LE(w.now - before, within);
      EXPECT_TRUE(w.targets(old_master)) << "one reachable Sentinel suffices";
   }
}

TEST_F(liveness, new_ask_while_a_slow_round_runs_is_answered_by_new_answers) {
   w.set(s2, condition::stopped);
   w.set(s3, condition::stopped);
   std::vector<sentinel_tracker::round> asked;
   for (int i = 0; i != 100; ++i) {
      asked.push_back(w.watched.ask(w.now));
      w.run_for(100us);
   }
   EXPECT_LE(w.count(s1, "SENTINEL MASTER"), 30u) << "at most two questions are under way";
   ASSERT_TRUE(w.run_till([&] { return w.watched.answered(asked.back()); }));
   for (const auto r : asked) EXPECT_TRUE(w.watched.answered(r));
}

// ---- away ---------------------------------------------------------------------------------------------------------

using return_of_a_caller = settled;

TEST_F(return_of_a_caller, answer_that_came_while_the_caller_was_away_is_seen) {
   const auto r = w.watched.ask(w.now);
   w.away_for(60s);
   w.run_for(2ms);
   EXPECT_TRUE(w.watched.answered(r));
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
   for (const auto& s : {s1, s2, s3}) EXPECT_EQ(w.subscriptions(s), 1u);
}

TEST_F(return_of_a_caller, tick_before_the_answer_is_read_declares_nobody_dead) {
   w.watched.ask(w.now);
   w.away_for(60s);
   w.watched.tick(w.now);
   w.run_for(1s);
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
}

TEST(tracker_away, connect_that_nobody_carried_out_is_not_a_timeout) {
   deployment w;
   w.watched.tick(w.now);
   w.now += 60s;  // not even the pending was taken
   w.watched.tick(w.now);
   w.run_for(10ms);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
}

TEST_F(return_of_a_caller, sentinel_that_died_meanwhile_is_found_within_one_timeout) {
   w.watched.ask(w.now);
   w.set(s2, condition::stopped);
   w.away_for(60s);
   w.run_for(302ms);
   ASSERT_EQ(w.told<event::sentinel_down>().size(), 1u);
   EXPECT_EQ(w.told<event::sentinel_down>()[0].sentinel, s2);
}

TEST_F(return_of_a_caller, one_who_always_looks_in_late_still_learns_of_a_dead_sentinel) {
   w.set(s2, condition::stopped);
   for (int i = 0; i != 20; ++i) {
      w.away_for(700ms);  // always after the deadline
      w.run_for(1ms);
   }
   EXPECT_EQ(w.told<event::sentinel_down>().size(), 1u);
}

TEST_F(return_of_a_caller, switch_meanwhile_raises_doubt_on_return_before_anything_else) {
   w.run_for(1s);
   w.name_by_all(new_master, 6);
   w.publish(s2, "+switch-master", switched(old_master, new_master));
   w.away_for(300s);
   w.run_for(0s);  // what arrived is delivered
   EXPECT_TRUE(w.watched.in_doubt());
   w.run_for(2ms);
   EXPECT_FALSE(w.watched.in_doubt());
   EXPECT_TRUE(w.targets(new_master));
}

TEST_F(return_of_a_caller, what_a_subscription_missed_is_asked_for_when_it_is_back) {
   w.cut(s1);
   w.cut(s2);
   w.cut(s3);
   w.name_by_all(new_master, 6);
   w.run_for(300ms);
   EXPECT_TRUE(w.targets(new_master));
}

}  // namespace
}  // namespace holdfast::impl::tracker_liveness_test

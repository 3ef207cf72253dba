// Failovers as they are seen from outside, replayed: the times are those that were measured on Redis 7.0.15 with three
// Sentinels and down-after 1 s. Here s1 is the leader.
#include "unit/topology/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::tracker_failover_test {
namespace {

using namespace test;

class failover : public ::testing::Test {
 protected:
   void SetUp() override { w.start(); }
   // Milliseconds from the fault.
   void until(int ms) { w.run_until(fault_ + std::chrono::milliseconds(ms)); }
   void begin() {
      w.run_for(3s);
      fault_ = w.now;
   }
   void all_say(std::string_view channel, const std::string& payload) {
      for (const auto& s : {s1, s2, s3}) w.publish(s, channel, payload);
   }
   // The leader saw the promotion: new epoch, new address, but its MASTER still shows the old one, with its flags.
   void leader_promotes(bool announced = true) {
      w.name(s1, new_master, 6);
      w.at(s1).shown = old_master;
      w.at(s1).flags = "s_down,o_down,master,failover_in_progress";
      if (announced) w.publish(s1, "+promoted-slave", about_replica(new_master, old_master));
   }
   void observer_follows(const endpoint& s, bool announced = true) {
      w.name(s, new_master, 6);
      if (!announced) return;
      w.publish(s, "+config-update-from", "sentinel id 10.0.1.1 26379 @ mymaster 10.0.0.1 6379");
      w.publish(s, "+switch-master", switched(old_master, new_master));
   }
   void leader_ends(bool announced = true) {
      w.name(s1, new_master, 6);
      if (announced) w.publish(s1, "+switch-master", switched(old_master, new_master));
   }

   deployment w;
   time_point fault_ = {};
};

TEST_F(failover, after_a_kill_target_moves_when_the_leader_names_it) {
   begin();
   w.watched.need(true, w.now);
   until(1033);
   EXPECT_FALSE(w.watched.failover_in_progress());
   all_say("+sdown", about_master(old_master));
   for (const auto& s : {s1, s2, s3}) w.at(s).flags = "s_down,master";
   until(1114);
   for (const auto& s : {s1, s2, s3}) w.at(s).flags = "s_down,o_down,master";
   all_say("+odown", about_master(old_master) + " #quorum 3/2");
   w.publish(s1, "+try-failover", about_master(old_master));
   w.at(s1).flags += ",failover_in_progress";
   until(1116);
   EXPECT_TRUE(w.watched.objectively_down());
   EXPECT_TRUE(w.watched.failover_in_progress());
   EXPECT_FALSE(w.watched.in_doubt()) << "nothing has been switched yet";
   until(1262);
   w.publish(s1, "+selected-slave", about_replica(new_master, old_master));
   until(2163);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_TRUE(w.watched.objectively_down());
   leader_promotes();
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_LE(w.now - fault_, 2163ms + 3ms);
   EXPECT_EQ(w.watched.target()->epoch, 6u);
   EXPECT_EQ(w.watched.target()->generation, 2u);

   until(2200);
   EXPECT_FALSE(w.watched.in_doubt());
   EXPECT_FALSE(w.watched.objectively_down()) << "the leader's flags are of the old master";
   EXPECT_FALSE(w.watched.failover_in_progress()) << "for us it is over";
   w.watched.role_verified(new_master, 6, w.now);
   w.watched.need(false, w.now);
   until(2219);
   observer_follows(s2);
   observer_follows(s3);
   until(3270);
   leader_ends();
   w.run_until(w.now + 600us);
   EXPECT_FALSE(w.watched.in_doubt()) << "the leader is late; it names our target";
   until(9000);
   EXPECT_EQ(*w.watched.target(), (master_node{new_master, 6, 2}));
   EXPECT_EQ(w.told<event::master_named>().size(), 2u);
   EXPECT_TRUE(w.told<event::master_lost>().empty());
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
}

struct failover_without_events : failover, testing::WithParamInterface<bool> {};
TEST_P(failover_without_events, is_found_by_polls) {
   const bool somebody_waits = GetParam();
   begin();
   w.watched.need(somebody_waits, w.now);
   until(2163);
   leader_promotes(false);
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_LE(w.now - fault_, 2163ms + (somebody_waits ? 252ms : 10s));
}
INSTANTIATE_TEST_SUITE_P(somebody_waits, failover_without_events, testing::Bool());

TEST_F(failover, one_that_only_a_poll_has_noticed_is_polled_for_each_second) {
   begin();
   for (const auto& s : {s1, s2, s3}) w.at(s).flags = "s_down,o_down,master";
   w.watched.ask(w.now);
   until(1000);
   EXPECT_TRUE(w.watched.failover_in_progress());
   leader_promotes(false);
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_LE(w.now - fault_, 2005ms);
}

TEST_F(failover, planned_one_is_followed_though_the_old_master_still_works) {
   begin();
   w.publish(s1, "+try-failover", about_master(old_master));
   until(130);
   w.publish(s1, "+selected-slave", about_replica(new_master, old_master));
   until(1050);
   leader_promotes();
   w.run_until(w.now + 600us);
   EXPECT_TRUE(w.watched.in_doubt()) << "new commands are held for the millisecond that asking takes";
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_LE(w.now - fault_, 1050ms + 3ms);
   w.run_for(1ms);
   EXPECT_FALSE(w.watched.in_doubt());
}

TEST_F(failover, observer_that_hears_of_it_first_is_enough) {
   begin();
   w.set(s1, condition::refusing);
   until(2219);
   observer_follows(s2);
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_LE(w.now - fault_, 2219ms + 3ms);
}

TEST_F(failover, sentinel_that_slept_through_it_is_not_believed) {
   begin();
   w.set(s3, condition::stopped);
   until(2163);
   leader_promotes();
   until(2219);
   observer_follows(s2);
   until(3270);
   leader_ends();
   until(9000);
   w.set(s3, condition::working);  // 8 ms later the others correct it
   until(9005);
   w.watched.ask(w.now);
   until(9008);
   observer_follows(s3);
   until(12000);
   EXPECT_EQ(*w.watched.target(), (master_node{new_master, 6, 2}));
   EXPECT_LE(w.told<event::stale_answer>().size(), 2u);
   EXPECT_EQ(w.told<event::master_named>().size(), 2u);
}

TEST_F(failover, partitioned_sentinel_alone_cant_lead_back) {
   begin();
   leader_promotes();
   observer_follows(s2);
   until(100);
   ASSERT_TRUE(w.targets(new_master));
   w.set(s1, condition::refusing);
   w.set(s2, condition::refusing);
   until(120000);  // s3 is stale for ever: one of three
   const auto r = w.watched.ask(w.now);
   ASSERT_TRUE(w.run_till([&] { return w.watched.answered(r); }));
   EXPECT_TRUE(w.targets(new_master));
   EXPECT_TRUE(w.told<event::new_lineage>().empty());
   EXPECT_EQ(w.told<event::stale_answer>().size(), 1u) << "told once, not at each poll";
}

TEST_F(failover, two_in_a_row_are_followed_in_order) {
   begin();
   leader_promotes();
   observer_follows(s2);
   observer_follows(s3);
   until(100);
   leader_ends();
   until(5000);
   const endpoint third{"10.0.0.3", 6379};
   w.name(s2, third, 7);
   w.publish(s2, "+promoted-slave", about_replica(third, new_master));
   ASSERT_TRUE(w.finds(third));
   until(6000);
   EXPECT_EQ(*w.watched.target(), (master_node{third, 7, 3}));
}

TEST_F(failover, aborted_one_is_no_longer_in_progress) {
   begin();
   w.publish(s1, "+try-failover", about_master(old_master));
   w.at(s1).flags = "s_down,o_down,master,failover_in_progress";
   until(2);
   EXPECT_TRUE(w.watched.failover_in_progress());
   w.at(s1).flags = "master";
   w.publish(s1, "-failover-abort-no-good-slave", about_master(old_master));
   until(20);
   EXPECT_FALSE(w.watched.failover_in_progress());
}

// ---- the address changes under the same epoch ---------------------------------------------------------------------

TEST_F(failover, old_epoch_with_the_new_address_is_asked_again_not_believed) {
   begin();
   // The change falls between the two halves of one question.
   w.name(s1, new_master, 6);
   bool once = true;
   w.at(s1).tamper = [&](std::string& reply, unsigned) {
      const auto at = reply.find("config-epoch\r\n$1\r\n6");
      if (at == std::string::npos || !once) return;
      reply[at + 18] = '5';
      once = false;
   };
   w.watched.ask(w.now);
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_FALSE(once);
   EXPECT_EQ(w.watched.target()->epoch, 6u);
   EXPECT_LE(w.now - fault_, 15ms);
}

TEST_F(failover, master_set_by_hand_is_believed_once_a_majority_says_so_twice) {
   begin();
   w.name(s1, new_master, 5);
   w.watched.ask(w.now);
   w.run_for(1s);
   EXPECT_TRUE(w.targets(old_master)) << "one of three";
   const auto asked = w.count(s1, "SENTINEL MASTER");
   w.run_for(60s);
   EXPECT_LE(w.count(s1, "SENTINEL MASTER") - asked, 10u) << "a standing disagreement is not asked about for ever";
   w.name(s2, new_master, 5);
   w.watched.ask(w.now);
   const auto before = w.now;
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_LE(w.now - before, 15ms);
   EXPECT_EQ(w.watched.target()->generation, 2u);
}

// ---- doubt --------------------------------------------------------------------------------------------------------

TEST_F(failover, doubt_lasts_until_its_sentinel_has_answered) {
   begin();
   w.publish(s1, "+switch-master", switched(old_master, new_master));
   w.run_until(w.now + 600us);
   ASSERT_TRUE(w.watched.in_doubt());
   w.set(s1, condition::stopped);  // it thinks, while the two others confirm the old master
   until(50);
   EXPECT_TRUE(w.watched.in_doubt()) << "two others are a majority, but not those who know";
   w.name(s1, new_master, 6);
   w.set(s1, condition::working);
   until(53);
   EXPECT_FALSE(w.watched.in_doubt());
   EXPECT_TRUE(w.targets(new_master));
}

TEST_F(failover, doubt_ends_as_soon_as_the_target_has_moved) {
   begin();
   leader_promotes();
   w.run_until(w.now + 200us);
   w.watched.ask(w.now);  // for a reason of its own; it is answered before what the event asks
   w.run_until(fault_ + 600us);
   ASSERT_TRUE(w.watched.in_doubt());
   w.run_until(fault_ + 1250us);
   EXPECT_TRUE(w.targets(new_master));
   EXPECT_FALSE(w.watched.in_doubt());
}

TEST_F(failover, doubt_is_bounded_by_the_sentinels_timeout) {
   begin();
   w.publish(s1, "+switch-master", switched(old_master, new_master));
   w.run_until(w.now + 600us);
   w.set(s1, condition::stopped);
   until(299);
   EXPECT_TRUE(w.watched.in_doubt());
   until(302);
   EXPECT_FALSE(w.watched.in_doubt());
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(failover, sentinel_that_cries_wolf_holds_commands_for_little_time) {
   begin();
   duration held{};
   for (int i = 0; i != 1000; ++i) {
      w.publish(s1, "+switch-master", switched(old_master, new_master));
      const auto before = w.now;
      w.run_for(1ms);
      if (w.watched.in_doubt()) held += w.now - before;
   }
   EXPECT_LE(held, 10ms);
   EXPECT_LE(w.count(s2, "SENTINEL MASTER"), 120u) << "asked at most once in ten milliseconds";
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(failover, lost_subscription_is_a_hint_and_the_last_one_raises_doubt) {
   begin();
   const auto asked = w.count(s2, "SENTINEL MASTER");
   w.cut(s1);
   until(2);
   EXPECT_GT(w.count(s2, "SENTINEL MASTER"), asked);
   EXPECT_FALSE(w.watched.in_doubt());
   until(1000);
   EXPECT_EQ(w.subscriptions(s1), 1u);
   w.set_all(condition::refusing);
   w.run_until(w.now + 600us);
   EXPECT_TRUE(w.watched.in_doubt());
   until(1500);
   EXPECT_FALSE(w.watched.in_doubt());
   EXPECT_FALSE(w.watched.target());
   EXPECT_EQ(w.watched.why_none()->code, errc::no_sentinel);
}

// ---- the role -----------------------------------------------------------------------------------------------------

TEST_F(failover, wrong_role_asks_again_after_a_backoff) {
   begin();
   w.watched.role_refused(old_master, "slave", w.now);
   const auto asked = w.count(s1, "SENTINEL MASTER");
   until(25);
   EXPECT_GT(w.count(s1, "SENTINEL MASTER"), asked);
   // Refused again and again: the questions get rarer, up to one a second.
   for (int i = 0; i != 200; ++i) {
      w.watched.role_refused(old_master, "slave", w.now);
      w.run_for(100ms);
   }
   EXPECT_LE(w.count(s1, "SENTINEL MASTER") - asked, 110u);
   EXPECT_TRUE(w.targets(old_master));
}

}  // namespace
}  // namespace holdfast::impl::tracker_failover_test

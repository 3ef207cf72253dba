// Sentinels that were rebuilt from nothing, and know only older epochs than we have seen.
#include "unit/topology/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::tracker_lineage_test {
namespace {

using namespace test;

class lineage_world : public ::testing::Test {
 protected:
   void SetUp() override {
      w.start();
      w.watched.role_verified(old_master, 5, w.now);
   }
   void rebuild(const endpoint& master) {
      w.name_by_all(master, 0);
      w.watched.ask(w.now);
      rebuilt_ = w.now;
   }
   duration since() const { return w.now - rebuilt_; }

   deployment w;
   time_point rebuilt_ = {};
};

TEST_F(lineage_world, is_offered_after_ten_seconds_and_believed_by_its_role) {
   rebuild(new_master);
   w.run_for(9900ms);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.told<event::stale_answer>().size(), 3u);
   EXPECT_EQ(w.watched.objection(),
             "Sentinel 10.0.1.1:26379 names 10.0.0.2:6379 (epoch 0) instead of 10.0.0.1:6379 "
             "(epoch 5); an older epoch is followed when all have agreed on it for 10 s");
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_LE(since(), 10010ms);
   EXPECT_EQ(w.watched.target()->epoch, 0u);
   EXPECT_EQ(w.watched.target()->generation, 2u);
   EXPECT_TRUE(w.told<event::new_lineage>().empty()) << "only offered";

   w.watched.role_verified(new_master, 0, w.now);
   w.carry_out();
   const auto told = w.told<event::new_lineage>();
   ASSERT_EQ(told.size(), 1u);
   EXPECT_EQ(told[0].master, new_master);
   EXPECT_EQ(told[0].abandoned_epoch, 5u);
   EXPECT_EQ(w.watched.target()->generation, 2u);
   w.run_for(30s);
   EXPECT_EQ(*w.watched.target(), (master_node{new_master, 0, 2}));
   EXPECT_EQ(w.watched.objection(), "");
}

TEST_F(lineage_world, is_withdrawn_when_the_role_is_refused_and_offered_again) {
   rebuild(new_master);
   ASSERT_TRUE(w.finds(new_master));
   w.watched.role_refused(new_master, "slave", w.now);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.watched.target()->epoch, 5u);
   const auto refused = w.now;
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_GE(w.now - refused, 10s);
   EXPECT_TRUE(w.told<event::new_lineage>().empty());
}

TEST_F(lineage_world, of_the_same_verified_node_is_believed_without_moving) {
   rebuild(old_master);
   ASSERT_TRUE(w.run_till([&] { return !w.told<event::new_lineage>().empty(); }));
   EXPECT_LE(since(), 10010ms);
   EXPECT_EQ(*w.watched.target(), (master_node{old_master, 0, 2}));
   EXPECT_EQ(w.told<event::master_named>().size(), 1u) << "only the first";
}

TEST_F(lineage_world, is_not_offered_while_one_sentinel_knows_the_newer_epoch) {
   rebuild(new_master);
   w.name(s3, old_master, 5);
   w.run_for(60s);
   EXPECT_EQ(*w.watched.target(), (master_node{old_master, 5, 1}));
}

TEST_F(lineage_world, is_offered_by_two_of_three_when_the_third_is_away) {
   w.set(s3, condition::refusing);
   rebuild(new_master);
   ASSERT_TRUE(w.finds(new_master));
}

TEST_F(lineage_world, is_not_offered_by_one_of_three) {
   w.set(s2, condition::refusing);
   w.set(s3, condition::refusing);
   rebuild(new_master);
   w.run_for(60s);
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(lineage_world, waits_ten_seconds_from_the_last_disagreement) {
   rebuild(new_master);
   w.run_for(8s);
   w.name(s1, endpoint{"10.0.0.9", 1}, 0);
   w.watched.ask(w.now);
   w.run_for(1s);
   w.name(s1, new_master, 0);
   w.watched.ask(w.now);
   const auto before = w.now;
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_GE(w.now - before, 10s);
}

TEST_F(lineage_world, gives_way_to_a_newer_epoch_while_it_is_offered) {
   rebuild(new_master);
   ASSERT_TRUE(w.finds(new_master));
   const endpoint third{"10.0.0.3", 6379};
   w.name(s2, third, 6);
   w.watched.ask(w.now);
   w.run_for(5ms);
   EXPECT_TRUE(w.targets(third));
   w.watched.role_verified(new_master, 0, w.now);  // too late
   w.run_for(30s);
   EXPECT_TRUE(w.targets(third));
   EXPECT_TRUE(w.told<event::new_lineage>().empty());
}

TEST_F(lineage_world, ends_at_a_failover_of_the_new_one) {
   rebuild(new_master);
   ASSERT_TRUE(w.finds(new_master));
   w.watched.role_verified(new_master, 0, w.now);
   w.name_by_all(old_master, 1);
   w.watched.ask(w.now);
   w.run_for(5ms);
   EXPECT_EQ(*w.watched.target(), (master_node{old_master, 1, 3})) << "epochs count from the new lineage";
}

}  // namespace
}  // namespace holdfast::impl::tracker_lineage_test

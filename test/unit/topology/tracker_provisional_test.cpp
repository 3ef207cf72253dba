// What was believed by its own word: confirmed, withdrawn, superseded.
#include "unit/topology/promotion.hpp"

namespace holdfast::impl::tracker_provisional_test {
namespace {

using namespace test;

TEST_F(promotion_world, is_withdrawn_when_the_sentinel_that_selected_it_gives_up) {
   promoted_and_believed();
   w.publish(s2, "-failover-abort-not-elected", about_master(old_master));
   w.run_for(2ms);
   EXPECT_TRUE(w.targets(new_master)) << "another one's";
   aborted(s1);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.watched.target()->epoch, 5U);
   const auto told = w.told<event::master_withdrawn>();
   ASSERT_EQ(told.size(), 1U);
   EXPECT_EQ(told[0].master, new_master);
   EXPECT_EQ(told[0].back_to, old_master);
   w.run_for(30s);
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(promotion_world, is_not_withdrawn_by_the_end_of_another_try) {
   promoted_and_believed();
   tries(s1, 7);
   w.publish(s1, "-failover-abort-not-elected", about_master(old_master));
   w.run_for(2ms);
   EXPECT_TRUE(w.targets(new_master));
}

TEST_F(promotion_world, is_withdrawn_by_an_abort_on_a_new_subscription) {
   promoted_and_believed();
   w.cut(s1);
   w.run_for(500ms);
   ASSERT_EQ(w.subscriptions(s1), 1U);
   aborted(s1);
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(promotion_world, denial_is_taken_back_when_it_says_master_again) {
   promoted_and_believed();
   w.set(s3, condition::stopped);  // so that asking takes a while
   w.watched.role_refused(new_master, "slave", w.now);
   w.watched.role_verified(new_master, 6, w.now);
   w.run_for(2s);
   EXPECT_TRUE(w.targets(new_master));
}

TEST_F(promotion_world, confirmation_under_a_newer_epoch_ends_older_candidates) {
   promoted_and_believed();
   selected(7, s2, third);
   w.name(s3, new_master, 8);
   w.watched.ask(w.now);
   w.run_for(2ms);
   EXPECT_FALSE(w.watched.is_provisional());
   promoted(third);
   w.run_for(500ms);
   EXPECT_EQ(*w.watched.target(), (master_node{new_master, 8, 3}));
}

TEST_F(promotion_world, agreement_on_another_node_than_the_one_before_goes_there) {
   promoted_and_believed();
   w.name_by_all(third, 0);
   w.at(third).role = "master";
   ASSERT_TRUE(w.finds(third, 15s));
   w.carry_out();
   EXPECT_EQ(w.told<event::new_lineage>().size(), 1U) << "under an epoch older than the one before";
   EXPECT_TRUE(w.told<event::master_withdrawn>().empty());
}

TEST_F(promotion_world, agreement_on_another_node_under_the_old_epoch_goes_there) {
   promoted_and_believed();
   w.name_by_all(third, 5);
   w.at(third).role = "master";
   ASSERT_TRUE(w.finds(third, 15s));
   w.carry_out();
   ASSERT_EQ(w.told<event::master_withdrawn>().size(), 1U);
   EXPECT_EQ(w.told<event::master_withdrawn>().front().back_to, third) << "it was asked; the one before was not";
}

TEST_F(promotion_world, is_not_withdrawn_once_it_is_confirmed) {
   promoted_and_believed();
   w.name(s2, new_master, 6);
   w.run_for(2s);
   EXPECT_FALSE(w.watched.is_provisional());
   w.publish(s1, "-failover-abort-slave-timeout", about_master(old_master));
   w.watched.role_refused(new_master, "slave", w.now);
   w.run_for(2s);
   EXPECT_TRUE(w.targets(new_master));
}

TEST_F(promotion_world, is_withdrawn_when_it_says_slave_and_the_old_master_is_named) {
   promoted_and_believed();
   w.at(new_master).role = "slave";
   w.watched.role_refused(new_master, "slave", w.now);
   EXPECT_TRUE(w.targets(new_master)) << "not before they are asked";
   ASSERT_TRUE(w.finds(old_master, 100ms));
   w.carry_out();
   EXPECT_EQ(w.told<event::master_withdrawn>().size(), 1U);
}

TEST_F(promotion_world, is_not_withdrawn_when_it_says_slave_and_a_sentinel_names_it) {
   promoted_and_believed();
   w.name(s1, new_master, 6);
   w.watched.role_refused(new_master, "slave", w.now);
   w.run_for(2s);
   EXPECT_TRUE(w.targets(new_master));
}

// The leader died between promoting and announcing.
TEST_F(promotion_world, is_withdrawn_when_all_go_on_naming_an_old_master_that_is_one) {
   promoted_and_believed();
   w.set(s1, condition::refusing);
   w.run_for(9s);
   EXPECT_TRUE(w.targets(new_master));
   ASSERT_TRUE(w.finds(old_master, 5s));
   w.run_for(60s);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.told<event::master_withdrawn>().size(), 1U);
}

TEST_F(promotion_world, stays_where_the_master_of_before_is_dead) {
   w.set(old_master, condition::refusing);
   promoted_and_believed();
   w.set(s1, condition::refusing);
   const auto before = w.dials[old_master];
   w.run_for(60s);
   EXPECT_TRUE(w.targets(new_master));
   EXPECT_LE(w.dials[old_master] - before, 12U) << "it is asked once in ten seconds";
   w.name(s2, third, 7);
   w.watched.ask(w.now);
   w.run_for(2ms);
   EXPECT_TRUE(w.targets(third)) << "until the next failover";
}

// While the master of before is asked whether it is one, nobody else is asked again and again.
TEST_F(promotion_world, asks_in_measure_while_the_master_of_before_does_not_answer) {
   promoted_and_believed();
   w.set(s1, condition::refusing);
   w.set(old_master, condition::stopped);
   const auto before = w.count(s2, "SENTINEL MASTER");
   w.run_for(60s);
   EXPECT_TRUE(w.targets(new_master));
   EXPECT_LE(w.count(s2, "SENTINEL MASTER") - before, 90U);
}

TEST_F(promotion_world, newer_epoch_elsewhere_supersedes_it) {
   promoted_and_believed();
   w.name(s2, third, 7);
   w.run_for(2s);
   EXPECT_EQ(*w.watched.target(), (master_node{third, 7, 3}));
   EXPECT_FALSE(w.watched.is_provisional());
   EXPECT_TRUE(w.told<event::master_withdrawn>().empty());
}

TEST_F(promotion_world, second_one_that_is_withdrawn_goes_back_to_what_was_confirmed) {
   promoted_and_believed();
   selected(7, s2, third);
   expect_believed(third);
   EXPECT_TRUE(w.watched.is_provisional());
   aborted(s2);
   EXPECT_TRUE(w.targets(old_master));
}

// Selected by a failover that came to nothing, on the heels of another one: its epoch is one that nobody else knows.
TEST_F(promotion_world, of_the_master_of_before_is_given_up_as_it_goes_on_being_named) {
   promoted_and_believed();
   selected(7, s2, old_master);
   ASSERT_TRUE(w.finds(old_master, 300ms));
   ASSERT_TRUE(w.watched.is_provisional());
   w.run_for(15s);
   EXPECT_FALSE(w.watched.is_provisional());
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.watched.target()->epoch, 5U);
   w.name_by_all(third, 6);
   w.watched.ask(w.now);
   w.run_for(5ms);
   EXPECT_TRUE(w.targets(third)) << "the next failover is followed at once";
}

}  // namespace
}  // namespace holdfast::impl::tracker_provisional_test

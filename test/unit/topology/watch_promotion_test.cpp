// Eager cutover: a node that a Sentinel has selected is believed by its own word. The times are those of a failover
// with down-after 1 s. s1 leads.
#include "unit/topology/promotion.hpp"

#include <gtest/gtest.h>

namespace holdfast::topology {
namespace {

using namespace test;

TEST_F(promotion, ASelectedNodeIsBelievedWithinMillisecondsOfTheEndOfItsConnection) {
   selected();
   w.run_for(70ms);
   promoted(new_master);
   const auto at = w.now;
   ASSERT_TRUE(w.run_till([&] { return w.targets(new_master); }));
   EXPECT_LE(w.now - at, 3ms) << "the end, the connect, HELLO";
   EXPECT_EQ(*w.watched.target(), (named_master{new_master, 6, 2}));
   EXPECT_TRUE(w.watched.is_provisional());
   w.carry_out();
   EXPECT_TRUE(w.told<event::master_named>().back().provisional);
   EXPECT_TRUE(w.told<event::stale_answer>().empty());
}

TEST_F(promotion, ItIsConfirmedWhenASentinelNamesItAndNothingMoves) {
   promoted_and_believed();
   w.name(s1, new_master, 6);
   w.publish(s1, "+promoted-slave", about_replica(new_master, old_master));
   w.run_for(5ms);
   EXPECT_FALSE(w.watched.is_provisional());
   EXPECT_EQ(*w.watched.target(), (named_master{new_master, 6, 2}));
   EXPECT_EQ(w.told<event::master_confirmed>().size(), 1U);
   all_name(new_master, 6);
   w.run_for(60s);
   EXPECT_EQ(*w.watched.target(), (named_master{new_master, 6, 2}));
   EXPECT_EQ(w.told<event::master_named>().size(), 2U);
}

TEST_F(promotion, WithoutAWarmConnectionTheNodeIsAskedUntilItIsPromoted) {
   auto s = eager();
   s.warm = false;
   deployment cold(s);
   set_up(cold);
   EXPECT_EQ(cold.dials[new_master], 0U);
   EXPECT_EQ(cold.count(s1, "SENTINEL REPLICAS"), 0U);
   cold.publish(s1, "+new-epoch", "6");
   cold.publish(s1, "+try-failover", about_master(old_master));
   cold.publish(s1, "+selected-slave", about_replica(new_master, old_master));
   cold.run_for(70ms);
   cold.at(new_master).role = "master";
   const auto at = cold.now;
   ASSERT_TRUE(cold.run_till([&] { return cold.targets(new_master); }));
   EXPECT_LE(cold.now - at, 252ms);
}

TEST_F(promotion, ANodeThatSaysMasterAndWasNotSelectedIsNotBelieved) {
   promoted(third);
   w.run_for(30s);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.told<event::master_named>().size(), 1U);
   tries(s1, 6);
   selects(s1, new_master);
   w.run_for(5s);
   EXPECT_TRUE(w.targets(old_master)) << "the one that was selected says that it is a slave";
}

TEST_F(promotion, ItsWordMakesTheSentinelsBeAskedAtOnce) {
   w.run_for(2s);
   const auto before = w.count(s2, "SENTINEL MASTER");
   promoted(third);
   w.run_for(200ms);
   EXPECT_GT(w.count(s2, "SENTINEL MASTER"), before);
}

TEST_F(promotion, ASelectionWithoutItsEpochIsNotBelieved) {
   w.publish(s1, "+try-failover", about_master(old_master));
   selects(s1, new_master);
   promoted(new_master);
   w.run_for(500ms);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_FALSE(holds());
}

TEST_F(promotion, TheEpochIsThatOfTheSameSubscription) {
   w.publish(s2, "+new-epoch", "6");
   w.publish(s1, "+try-failover", about_master(old_master));
   selects(s1, new_master);
   promoted(new_master);
   w.run_for(500ms);
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(promotion, AnEpochAnnouncedAfterTheTryBelongsToAnotherMaster) {
   tries(s1, 6);
   w.publish(s1, "+new-epoch", "9");
   selects(s1, new_master);
   promoted(new_master);
   w.run_for(10ms);
   EXPECT_EQ(w.watched.target()->epoch, 6U);
}

TEST_F(promotion, AnOldEpochIsNotBelieved) {
   selected(5);
   promoted(new_master);
   w.run_for(500ms);
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(promotion, InConfirmedModeTheSentinelsAreWaitedFor) {
   deployment confirmed(three_sentinels());
   set_up(confirmed);
   confirmed.publish(s1, "+new-epoch", "6");
   confirmed.publish(s1, "+try-failover", about_master(old_master));
   confirmed.publish(s1, "+selected-slave", about_replica(new_master, old_master));
   confirmed.at(new_master).role = "master";
   confirmed.run_for(1s);
   EXPECT_TRUE(confirmed.targets(old_master));
   EXPECT_EQ(confirmed.dials[new_master], 0U);
   EXPECT_LE(confirmed.watched.hold_writes_until(), confirmed.now);
}

TEST_F(promotion, ACandidateThatIsNeverPromotedIsAskedInMeasure) {
   selected();
   w.run_for(2s);
   const auto before = w.count(new_master, "HELLO");
   w.run_for(60s);
   const auto asked = w.count(new_master, "HELLO") - before;
   EXPECT_GE(asked, 60U * 4);
   EXPECT_LE(asked, 60U * 12);
}

TEST_F(promotion, ACandidateThatIsOutOfReachIsDialledInMeasure) {
   w.set(new_master, condition::refusing);
   selected();
   w.run_for(2s);
   const auto before = w.dials[new_master];
   w.run_for(10s);
   EXPECT_LE(w.dials[new_master] - before, 120U);
   w.set(new_master, condition::working);
   promoted(new_master);
   EXPECT_TRUE(w.run_till([&] { return w.targets(new_master); }, 300ms));
}

// ---- provisional --------------------------------------------------------------------------------------------------

TEST_F(promotion, IsWithdrawnWhenTheSentinelThatSelectedItGivesUp) {
   promoted_and_believed();
   w.publish(s2, "-failover-abort-not-elected", about_master(old_master));
   w.run_for(2ms);
   EXPECT_TRUE(w.targets(new_master)) << "another one's";
   w.publish(s1, "-failover-abort-slave-timeout", about_master(old_master));
   w.run_for(2ms);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.watched.target()->epoch, 5U);
   const auto told = w.told<event::master_withdrawn>();
   ASSERT_EQ(told.size(), 1U);
   EXPECT_EQ(told[0].master, new_master);
   EXPECT_EQ(told[0].back_to, old_master);
   w.run_for(30s);
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(promotion, IsNotWithdrawnByTheEndOfAnotherTry) {
   promoted_and_believed();
   tries(s1, 7);
   w.publish(s1, "-failover-abort-not-elected", about_master(old_master));
   w.run_for(2ms);
   EXPECT_TRUE(w.targets(new_master));
}

TEST_F(promotion, IsNotWithdrawnOnceItIsConfirmed) {
   promoted_and_believed();
   w.name(s2, new_master, 6);
   w.run_for(2s);
   EXPECT_FALSE(w.watched.is_provisional());
   w.publish(s1, "-failover-abort-slave-timeout", about_master(old_master));
   w.watched.role_refused(new_master, "slave", w.now);
   w.run_for(2s);
   EXPECT_TRUE(w.targets(new_master));
}

TEST_F(promotion, IsWithdrawnWhenItSaysSlaveAndTheSentinelsNameTheMasterOfBefore) {
   promoted_and_believed();
   w.at(new_master).role = "slave";
   w.watched.role_refused(new_master, "slave", w.now);
   EXPECT_TRUE(w.targets(new_master)) << "not before they are asked";
   ASSERT_TRUE(w.run_till([&] { return w.targets(old_master); }, 100ms));
   w.carry_out();
   EXPECT_EQ(w.told<event::master_withdrawn>().size(), 1U);
}

TEST_F(promotion, IsNotWithdrawnWhenItSaysSlaveAndASentinelNamesIt) {
   promoted_and_believed();
   w.name(s1, new_master, 6);
   w.watched.role_refused(new_master, "slave", w.now);
   w.run_for(2s);
   EXPECT_TRUE(w.targets(new_master));
}

// The leader died between promoting and announcing.
TEST_F(promotion, IsWithdrawnWhenAllSentinelsGoOnNamingTheMasterOfBeforeAndThatIsOne) {
   promoted_and_believed();
   w.set(s1, condition::refusing);
   w.run_for(9s);
   EXPECT_TRUE(w.targets(new_master));
   ASSERT_TRUE(w.run_till([&] { return w.targets(old_master); }, 5s));
   w.run_for(60s);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.told<event::master_withdrawn>().size(), 1U);
}

TEST_F(promotion, StaysWhereTheMasterOfBeforeIsDead) {
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
TEST_F(promotion, AsksTheSentinelsInMeasureWhileTheMasterOfBeforeDoesNotAnswer) {
   promoted_and_believed();
   w.set(s1, condition::refusing);
   w.set(old_master, condition::stopped);
   const auto before = w.count(s2, "SENTINEL MASTER");
   w.run_for(60s);
   EXPECT_TRUE(w.targets(new_master));
   EXPECT_LE(w.count(s2, "SENTINEL MASTER") - before, 90U);
}

TEST_F(promotion, ANewerEpochElsewhereSupersedesIt) {
   promoted_and_believed();
   w.name(s2, third, 7);
   w.run_for(2s);
   EXPECT_EQ(*w.watched.target(), (named_master{third, 7, 3}));
   EXPECT_FALSE(w.watched.is_provisional());
   EXPECT_TRUE(w.told<event::master_withdrawn>().empty());
}

TEST_F(promotion, ASecondOneIsGivenAsLongAsTheFirst) {
   promoted_and_believed();
   w.set(s1, condition::refusing);
   w.run_for(9s);  // of the ten after which the first is withdrawn
   tries(s2, 7);
   selects(s2, third);
   promoted(third);
   ASSERT_TRUE(w.run_till([&] { return w.targets(third); }, 100ms));
   w.run_for(9s);
   EXPECT_TRUE(w.targets(third));
   EXPECT_TRUE(w.run_till([&] { return w.targets(old_master); }, 3s));
}

TEST_F(promotion, ASecondOneOnItsHeelsIsFollowedAndItsWithdrawalGoesBackToWhatWasConfirmed) {
   promoted_and_believed();
   tries(s2, 7);
   selects(s2, third);
   promoted(third);
   ASSERT_TRUE(w.run_till([&] { return w.targets(third); }, 100ms));
   EXPECT_TRUE(w.watched.is_provisional());
   w.publish(s2, "-failover-abort-slave-timeout", about_master(old_master));
   w.run_for(2ms);
   EXPECT_TRUE(w.targets(old_master));
}

}  // namespace
}  // namespace holdfast::topology

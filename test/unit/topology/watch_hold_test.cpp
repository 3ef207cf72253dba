// New writes are held from the selection of a node to its promotion, and no longer than that takes.
#include "unit/topology/promotion.hpp"

#include <gtest/gtest.h>

namespace holdfast::topology {
namespace {

using namespace test;

TEST_F(promotion, WritesAreHeldFromTheSelectionToThePromotion) {
   EXPECT_FALSE(holds());
   selected();
   EXPECT_TRUE(holds());
   w.run_for(70ms);
   EXPECT_TRUE(holds());
   promoted(new_master);
   ASSERT_TRUE(w.run_till([&] { return w.targets(new_master); }));
   EXPECT_FALSE(holds());
}

TEST_F(promotion, AndNoLongerThanAQuarterOfASecondOnceForEachEpoch) {
   selected();
   w.run_for(251ms);
   EXPECT_FALSE(holds());
   selects(s1, new_master);
   EXPECT_FALSE(holds());
   tries(s1, 7);
   selects(s1, new_master);
   EXPECT_TRUE(holds());
}

TEST_F(promotion, WhenTheConnectionOfTheSelectedNodeEndsLaterTheyAreHeldOnceMoreForAMoment) {
   selected();
   w.run_for(400ms);
   EXPECT_FALSE(holds());
   w.set(new_master, condition::stopped);
   w.cut(new_master);
   w.run_for(1ms);
   EXPECT_TRUE(holds());
   w.run_for(60ms);
   EXPECT_FALSE(holds());
   w.cut(new_master);
   w.run_for(1ms);
   EXPECT_FALSE(holds());
}

// The news of the first come late, together with the selection of the second.
TEST_F(promotion, AMasterOfBeforeTheSelectedOneDoesNotEndTheHold) {
   w.name(s2, new_master, 6);
   tries(s1, 7);
   w.publish(s1, "+selected-slave", about_replica(third, new_master));
   w.watched.ask(w.now);
   ASSERT_TRUE(w.run_till([&] { return w.targets(new_master); }, 100ms));
   EXPECT_TRUE(holds());
}

TEST_F(promotion, AnAbortEndsTheHoldAndTheCandidate) {
   selected();
   w.publish(s1, "-failover-abort-slave-timeout", about_master(old_master));
   w.run_for(1ms);
   EXPECT_FALSE(holds());
   promoted(new_master);
   w.run_for(500ms);
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(promotion, TheRestartOfAServerEndsNeither) {
   selected();
   w.publish(s1, "+reboot", about_replica(third, old_master));
   w.publish(s1, "+reboot", about_master(old_master));
   w.run_for(1ms);
   EXPECT_TRUE(holds());
   promoted(new_master);
   EXPECT_TRUE(w.run_till([&] { return w.targets(new_master); }, 100ms));
}

TEST_F(promotion, TheLossOfTheSubscriptionThatNamedItEndsTheCandidate) {
   selected();
   w.set(s1, condition::refusing);
   w.run_for(1ms);
   EXPECT_FALSE(holds());
   promoted(new_master);
   w.run_for(500ms);
   EXPECT_TRUE(w.targets(old_master));
}

}  // namespace
}  // namespace holdfast::topology

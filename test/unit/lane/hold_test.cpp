// A failover is announced: writes that wait for a selected node to be promoted, and a node that the Sentinels agree is
// down.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test {
namespace {

class hold : public ::testing::Test {
 protected:
   void SetUp() override { s.warm_up(); }
   void until(duration d) {
      s.watch.view.hold_writes_until = after(s.now, d);
      s.on_view();
   }
   // The tracker's own timer, which the guide's word comes from.
   void pass(duration d) {
      s.advance(d);
      s.on_view();
   }
   script s;
};

TEST_F(hold, AWriteWaitsAndAReadDoesNot) {
   until(250ms);
   auto& get = s.submit("GET a");
   EXPECT_EQ(s.accept(), "GET a");
   auto& incr = s.submit("INCR a");
   EXPECT_EQ(s.accept(), "");
   s.answer(number(1));
   EXPECT_EQ(get.says(), "1");
   EXPECT_EQ(incr.says(), "waiting");
}

TEST_F(hold, AReadBehindAHeldWriteWaitsAsWell) {
   until(250ms);
   s.submit("SET a 1");
   s.submit("GET a");
   EXPECT_EQ(s.accept(), "");
   pass(250ms);
   EXPECT_EQ(s.accept(), "SET a 1; GET a") << "in their order";
}

TEST_F(hold, AfterItsTimeTheWriteGoesToTheMasterThatIsStillOne) {
   until(250ms);
   auto& incr = s.submit("INCR a");
   pass(249ms);
   EXPECT_EQ(s.accept(), "");
   pass(1ms);
   EXPECT_EQ(s.accept(), "INCR a");
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
   EXPECT_EQ(incr.op.attempts, 1U);
}

TEST_F(hold, APromotionTakesWhatIsHeldToTheNewMasterInItsOrder) {
   until(250ms);
   auto& one = s.submit("INCR a");
   auto& two = s.submit("RPUSH l 1");
   s.watch.view.hold_writes_until = time_point::min();
   s.watch.name(node_b, 6);
   s.on_view();
   s.connect(8);
   EXPECT_EQ(s.accept(), "INCR a; RPUSH l 1");
   s.answer(number(1) + number(1));
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(two.says(), "1");
}

TEST_F(hold, WhatIsUnderWayIsNotHeldBackFromItsReply) {
   auto& incr = s.submit("INCR a");
   EXPECT_EQ(s.accept(), "INCR a");
   until(250ms);
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
}

TEST_F(hold, AHeldCommandThatRunsOutOfTimeSaysWhy) {
   until(250ms);
   auto& incr = s.submit("INCR a", {.deadline = 100ms});
   pass(100ms);
   EXPECT_EQ(incr.says(), "not_executed, deadline_exceeded");
   EXPECT_TRUE(incr.has_cause("another node is about to be promoted"));
}

// ---- +odown -------------------------------------------------------------------------------------------------------

TEST_F(hold, WhereTheSentinelsAgreeThatItIsDownALateReplyIsProbedAtOnce) {
   auto& incr = s.submit("INCR a");
   s.accept();
   s.advance(20ms);
   s.watch.view.objectively_down = true;
   s.on_view();
   EXPECT_TRUE(s.told<event::suspected>().empty()) << "a reply may be on its way";
   s.advance(80ms);
   EXPECT_EQ(s.told<event::suspected>().size(), 1U);
   s.open_probe();
   s.accept_probe();
   s.advance(499ms);
   EXPECT_TRUE(s.told<event::connection_lost>().empty());
   s.advance(1ms);
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
   EXPECT_EQ(incr.says(), "waiting") << "for the fence";
}

TEST_F(hold, WhoAnswersTheProbeIsNotLeft) {
   auto& get = s.submit("GET a");
   s.accept();
   s.watch.view.objectively_down = true;
   s.on_view();
   s.advance(100ms);
   s.open_probe();
   s.accept_probe();
   s.answer_probe(pong);
   s.advance(1900ms);
   EXPECT_TRUE(s.told<event::connection_lost>().empty());
   s.answer(number(1));
   EXPECT_EQ(get.says(), "1");
}

TEST_F(hold, ABlockingCommandIsNotLeftUnlessTheProbeFails) {
   s.submit("BLPOP q 0");
   s.accept();
   s.watch.view.objectively_down = true;
   s.on_view();
   s.advance(100ms);
   EXPECT_EQ(s.told<event::suspected>().size(), 1U);
   s.open_probe();
   s.accept_probe();
   s.answer_probe(pong);
   s.advance(60s);
   EXPECT_TRUE(s.told<event::connection_lost>().empty());
}

TEST_F(hold, ABlockingCommandIsProbedEachTimeThatItsNodeIsCalledDown) {
   s.submit("BLPOP q 0");
   s.accept();
   s.watch.view.objectively_down = true;
   s.on_view();
   s.advance(100ms);
   s.open_probe();
   s.accept_probe();
   s.answer_probe(pong);
   s.watch.view.objectively_down = false;
   s.on_view();
   s.advance(60s);
   s.watch.view.objectively_down = true;
   s.on_view();
   s.advance(100ms);
   EXPECT_EQ(s.told<event::suspected>().size(), 2U);
   s.advance(500ms);
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
}

TEST_F(hold, ABlockingCommandIsLeftIfTheProbeFails) {
   s.submit("BLPOP q 0");
   s.accept();
   s.watch.view.objectively_down = true;
   s.on_view();
   s.advance(100ms);
   s.open_probe();
   s.accept_probe();
   s.advance(500ms);
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
}

}  // namespace
}  // namespace holdfast::impl::test

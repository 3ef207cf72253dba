#include "drill/losses.hpp"

#include "drill/old_master_monitor.hpp"
#include "unit/drill/parts.hpp"

#include <gtest/gtest.h>

namespace holdfast::drill::losses_test {
namespace {

// SIGSTOP, a promotion at 1000 ms, the client there at 1002 ms. The old master was given number 1 before.
record eager_failover() {
   record r;
   r.fault = "stop";
   r.promotes = true;
   r.may_lose = lab::loss::moments;
   r.cutover = cutover::eager;
   r.deadline = milliseconds(9000);
   r.start = at(-100);
   r.fault_at = fault_at;
   r.in_force_at = at(0.5);
   r.end = at(2500);
   r.promoted_at = at(1000);
   r.promoted = new_master;
   r.named_at = at(1800);
   r.forbidden = old_master;
   r.events = {{at(1), event::connection_lost{.where = old_master, .unanswered = 1}},
               {at(1001), event::connected{.master = new_master, .epoch = 1}}};
   r.operations = {acked(write_kind::rpush, 1, -30, -29),  acked(write_kind::incr, 1, -20, -19),
                   acked(write_kind::set, 1, -4, -3),      acked(write_kind::rpush, 2, -1, 1002),
                   acked(write_kind::incr, 2, 1003, 1004), acked(write_kind::set, 2, 1005, 1006)};
   r.held = survivors{.set = {1, 2}, .list = {1, 2}, .counter = 2};
   r.sighted = std::vector<sighting>{{write_kind::set, 1}, {write_kind::rpush, 1}, {write_kind::rpush, 2}};
   return r;
}

struct eager_losses : testing::Test {
   record r = eager_failover();
};

TEST_F(eager_losses, AWriteAcknowledgedInTheLastMomentsBeforeTheFaultMayBeLost) {
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
   r.held->set = {2};
   const figures f = judge(r);
   EXPECT_EQ(f.all.lost, 1U);
   EXPECT_EQ(f.lost_before_fault_ms, std::vector<double>{3});
   EXPECT_EQ(f.lost_out_of_time, 0U);
   EXPECT_EQ(f.broken, std::vector<std::string>());
}

TEST_F(eager_losses, AWriteAcknowledgedBeforeThemMayNot) {
   r.held->list = {2};
   const figures f = judge(r);
   EXPECT_EQ(f.lost_before_fault_ms, std::vector<double>{29});
   EXPECT_EQ(f.lost_out_of_time, 1U);
   EXPECT_TRUE(says(f, "1 write lost, not acknowledged in the last 10 ms"));
}

TEST_F(eager_losses, NorMayOneThatTheOldMasterAcknowledgedUnderTheFault) {
   // Begun before it, and answered a moment later: it was on its way.
   r.operations.insert(r.operations.begin() + 3, acked(write_kind::set, 7, 0.2, 0.7));
   EXPECT_EQ(judge(r).lost_out_of_time, 0U);
   r.operations[3].start = at(0.6);
   const figures f = judge(r);
   EXPECT_EQ(f.lost_before_fault_ms, std::vector<double>{-0.7});
   EXPECT_EQ(f.lost_out_of_time, 1U);
   EXPECT_TRUE(says(f, "not acknowledged in the last"));
}

TEST_F(eager_losses, OfACounterAsManyAreExcusedAsWereAcknowledgedInTheLastMoments) {
   r.held->counter = 1;
   EXPECT_EQ(judge(r).lost_out_of_time, 1U) << "the only one before was 19 ms before";
   r.operations[1].end = at(-9);
   EXPECT_EQ(judge(r).lost_out_of_time, 0U);
   r.held->counter = 0;
   EXPECT_EQ(judge(r).lost_out_of_time, 1U);
}

TEST_F(eager_losses, WhoWaitsForConfirmationMayLoseWhatTheOldMasterTookMeanwhile) {
   r.held->list = {2};
   r.cutover = cutover::confirmed;
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
   r.cutover = cutover::eager;
   r.may_lose = lab::loss::anything;
   EXPECT_EQ(judge(r).broken, std::vector<std::string>()) << "so may everybody where the failover is planned";
   r.may_lose = lab::loss::moments;
   r.second_failover = true;
   EXPECT_FALSE(says(judge(r), "are lost")) << "that is another run";
}

TEST_F(eager_losses, WhatTheOldMasterRunsWhenItWakesIsNoHarmIfItWasBegunBefore) {
   EXPECT_EQ(judge(r).old_master_writes, 0U) << "it has RPUSH 2, which was in flight, and was sent again";
   r.cutover = cutover::confirmed;
   r.operations.insert(r.operations.begin() + 3, acked(write_kind::set, 7, 500, 501));
   r.sighted = std::vector<sighting>{{write_kind::set, 1}, {write_kind::set, 7}, {write_kind::rpush, 1}};
   EXPECT_EQ(judge(r).old_master_writes, 0U) << "it was the master then";
}

TEST(DrillLosses, AWriteToTheOldMasterAfterTheFirstOnTheNewOneBreaksAPromise) {
   for (const cutover c : {cutover::eager, cutover::confirmed}) {
      record r = eager_failover();
      r.cutover = c;
      r.sighted->insert(r.sighted->begin() + 1, sighting{write_kind::set, 2});
      const figures f = judge(r);
      EXPECT_EQ(f.old_master_writes, 1U);
      EXPECT_TRUE(says(f, "1 write reached 127.0.0.1:1, the old master"));
      r.second_failover = true;
      EXPECT_FALSE(says(judge(r), "old master")) << "it may be the rightful one again";
   }
}

TEST_F(eager_losses, WithoutAPromotionNoWriteMayReachTheForbiddenNodeAfterTheFault) {
   r.promotes = false;
   r.promoted_at.reset();
   r.named_at.reset();
   r.costs = lab::toll::nothing;
   r.may_lose = lab::loss::nothing;
   r.events.clear();
   r.sighted = std::vector<sighting>{{write_kind::rpush, 2}};
   EXPECT_EQ(judge(r).broken, std::vector<std::string>()) << "that began before: it came by way of its master";
   r.sighted = std::vector<sighting>{{write_kind::set, 2}, {write_kind::rpush, 2}};
   EXPECT_TRUE(says(judge(r), "no Sentinel has named it"));
}

TEST_F(eager_losses, NothingIsSaidOfANodeThatNobodyWatched) {
   r.sighted.reset();
   EXPECT_EQ(judge(r).old_master_writes, std::nullopt);
}

TEST_F(eager_losses, AWriteThatTheNewMasterDoesNotHoldIsNotTheFirstOnIt) {
   r.operations.insert(r.operations.begin() + 3, acked(write_kind::set, 7, 1000.5, 1001.5));
   EXPECT_DOUBLE_EQ(judge(r).first_ok_ms.value(), 1002) << "the old master's last reply, read late";
   r.held->set.insert(7);
   EXPECT_DOUBLE_EQ(judge(r).first_ok_ms.value(), 1001.5);
}

TEST(DrillWitness, KnowsANumberedWriteAndWhoSaidIt) {
   const auto pushed = overheard_in(R"(1339518083.107412 [0 127.0.0.1:60866] "RPUSH" "drill:list" "17")");
   ASSERT_TRUE(pushed);
   EXPECT_EQ(pushed->what, (sighting{write_kind::rpush, 17}));
   EXPECT_EQ(pushed->from, "127.0.0.1:60866");
   const auto set = overheard_in(R"(1339518083.107412 [0 lua] "set" "drill:5" "5")");
   ASSERT_TRUE(set);
   EXPECT_EQ(set->what, (sighting{write_kind::set, 5}));
   EXPECT_EQ(set->from, "lua");
}

TEST(DrillWitness, TakesNothingElseForOne) {
   for (const char* line :
        {"", "OK", "[", R"(1.2 [0 127.0.0.1:1] "INCR" "drill:counter")",
         R"(1.2 [0 127.0.0.1:1] "SET" "lab:promotion" "127.0.0.1:2")", R"(1.2 [0 127.0.0.1:1] "SET" "drill:5" "6")",
         R"(1.2 [0 127.0.0.1:1] "RPUSH" "drill:list" "x")", R"(1.2 [0 127.0.0.1:1] "LRANGE" "drill:list" "0" "-1")",
         R"(1.2 [0 127.0.0.1:1] "RPUSH" "drill:list" "17)"})
      EXPECT_FALSE(overheard_in(line)) << line;
}

}  // namespace
}  // namespace holdfast::drill::losses_test

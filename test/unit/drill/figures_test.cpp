#include "drill/figures.hpp"

#include "unit/drill/parts.hpp"

#include <gtest/gtest.h>

namespace holdfast::drill::figures_test {
namespace {

operation acked(write_kind kind, std::uint64_t number, double end_ms) {
   return acked(kind, number, end_ms - 0.1, end_ms);
}

operation failed(write_kind kind, std::uint64_t number, double end_ms, outcome what) {
   operation o = acked(kind, number, end_ms);
   o.acked = false;
   o.start = at(end_ms - 1);
   o.outcome = what;
   return o;
}

told lost_connection(double ms) { return {at(ms), event::connection_lost{.where = old_master, .unanswered = 1}}; }

// A failover as it should be: three writes before, three after, promoted at 1000 ms, named at 1800 ms.
record good_failover() {
   record r;
   r.fault = "kill";
   r.promotes = true;
   r.may_lose = lab::loss::anything;
   r.deadline = milliseconds(9000);
   r.start = at(-100);
   r.fault_at = r.in_force_at = fault_at;
   r.end = at(2500);
   r.promoted_at = at(1000);
   r.promoted = new_master;
   r.named_at = at(1800);
   r.events = {lost_connection(1), {at(1001.5), event::connected{.master = new_master, .epoch = 1}}};
   r.operations = {acked(write_kind::rpush, 1, -30), acked(write_kind::incr, 1, -20),
                   acked(write_kind::set, 1, -10),   acked(write_kind::rpush, 2, 1002),
                   acked(write_kind::incr, 2, 1500), acked(write_kind::set, 2, 2000)};
   r.held = survivors{.set = {1, 2}, .list = {1, 2}, .counter = 2};
   return r;
}

// A fault that promotes nobody: a connection lost at 1 ms, all well from 3 ms on.
record good_loss_of_a_connection() {
   record r = good_failover();
   r.promotes = false;
   r.may_lose = lab::loss::nothing;
   r.promoted_at.reset();
   r.named_at.reset();
   r.promoted = {};
   r.operations[3].end = at(0.5);
   r.operations[4].end = at(3);
   r.events = {lost_connection(1)};
   return r;
}

struct failover_verdict : testing::Test {
   record r = good_failover();
};
struct loss_verdict : testing::Test {
   record r = good_loss_of_a_connection();
};

TEST(DrillVerdict, AFailoverRiddenOutBreaksNoPromise) {
   const figures f = judge(good_failover());
   EXPECT_EQ(f.broken, std::vector<std::string>());
   EXPECT_EQ(f.all, (totals{.acked = 6}));
   EXPECT_DOUBLE_EQ(f.promoted_ms.value(), 1000);
   EXPECT_DOUBLE_EQ(f.sentinel_named_ms.value(), 1800);
   EXPECT_DOUBLE_EQ(f.first_ok_ms.value(), 1002);
   EXPECT_DOUBLE_EQ(f.client_added_ms.value(), 2);
   EXPECT_DOUBLE_EQ(f.longest_gap_ms, 1012);
   EXPECT_FALSE(f.late);
   EXPECT_EQ(f.connections_lost, 1U);
}

TEST_F(failover_verdict, TheFirstWriteOnTheNewMasterIsTheFirstAfterTheClientConnectedToIt) {
   // The old master, woken, acknowledges this one after the promotion.
   r.operations[3].end = at(1001);
   EXPECT_DOUBLE_EQ(judge(r).first_ok_ms.value(), 1500);
}

TEST_F(failover_verdict, AnAddedOutageBelowZeroIsGivenRaw) {
   r.promoted_at = at(1003);
   EXPECT_DOUBLE_EQ(judge(r).client_added_ms.value(), -1);
}

TEST(DrillVerdict, WithoutAPromotionTheFirstWriteIsThatAfterTheConnectionWasLost) {
   const figures f = judge(good_loss_of_a_connection());
   EXPECT_EQ(f.broken, std::vector<std::string>());
   EXPECT_DOUBLE_EQ(f.first_ok_ms.value(), 3);
   EXPECT_FALSE(f.promoted_ms || f.client_added_ms || f.sentinel_named_ms);
   EXPECT_FALSE(f.late);
}

TEST_F(failover_verdict, AClientThatNeverReachesTheNewMasterBreaksAPromise) {
   r.operations.resize(3);
   r.events.pop_back();
   const figures f = judge(r);
   EXPECT_TRUE(says(f, "did not come back"));
   EXPECT_FALSE(f.first_ok_ms);
   EXPECT_DOUBLE_EQ(f.longest_gap_ms, 2510) << "the gap lasts to the end";
}

TEST_F(failover_verdict, AnAcknowledgedWriteThatIsGoneCountsAsLostButNoPromiseWasMadeInAFailover) {
   r.held = survivors{.set = {2}, .list = {2}, .counter = 1};
   const figures f = judge(r);
   for (const totals& t : f.by_command) EXPECT_EQ(t.lost, 1U);
   EXPECT_EQ(f.broken, std::vector<std::string>());
}

TEST_F(loss_verdict, ALossWithoutAFailoverBreaksAPromise) {
   r.held->set = {2};
   EXPECT_TRUE(says(judge(r), "1 acknowledged write lost"));
}

TEST_F(failover_verdict, ANumberPushedTwiceIsADuplicate) {
   r.held->list = {1, 1, 2};
   const figures f = judge(r);
   EXPECT_EQ(f.by_command[1].duplicated, 1U);
   EXPECT_TRUE(says(f, "more than once"));
   r.delivery = delivery::at_least_once;
   EXPECT_FALSE(says(judge(r), "more than once")) << "that is what was asked for";
}

TEST_F(failover_verdict, ACounterAboveAllThatMayHaveRunWasCountedTwice) {
   r.operations.push_back(failed(write_kind::incr, 3, 2100, outcome::unknown));
   r.held->counter = 3;
   EXPECT_EQ(judge(r).all.duplicated, 0U);
   r.held->counter = 4;
   EXPECT_EQ(judge(r).all.duplicated, 1U);
}

TEST_F(failover_verdict, WhatWasReportedAsNotExecutedMustBeAbsent) {
   r.operations.push_back(failed(write_kind::rpush, 3, 2100, outcome::not_executed));
   EXPECT_FALSE(says(judge(r), "reported as not executed"));
   r.held->list = {1, 2, 3};
   EXPECT_TRUE(says(judge(r), "1 write ran and had been reported as not executed"));
}

TEST_F(failover_verdict, OneUnknownForEachLostConnectionIsAllowedToWhatMayNotBeRepeated) {
   r.operations.push_back(failed(write_kind::rpush, 3, 1.5, outcome::unknown));
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
   r.operations.push_back(failed(write_kind::incr, 3, 1.6, outcome::unknown));
   EXPECT_TRUE(says(judge(r), "1 unknown outcome without"));
}

TEST_F(failover_verdict, ASetMayNotFailWhereItCanBeSentAgain) {
   r.operations.push_back(failed(write_kind::set, 3, 1.5, outcome::unknown));
   EXPECT_TRUE(says(judge(r), "1 of SET failed"));
   r.delivery = delivery::at_most_once;
   EXPECT_EQ(judge(r).broken, std::vector<std::string>()) << "at most once: it must not be sent again";
}

TEST_F(failover_verdict, NothingMayFailAsNotExecutedInAnOrdinaryFailover) {
   r.operations.push_back(failed(write_kind::incr, 3, 1.5, outcome::not_executed));
   EXPECT_TRUE(says(judge(r), "1 of INCR failed"));
}

TEST_F(failover_verdict, ErrorsOfALatePromotionAreToldApart) {
   r.promoted_at = at(9001);
   r.operations.push_back(failed(write_kind::set, 3, 9000, outcome::not_executed));
   const figures f = judge(r);
   EXPECT_TRUE(f.late);
   EXPECT_EQ(f.broken, std::vector<std::string>());
   EXPECT_EQ(f.all.errors(), 1U);
}

TEST_F(loss_verdict, ErrorsOfAFaultThatOutlastsTheDeadlineAreToldApart) {
   r.operations.push_back(failed(write_kind::set, 3, 9000, outcome::not_executed));
   EXPECT_TRUE(says(judge(r), "1 of SET failed"));
   r.in_force_at = at(9001);
   EXPECT_TRUE(says(judge(r), "1 of SET failed")) << "all went on meanwhile";
   r.interrupts = true;  // a server that loads its data for so long
   EXPECT_TRUE(judge(r).late);
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
   r.operations.resize(3);
   EXPECT_TRUE(says(judge(r), "did not come back"));
}

TEST_F(failover_verdict, ButADuplicateIsNeverExcused) {
   r.second_failover = true;
   r.held->list = {1, 1, 2};
   EXPECT_TRUE(says(judge(r), "more than once"));
}

TEST_F(failover_verdict, APromotionThatNeverCameIsLate) {
   r.promoted_at.reset();
   EXPECT_TRUE(judge(r).late);
}

TEST_F(failover_verdict, TheListMustBeInTheOrderInWhichItWasWritten) {
   r.held->list = {2, 1};
   EXPECT_TRUE(says(judge(r), "order"));
}

TEST_F(failover_verdict, WhatTheUserCutShortIsNoError) {
   r.operations.push_back(failed(write_kind::incr, 3, 2100, outcome::unknown));
   r.operations.back().cancelled = true;
   EXPECT_TRUE(says(judge(r), "unknown")) << "nobody asked for it";
   r.cut_short = true;
   r.held->counter = 3;
   const figures f = judge(r);
   EXPECT_EQ(f.all.errors(), 0U);
   EXPECT_EQ(f.all.duplicated, 0U) << "it may have run all the same";
   EXPECT_EQ(f.broken, std::vector<std::string>());
}

TEST_F(failover_verdict, WhatTheLabCouldNotDoIsTold) {
   r.trouble = "no replica was promoted";
   EXPECT_TRUE(says(judge(r), "no replica was promoted"));
}

TEST_F(failover_verdict, AnUnknownOutcomeNeedsAConnectionLostWhileItWasUnderWay) {
   r.operations.push_back(failed(write_kind::rpush, 3, 0.9, outcome::unknown));
   EXPECT_TRUE(says(judge(r), "1 unknown outcome without")) << "the loss came later";
   r.events.push_back(lost_connection(0.5));
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
   std::get<event::connection_lost>(r.events.back().what).unanswered = 0;
   EXPECT_TRUE(says(judge(r), "1 unknown outcome without"));
}

TEST_F(loss_verdict, RepliesMustRiseByOneAndByNoMoreThanWhatMayHaveRunInBetween) {
   r.operations[4].integer = 1;
   EXPECT_TRUE(says(judge(r), " to INCR"));
   r.operations[4].integer = 3;
   EXPECT_TRUE(says(judge(r), " to INCR"));
   r.operations.insert(r.operations.begin() + 4, failed(write_kind::incr, 9, 1.5, outcome::unknown));
   EXPECT_FALSE(says(judge(r), " to INCR"));
   r.operations[0].integer.reset();
   EXPECT_TRUE(says(judge(r), " to RPUSH"));
   r.operations[2].status = "QUEUED";
   EXPECT_TRUE(says(judge(r), " to SET"));
}

TEST_F(failover_verdict, RepliesMayFallWhereTheClientWentToANewMaster) {
   r.operations[4].integer = 1;
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
   r.operations.push_back(acked(write_kind::incr, 1, 2100));
   EXPECT_TRUE(says(judge(r), " to INCR")) << "it stayed there";
}

TEST_F(failover_verdict, TheClientMustComeBackFromALatePromotionAndFromTheLastOfSeveral) {
   r.promoted_at = at(9001);
   r.events.pop_back();
   EXPECT_TRUE(says(judge(r), "did not come back"));
   r = good_failover();
   r.second_failover = true;
   r.promotions = {{.node = new_master, .at = at(1000)}, {.node = old_master, .at = at(1600)}};
   EXPECT_TRUE(says(judge(r), "did not come back"));
   r.events.push_back({at(1700), event::connected{.master = old_master}});
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
}

TEST_F(failover_verdict, WhereAFaultBringsAboutTwoFailoversTheLastIsMeantAndErrorsAreErrors) {
   r.promotions = {{.node = {"127.0.0.1", 3}, .at = at(300)}, {.node = new_master, .at = at(1000)}};
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
   r.operations.push_back(failed(write_kind::set, 3, 2100, outcome::not_executed));
   EXPECT_TRUE(says(judge(r), "1 of SET failed"));
}

TEST_F(failover_verdict, TheClientMustComeSoonAfterASentinelNamedTheNewMaster) {
   EXPECT_DOUBLE_EQ(judge(r).after_named_ms.value(), 1002 - 1800);
   r.named_at = at(751);
   EXPECT_TRUE(says(judge(r), "after a Sentinel named"));
}

// As slow, pause or oom: all is answered, late or after a refusal.
record good_run_that_costs_nothing() {
   record r = good_loss_of_a_connection();
   r.costs = lab::toll::nothing;
   r.events.clear();
   return r;
}

TEST(DrillVerdict, AFaultThatCostsNothingExcusesNoConnectionGivenUpAndNoUnknownOutcome) {
   record r = good_run_that_costs_nothing();
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
   r.events = {lost_connection(1)};
   r.operations.push_back(failed(write_kind::rpush, 3, 1.5, outcome::unknown));
   EXPECT_TRUE(says(judge(r), "1 connection lost with commands under way"));
   r.operations.pop_back();
   std::get<event::connection_lost>(r.events[0].what).unanswered = 0;
   EXPECT_EQ(judge(r).broken, std::vector<std::string>()) << "nobody missed it";
}

TEST_F(failover_verdict, AFaultThatCostsNothingUntilAReplicaIsPromotedMayCostAConnectionThen) {
   r.costs = lab::toll::nothing;
   EXPECT_TRUE(says(judge(r), "though the fault ends none"));
   r.events[0].at = at(1000.5);
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
}

TEST_F(loss_verdict, AFaultThatHitNobodyShowsNothing) {
   r.events[0].at = at(-1);
   EXPECT_TRUE(says(judge(r), "hit nobody")) << "that was before it";
   r.cut_short = true;
   EXPECT_EQ(judge(r).broken, std::vector<std::string>()) << "it may have been to come";
}

TEST_F(loss_verdict, AFaultThatMeetsTheFenceIsMetBehindOne) {
   r.costs = lab::toll::fence;
   r.events.push_back({at(2), event::fenced{.where = old_master, .done = false}});
   EXPECT_TRUE(says(judge(r), "without a fence"));
   std::get<event::fenced>(r.events[1].what).done = true;
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
}

TEST_F(loss_verdict, WhatCouldNotBeReadIsNotCalledLost) {
   r.held.reset();
   const figures f = judge(r);
   EXPECT_EQ(f.all.lost, 0U);
   EXPECT_EQ(f.broken, std::vector<std::string>());
}

TEST_F(failover_verdict, ABreakerThatOpensInAFaultThatIsRiddenOutBreaksAPromise) {
   r.breaker = true;
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
   EXPECT_EQ(judge(r).breaker_opened, 0U);
   for (const char* state : {"open", "half-open", "closed"})
      r.events.push_back({at(900), event::breaker_changed{.state = state}});
   const figures opened = judge(r);
   EXPECT_EQ(opened.breaker_opened, 1U);
   EXPECT_TRUE(says(opened, "breaker opened 1 time,"));
   // With no master within the deadline, commands fail in the end, which is what it is for.
   r.promoted_at = at(20000);
   EXPECT_FALSE(says(judge(r), "breaker"));
}

TEST_F(failover_verdict, CountsTheCommandsThatTheRetryBudgetHeldBack) {
   for (int i = 0; i < 3; ++i)
      r.events.push_back({at(5), event::budget_exhausted{.command = "INCR", .why = "LOADING"}});
   EXPECT_EQ(judge(r).budget_exhausted, 3U);
}

TEST(DrillVerdict, OfWhatWasSkippedNothingIsSaid) {
   record r;
   r.skipped = "needs root";
   const figures f = judge(r);
   EXPECT_EQ(f.broken, std::vector<std::string>());
   EXPECT_FALSE(f.first_ok_ms.has_value());
}

}  // namespace
}  // namespace holdfast::drill::figures_test

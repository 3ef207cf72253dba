// Losing the master and finding it again: who is left when, how often is tried, what bounds it.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::impl::test {
namespace {

TEST(Recovery, TheFirstTryAfterALossComesAtOnceAndAsksAgain) {
   script s;
   s.warm_up();
   const unsigned asked = s.watch.asked;
   s.lose();
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.1");
   EXPECT_EQ(s.watch.asked, asked + 1);
}

TEST(Recovery, ASupersededMasterIsLeftAtOnceThoughItWorks) {
   script s;
   s.warm_up();
   s.watch.name(node_b, 6);
   s.on_view();
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.2");
}

TEST(Recovery, AnEmptyTargetIsNoReasonToLeaveAConnectionThatWorks) {
   script s;
   s.warm_up();
   s.watch.view.master.reset();
   s.on_view();
   EXPECT_EQ(s.pending_io(), "");
   auto& get = s.submit("GET a");
   EXPECT_EQ(s.accept(), "GET a");
   s.answer(bulk("v"));
   EXPECT_EQ(get.says(), "v");
}

TEST(Recovery, ANewerEpochOfTheSameMasterIsNoReasonToLeaveIt) {
   script s;
   s.warm_up();
   s.watch.name(node_a, 6);
   s.on_view();
   EXPECT_EQ(s.pending_io(), "");
}

TEST(Recovery, WhileASwitchIsAskedAboutNothingIsWrittenAndNothingSpins) {
   script s;
   s.warm_up();
   s.watch.view.in_doubt = true;
   auto& set = s.submit("SET a 1", {.deadline = 5s});
   EXPECT_EQ(s.pending(), 0U);
   s.advance(300ms);
   EXPECT_EQ(s.pending(), 0U);
   s.watch.view.in_doubt = false;
   s.on_view();
   EXPECT_EQ(s.accept(), "SET a 1");
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
}

TEST(Recovery, WhatIsHeldInDoubtGoesToTheNewMasterUnharmed) {
   script s;
   s.warm_up();
   s.watch.view.in_doubt = true;
   auto& incr = s.submit("INCR n");
   s.watch.name(node_b, 6);
   s.watch.view.in_doubt = false;
   s.on_view();
   s.connect();
   EXPECT_EQ(s.accept(), "INCR n");
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
   EXPECT_EQ(incr.op.attempts, 1U);
}

TEST(Recovery, NeverGivesUpWhileACommandWaits) {
   script s;
   auto& get = s.submit("GET a", {.deadline = 60s});
   unsigned dials = 0;
   const auto end = s.now + 30s;
   while (s.now < end) {
      if (s.main.now() == link::state::dialing) {
         ++dials;
         s.lose("connection refused");
      }
      s.advance(10ms);
   }
   EXPECT_GT(dials, 40U);
   EXPECT_LT(dials, 120U) << "full jitter from 20 ms, doubled up to 1 s";
   EXPECT_EQ(get.says(), "waiting");
   while (s.main.now() != link::state::dialing) s.advance(10ms);
   s.connect();
   s.accept();
   s.answer(bulk("v"));
   EXPECT_EQ(get.says(), "v");
   EXPECT_EQ(get.op.attempts, 1U) << "dialing costs it nothing";
}

TEST(Recovery, LooksMoreOftenWhileAFailoverRuns) {
   script s;
   s.watch.view.failover_in_progress = true;
   s.submit("GET a", {.deadline = 60s});
   duration longest{};
   duration shortest = 1h;
   for (int i = 0; i < 60; ++i) {
      ASSERT_EQ(s.main.now(), link::state::dialing);
      s.lose("connection refused");
      const auto begin = s.now;
      while (s.main.now() != link::state::dialing) s.advance(1ms);
      longest = std::max(longest, s.now - begin);
      if (i > 10) shortest = std::min(shortest, s.now - begin);
   }
   EXPECT_LE(longest, 251ms);
   EXPECT_GE(longest, 150ms);
   EXPECT_LT(shortest, 100ms) << "the jitter survives the cap";
}

TEST(Recovery, GrowsItsPausesWhereAServerEndsEachConnectionBeforeItAnswersAnything) {
   script s;
   auto& get = s.submit("GET a", {.deadline = 60s});
   std::vector<duration> gaps;
   auto last = s.now;
   for (int i = 0; i < 40; ++i) {
      s.connect();
      gaps.push_back(s.now - last);
      last = s.now;
      s.accept();
      s.lose();
      while (s.main.now() != link::state::dialing && !get.done()) s.advance(1ms);
      if (get.done()) break;
   }
   duration early{}, late{};
   for (std::size_t i = 1; i < 5; ++i) early += gaps[i];
   for (std::size_t i = gaps.size() - 10; i < gaps.size(); ++i) late += gaps[i];
   EXPECT_LT(early, 300ms);
   EXPECT_GT(late, 2s) << "ten of them, about half a second each";
}

TEST(Recovery, APauseEndsWhenAnotherMasterIsNamed) {
   script s;
   s.submit("GET a", {.deadline = 60s});
   for (int i = 0; i < 12; ++i) {
      while (s.main.now() != link::state::dialing) s.advance(1ms);
      s.lose("connection refused");
   }
   s.pending_io();
   s.watch.name(node_b, 6);
   s.on_view();
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.2");
}

TEST(Recovery, OfACrowdIsSpreadOverTheConfiguredTime) {
   settings spread;
   spread.connecting.reconnect_spread = 500ms;
   script s(spread);
   s.warm_up();
   s.submit("GET a", {.deadline = 5s});
   s.watch.name(node_b, 6);
   s.on_view();
   EXPECT_EQ(s.pending_io(), "abort") << "the old one is left at once";
   s.on_view();
   EXPECT_EQ(s.pending_io(), "") << "and not sooner because of more news of the same";
   s.advance(500ms);
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.2");
   // The same master again is no crowd.
   s.connect();
   s.accept();
   s.answer(bulk("v"));
   s.lose();
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.2");
}

TEST(recovery, first_resend_after_a_loss_is_free_the_next_are_not) {
   script s({}, {.ratio = 0, .per_second = 0.1});
   s.warm_up();
   auto& one = s.submit("SET a 1", {.deadline = 10s});
   auto& two = s.submit("SET b 1", {.deadline = 10s});
   s.accept();
   s.lose();
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1; SET b 1");
   const std::size_t none = s.pending();
   EXPECT_EQ(none, 0U);
   auto& parked = s.submit("SET c 1", {.deadline = 10s});
   s.lose();
   s.advance(1s);
   s.connect(9);
   EXPECT_EQ(one.says(), "waiting") << "the oldest has what budget there is";
   EXPECT_EQ(two.says(), "unknown, retry_budget_exhausted");
   EXPECT_EQ(s.accept(), "SET a 1; SET c 1");
   s.answer(ok + ok);
   EXPECT_EQ(parked.says(), "OK");
   EXPECT_EQ(parked.op.attempts, 1U);
}

TEST(recovery, change_of_master_makes_one_more_resend_free) {
   script s({}, {.ratio = 0, .per_second = 0});
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 20s});
   s.accept();
   s.lose();
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.watch.name(node_b, 6);
   s.on_view();
   s.connect(9);
   EXPECT_EQ(s.accept(), "");
   EXPECT_EQ(set.says(), "unknown, retry_budget_exhausted") << "it was lost before the master changed";
   auto& other = s.submit("SET a 2", {.deadline = 20s});
   s.accept();
   s.lose();
   s.advance(1s);
   s.connect(10);
   EXPECT_EQ(s.accept(), "SET a 2") << "its first";
   s.watch.name(node_a, 7);
   s.on_view();
   s.connect(11);
   EXPECT_EQ(other.says(), "unknown, retry_budget_exhausted");
}

TEST(Recovery, ResendsNoMoreOftenThanConfiguredAndDoesNotCountWhatWasWrittenInPart) {
   settings once;
   once.max_resends = 1;
   script s(once);
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 20s});
   s.accept(5);
   s.lose();
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.lose();
   s.advance(100ms);
   s.connect(9);
   EXPECT_EQ(s.accept(), "SET a 1") << "the one resend";
   s.lose();
   s.advance(100ms);
   s.connect(10);
   EXPECT_EQ(set.says(), "unknown, connection_lost");
   EXPECT_EQ(set.error().attempts, 2U);
}

TEST(Recovery, TellsWhyACommandIsSentAgain) {
   script s;
   s.warm_up();
   s.submit("SET a 1");
   s.accept();
   s.lose();
   s.connect(8);
   s.accept();
   const auto resent = s.told<event::resent>();
   ASSERT_EQ(resent.size(), 1U);
   EXPECT_EQ(resent[0].command, "SET a <1 byte>");
   EXPECT_EQ(resent[0].attempt, 2U);
   EXPECT_EQ(resent[0].where, s.told<event::connection_lost>().front().where);
   EXPECT_NE(resent[0].where, endpoint{});
   EXPECT_NE(resent[0].why.find("closed by the other side"), std::string::npos);
   ASSERT_EQ(s.told<event::connection_lost>().size(), 1U);
   EXPECT_EQ(s.told<event::connection_lost>()[0].unanswered, 1U);
}

TEST(Recovery, OfOneFixedServerWaitsOutARestart) {
   script s;
   s.watch.view.verify_role = false;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.lose();
   for (int i = 0; i < 5; ++i) {
      while (s.main.now() != link::state::dialing) s.advance(1ms);
      s.lose("connection refused");
   }
   while (s.main.now() != link::state::dialing) s.advance(1ms);
   EXPECT_EQ(s.connect(3), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007")
      << "by id and address: the restarted server gave the id to a stranger";
   EXPECT_EQ(s.accept(), "SET a 1");
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
}

TEST(Recovery, ANameThatNoSentinelKnowsIsFinalOnFirstContactOnly) {
   {
      script s;
      s.watch.view.master.reset();
      s.watch.view.why_none = unavailable{errc::unknown_master, {"10.0.1.1:26379: no such master"}, true};
      auto& get = s.submit("GET a");
      s.advance(20ms);
      EXPECT_EQ(get.says(), "not_executed, unknown_master");
      EXPECT_TRUE(get.has_cause("no such master"));
   }
   script s;
   s.warm_up();
   s.watch.view.master.reset();
   s.watch.view.why_none = unavailable{errc::unknown_master, {"10.0.1.1:26379: no such master"}, true};
   s.lose();
   auto& get = s.submit("GET a", {.deadline = 1s});
   s.advance(999ms);
   EXPECT_EQ(get.says(), "waiting");
   s.advance(1ms);
   EXPECT_EQ(get.says(), "not_executed, unknown_master");
}

}  // namespace
}  // namespace holdfast::impl::test

// A node that does not answer: suspicion, the probe, evidence; connections that idled; commands that may block.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace holdfast::impl::test {
namespace {

TEST(Silence, RaisesSuspicionAfterTheAttemptTimeoutAndProbes) {
   script s;
   s.warm_up();
   auto& get = s.submit("GET a");
   s.accept();
   s.advance(1999ms);
   EXPECT_TRUE(s.told<event::suspected>().empty());
   const unsigned asked = s.watch.asked;
   s.advance(1ms);
   EXPECT_EQ(s.told<event::suspected>().size(), 1U);
   EXPECT_EQ(s.pending_io(), "probe 10.0.0.1");
   EXPECT_EQ(s.watch.asked, asked + 1) << "and asks the Sentinels";
   EXPECT_EQ(get.says(), "waiting");
   s.open_probe();
   EXPECT_EQ(s.accept_probe(), "PING");
}

TEST(Silence, OneSlowReplyClearsIt) {
   script s;
   s.warm_up();
   auto& one = s.submit("INCR a");
   auto& two = s.submit("INCR b");
   s.accept();
   s.advance(3s);
   s.pending_io();
   s.answer(number(1));
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(s.pending_io(), "unprobe");
   EXPECT_EQ(s.told<event::suspicion_cleared>().size(), 1U);
   s.advance(1900ms);
   EXPECT_EQ(s.told<event::suspected>().size(), 1U) << "the next has its own time";
   s.answer(number(2));
   EXPECT_EQ(two.says(), "2");
}

TEST(Silence, IsGivenUpAfterTwiceTheAttemptTimeout) {
   for (const bool probe_answers : {false, true}) {
      script s;
      s.warm_up();
      auto& incr = s.submit("INCR a");
      s.accept();
      s.advance(2s);
      s.open_probe();
      s.accept_probe();
      if (probe_answers) s.answer_probe(pong);
      s.pending_io();
      s.advance(1999ms);
      EXPECT_EQ(s.pending_io(), "");
      s.advance(1ms);
      EXPECT_EQ(s.pending_io().substr(0, 5), probe_answers ? "abort" : "unpro");
      EXPECT_EQ(incr.says(), "waiting");
      s.connect(8);
      EXPECT_EQ(incr.says(), "unknown, connection_lost");
      EXPECT_TRUE(incr.has_cause("no reply for 4000 ms"));
   }
}

TEST(Silence, IsGivenUpSoonerIfTheSentinelsAgreeAndTheProbeFails) {
   script s;
   s.warm_up();
   s.submit("INCR a");
   s.accept();
   s.advance(2s);
   s.open_probe();
   s.pending_io();
   s.watch.view.objectively_down = true;
   s.on_view();
   s.advance(1s);
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
}

TEST(Silence, IsNotGivenUpSoonerIfTheProbeIsAnswered) {
   script s;
   s.warm_up();
   s.submit("INCR a");
   s.accept();
   s.advance(2s);
   s.open_probe();
   s.accept_probe();
   s.answer_probe(refuses("LOADING Redis is loading the dataset in memory"));
   s.watch.view.objectively_down = true;
   s.on_view();
   s.advance(1900ms);
   EXPECT_TRUE(s.told<event::connection_lost>().empty());
}

TEST(Silence, AProbeThatIsLostIsAsGoodAsNone) {
   script s;
   s.warm_up();
   s.submit("INCR a");
   s.accept();
   s.advance(2s);
   s.lose_probe();
   s.watch.view.objectively_down = true;
   s.on_view();
   s.advance(1s);
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
}

TEST(Silence, EndsAtOnceWhenAnotherMasterIsNamed) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1");
   s.accept();
   s.advance(2s);
   s.pending_io();
   s.watch.name(node_b, 6);
   s.on_view();
   EXPECT_EQ(s.pending_io(), "unprobe; abort; dial 10.0.0.2");
   s.connect();
   EXPECT_EQ(s.accept(), "SET a 1");
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
}

TEST(Silence, OfACommandThatIsNotTakenIsSilenceToo) {
   script s;
   s.warm_up();
   auto& incr = s.submit("INCR a");
   s.advance(4s);
   ASSERT_EQ(s.told<event::connection_lost>().size(), 1U);
   EXPECT_EQ(s.told<event::connection_lost>()[0].unanswered, 0U);
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server") << "nothing was written";
   EXPECT_EQ(s.accept(), "INCR a");
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
}

TEST(Silence, OfWhatNobodyWaitsForIsWatchedToo) {
   script s;
   s.warm_up();
   s.submit("GET a", {.deadline = 1s});
   s.accept();
   s.advance(4s);
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U) << "else the next command would wait behind it";
}

// The process was stopped, or the caller stayed away: the probe has its time all the same.
TEST(Silence, ThatIsNoticedLateLeavesTheProbeItsTime) {
   script s;
   s.warm_up();
   s.submit("GET a", {.deadline = 60s});
   s.accept();
   s.now += 30s;
   s.subject.tick(s.now);
   s.on_view();
   EXPECT_EQ(s.pending_io(), "probe 10.0.0.1");
   EXPECT_GT(s.subject.next_deadline(), s.now);
   EXPECT_TRUE(s.told<event::connection_lost>().empty());
   s.advance(2s);
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
}

// ---- what takes long to transfer -----------------------------------------------------------------------------------

TEST(Transfer, bytes_of_a_reply_are_life) {
   script s;
   s.warm_up();
   auto& get = s.submit("GET big", {.deadline = 1h});
   s.accept();
   s.answer("$30\r\n");
   for (int i = 0; i < 29; ++i) {
      s.advance(1999ms);
      s.answer("x");
   }
   EXPECT_TRUE(s.told<event::suspected>().empty());
   s.advance(1999ms);
   s.answer("x\r\n");
   EXPECT_EQ(get.says(), std::string(30, 'x'));
}

TEST(Transfer, reply_that_stops_is_silence) {
   script s;
   s.warm_up();
   s.submit("GET big", {.deadline = 1h});
   s.accept();
   s.advance(1500ms);
   s.answer("$30\r\nxxxx");
   s.advance(2s);
   ASSERT_EQ(s.told<event::suspected>().size(), 1U);
   EXPECT_EQ(s.told<event::suspected>()[0].silent_for, 2s);
   s.advance(2s);
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
}

TEST(Transfer, byte_of_a_reply_clears_suspicion) {
   script s;
   s.warm_up();
   s.submit("GET big", {.deadline = 1h});
   s.accept();
   s.advance(3s);
   s.answer("$30\r\nxxxx");
   EXPECT_EQ(s.told<event::suspicion_cleared>().size(), 1U);
   s.advance(1900ms);
   EXPECT_TRUE(s.told<event::connection_lost>().empty());
}

TEST(Transfer, dribbling_server_is_bounded_by_the_deadline) {
   script s;
   s.warm_up();
   auto& get = s.submit("GET big", {.deadline = 10s});
   s.accept();
   s.answer("$1000000\r\n");
   for (int i = 0; i < 9; ++i) {
      s.advance(1s);
      s.answer("x");
   }
   EXPECT_EQ(get.says(), "waiting");
   s.advance(1s);
   EXPECT_EQ(get.says(), "unknown, deadline_exceeded");
}

TEST(Transfer, bytes_that_the_full_kernel_takes_are_life) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET big " + std::string(40, 'x'), {.deadline = 1h});
   s.accept(5);
   for (int i = 0; i < 20; ++i) {
      s.advance(1999ms);
      s.accept(2);
   }
   EXPECT_TRUE(s.told<event::suspected>().empty());
   s.accept();
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
}

TEST(Transfer, upload_that_stops_is_silence) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET big " + std::string(40, 'x'), {.deadline = 1h});
   s.accept(5);
   s.advance(1s);
   s.accept(5);
   s.advance(4s);
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
   s.connect(8);
   EXPECT_EQ(s.accept().substr(0, 7), "SET big") << "it was not sent whole: it goes again";
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
}

TEST(Transfer, bytes_that_the_other_side_acknowledges_are_life) {
   script s;
   s.warm_up();
   s.way = transit{.undelivered = 60};
   s.submit("SET big " + std::string(100, 'x'), {.deadline = 1h});
   s.accept();
   for (; s.way->undelivered > 0; --s.way->undelivered) s.advance(1s);
   EXPECT_TRUE(s.told<event::suspected>().empty());
   s.advance(3s);
   EXPECT_EQ(s.told<event::suspected>().size(), 1U) << "all is there, and no answer comes";
   s.advance(2s);
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
}

// The kernel of a frozen server takes in much.
TEST(Transfer, bytes_behind_the_oldest_command_are_no_life) {
   script s;
   s.warm_up();
   s.way = transit{};
   s.submit("GET a", {.deadline = 1h});
   s.accept();
   for (int i = 0; i < 8; ++i) {
      s.submit("GET b", {.deadline = 1h});
      s.accept(3);
      s.advance(500ms);
      s.accept();
   }
   EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
}

settings with_timeout(duration d) {
   settings s;
   s.attempt_timeout = d;
   return s;
}

// A closed window whose other side answers: behind a long script.
TEST(Transfer, peer_without_room_has_as_long_as_the_timeout_says) {
   for (const duration timeout : {duration(2s), duration(30s)}) {
      script s(with_timeout(timeout));
      s.warm_up();
      s.way = transit{.undelivered = 10};
      s.submit("SET a 1", {.deadline = 1h});
      s.accept();
      s.advance(timeout * 2 - 1ms);
      EXPECT_TRUE(s.told<event::connection_lost>().empty());
      s.advance(1ms);
      EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
   }
}

TEST(Transfer, peer_that_is_gone_is_noticed_within_seconds) {
   for (const char* line : {"INCR a", "BLPOP q 0", "BLPOP q 100"}) {
      script s(with_timeout(30s));
      s.warm_up();
      s.submit(line, {.deadline = 1h});
      s.accept();
      s.way = transit{.undelivered = 10};
      s.advance(1s);
      s.way->unanswered = true;
      s.advance(3900ms);
      EXPECT_TRUE(s.told<event::connection_lost>().empty());
      s.advance(1100ms);
      EXPECT_EQ(s.told<event::connection_lost>().size(), 1U);
   }
}

TEST(Transfer, nothing_is_measured_once_all_has_arrived) {
   script s;
   s.warm_up();
   s.way = transit{};
   s.submit("BLPOP q 0");
   s.accept();
   s.advance(1s);
   EXPECT_FALSE(s.subject.wants_transit(s.now + 1h));
}

// ---- blocking commands ---------------------------------------------------------------------------------------------

TEST(Blocking, ACommandMayBeSilentForItsOwnTimeBesides) {
   script s;
   s.warm_up();
   auto& pop = s.submit("BLPOP q 5");
   s.accept();
   s.advance(6999ms);
   EXPECT_TRUE(s.told<event::suspected>().empty());
   s.advance(1ms);
   EXPECT_EQ(s.told<event::suspected>().size(), 1U);
   s.answer("_\r\n");
   EXPECT_TRUE(pop.done() && pop.results[0]);
}

TEST(Blocking, ForEverIsNeverSuspectedAndHasNoDeadline) {
   script s;
   s.warm_up();
   auto& pop = s.submit("BLPOP q 0");
   s.accept();
   s.advance(24h);
   EXPECT_EQ(pop.says(), "waiting");
   EXPECT_TRUE(s.told<event::suspected>().empty());
   s.answer("*2\r\n" + bulk("q") + bulk("v"));
   EXPECT_TRUE(pop.done() && pop.results[0]);
}

TEST(Blocking, WhatStandsBehindHasItsTimeFromWhenItIsTheOldest) {
   script s;
   s.warm_up();
   auto& pop = s.submit("BLPOP q 0");
   auto& get = s.submit("GET a", {.deadline = 60s});
   s.accept();
   s.advance(10s);
   s.answer("*2\r\n" + bulk("q") + bulk("v"));
   EXPECT_TRUE(pop.done());
   s.advance(1999ms);
   EXPECT_TRUE(s.told<event::suspected>().empty());
   s.advance(1ms);
   EXPECT_EQ(s.told<event::suspected>().size(), 1U);
   s.answer(bulk("v"));
   EXPECT_EQ(get.says(), "v");
}

TEST(Blocking, APopThatIsLostIsUnknownAndAReadIsAskedAgain) {
   script s;
   s.warm_up();
   auto& pop = s.submit("BLPOP q 0");
   auto& read = s.submit("XREAD BLOCK 0 STREAMS s 0");
   s.accept();
   s.lose();
   s.connect(8);
   EXPECT_EQ(pop.says(), "unknown, connection_lost");
   EXPECT_EQ(s.accept(), "XREAD BLOCK 0 STREAMS s 0");
   EXPECT_EQ(read.says(), "waiting");
}

TEST(Blocking, WhatIsAbandonedDoesNotHoldUpTheLane) {
   script s;
   s.warm_up();
   auto& pop = s.submit("BLPOP q 60", {.deadline = 100ms});
   s.accept();
   s.advance(100ms);
   EXPECT_EQ(pop.says(), "unknown, deadline_exceeded");
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.1");
   auto& get = s.submit("GET k");
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007")
      << "nor pop for nobody";
   EXPECT_EQ(s.accept(), "GET k");
   s.answer(bulk("v"));
   EXPECT_EQ(get.says(), "v");
}

// What waits for nobody would take the next element.
TEST(Blocking, cancelled_command_ends_its_connection_at_once) {
   for (const char* line : {"BLPOP q 0", "BLPOP q 60", "BLMOVE q r LEFT RIGHT 0", "BRPOPLPUSH q r 0", "BZPOPMIN z 0",
                            "BZMPOP 0 1 z MIN", "BLMPOP 0 1 q LEFT", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >",
                            "XREAD BLOCK 0 STREAMS s $", "WAIT 1 0", "WAITAOF 1 0 0"}) {
      SCOPED_TRACE(line);
      script s;
      s.warm_up();
      auto& pop = s.submit(line);
      s.accept();
      s.cancel(pop);
      EXPECT_EQ(pop.says(), "unknown, cancelled");
      EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
      ASSERT_EQ(s.told<event::connection_lost>().size(), 1U);
      EXPECT_EQ(s.told<event::connection_lost>()[0].why, "a blocking command was abandoned");
      auto& get = s.submit("GET k");
      s.connect(8);
      EXPECT_EQ(s.accept(), "GET k");
      s.answer(bulk("v"));
      EXPECT_EQ(get.says(), "v");
   }
}

TEST(Blocking, cancelled_pop_is_fenced_before_the_next_command) {
   script s;
   s.warm_up();
   auto& pop = s.submit("BLPOP q 0");
   s.accept();
   s.cancel(pop);
   s.submit("GET k");
   EXPECT_NE(s.connect(8).find("CLIENT KILL ID 7 ADDR 10.9.9.9:40007"), std::string::npos);
}

TEST(Blocking, cancelled_before_it_was_written_costs_no_connection) {
   script s;
   s.warm_up();
   auto& pop = s.submit("BLPOP q 0");
   s.cancel(pop);
   EXPECT_EQ(pop.says(), "not_executed, cancelled");
   EXPECT_EQ(s.pending_io(), "");
}

// A whole list is cancelled, from either end.
TEST(Blocking, cancelled_list_ends_its_connection_at_once) {
   for (const bool newest_first : {false, true}) {
      script s;
      s.warm_up();
      std::vector<call*> list{&s.submit("INCR a"), &s.submit("BLPOP q 0"), &s.submit("INCR b")};
      s.accept();
      if (newest_first) std::reverse(list.begin(), list.end());
      for (call* c : list) s.cancel(*c);
      for (const call* c : list) EXPECT_EQ(c->says().substr(0, 7), "unknown");
      EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
   }
}

TEST(Blocking, abandoned_behind_what_is_waited_for_ends_after_that) {
   script s;
   s.warm_up();
   auto& incr = s.submit("INCR a");
   auto& pop = s.submit("BLPOP q 0");
   s.accept();
   s.cancel(pop);
   EXPECT_EQ(pop.says(), "unknown, cancelled");
   EXPECT_EQ(s.pending_io(), "");
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
   EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
}

TEST(Blocking, APopThatTheDemotionEndedDidNotRun) {
   script s;
   s.warm_up();
   auto& pop = s.submit("BLPOP q 0");
   s.accept();
   s.watch.name(node_b, 6);
   s.answer(refuses("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"));
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.2");
   s.connect(1);
   EXPECT_EQ(s.accept(), "BLPOP q 0");
   EXPECT_EQ(pop.says(), "waiting");
}

// ---- after idling --------------------------------------------------------------------------------------------------

TEST(Idle, AConnectionIsTestedBeforeItIsUsedAgain) {
   script s;
   s.warm_up();
   s.advance(5s);
   auto& incr = s.submit("INCR a");
   EXPECT_EQ(s.accept(), "PING") << "nothing else, so that nothing else can become unknown";
   s.answer(pong);
   EXPECT_EQ(s.accept(), "INCR a");
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
}

TEST(Idle, AConnectionThatWasUsedLatelyIsNotTested) {
   script s;
   s.warm_up();
   s.advance(4999ms);
   s.submit("INCR a");
   EXPECT_EQ(s.accept(), "INCR a");
}

TEST(Idle, ADeadConnectionCostsNoUnknownOutcome) {
   script s;
   s.warm_up();
   s.advance(1h);
   auto& incr = s.submit("INCR a", {.deadline = 10s});
   s.accept();
   s.advance(999ms);
   EXPECT_EQ(s.pending_io(), "");
   s.advance(1ms);
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.1");
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server") << "and needs no fence";
   EXPECT_EQ(s.accept(), "INCR a");
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
   EXPECT_EQ(incr.op.attempts, 1U);
}

TEST(Idle, AnErrorIsALifeSignToo) {
   script s;
   s.warm_up();
   s.advance(1h);
   s.submit("GET a");
   EXPECT_EQ(s.accept(), "PING");
   s.answer(refuses("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist"));
   EXPECT_EQ(s.accept(), "GET a");
}

TEST(Idle, NothingIsAskedOrTickedWhileNobodyWantsAnything) {
   script s;
   s.warm_up();
   s.advance(10s);
   EXPECT_EQ(s.subject.next_deadline(), never);
   const unsigned asked = s.watch.asked;
   s.advance(24h);
   EXPECT_EQ(s.watch.asked, asked);
   s.lose();
   s.connect(8);
   EXPECT_EQ(s.subject.next_deadline(), never);
}

}  // namespace
}  // namespace holdfast::impl::test

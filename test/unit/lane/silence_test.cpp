// A node that does not answer: suspicion, the probe, evidence; connections that idled; commands that may block.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace holdfast::impl::test::silence_test {
namespace {

using silence = warm_lane;

TEST_F(silence, raises_suspicion_after_the_attempt_timeout_and_probes) {
   auto& get = s.send("GET a");
   EXPECT_EQ(s.news_after(1999ms), "");
   const unsigned asked = s.watch.asked;
   EXPECT_EQ(s.news_after(1ms), "suspected");
   EXPECT_EQ(s.pending_io(), "probe 10.0.0.1");
   EXPECT_EQ(s.watch.asked, asked + 1) << "and asks the Sentinels";
   EXPECT_EQ(get.says(), "waiting");
   EXPECT_EQ(s.probe(""), "PING");
}

TEST_F(silence, is_cleared_by_one_slow_reply) {
   auto& one = s.submit("INCR a");
   auto& two = s.send("INCR b");
   s.advance(3s);
   s.pending_io();
   s.answer(number(1));
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(s.pending_io(), "unprobe");
   EXPECT_EQ(s.news(), "suspected; cleared");
   EXPECT_EQ(s.news_after(1900ms), "") << "the next has its own time";
   s.answer(number(2));
   EXPECT_EQ(two.says(), "2");
}

TEST(silence_and_probe, end_after_twice_the_attempt_timeout) {
   for (const bool probe_answers : {false, true}) {
      warm_script s;
      auto& incr = s.send("INCR a");
      s.advance(2s);
      s.probe(probe_answers ? pong : "");
      s.pending_io();
      EXPECT_EQ(s.io_after(1999ms), "");
      EXPECT_EQ(s.io_after(1ms).substr(0, 5), probe_answers ? "abort" : "unpro");
      EXPECT_EQ(incr.says(), "waiting");
      s.connect(8);
      expect_end(incr, "unknown, connection_lost", "no reply for 4000 ms");
   }
}

TEST(silence_called_down, ends_sooner_only_if_the_probe_fails) {
   for (const std::string_view probe : {"lost", "silent", "answered"}) {
      warm_script s;
      s.send("INCR a");
      s.advance(2s);
      if (probe == "lost")
         s.lose_probe();
      else
         s.probe(probe == "answered" ? loading : "");
      s.agree_on_down();
      EXPECT_EQ(s.news_after(1s), probe == "answered" ? "suspected" : "suspected; lost") << probe;
      EXPECT_EQ(s.news_after(900ms), "") << probe;
   }
}

TEST_F(silence, ends_at_once_when_another_master_is_named) {
   auto& set = s.send("SET a 1");
   s.advance(2s);
   s.pending_io();
   s.name(node_b, 6);
   EXPECT_EQ(s.pending_io(), "unprobe; abort; dial 10.0.0.2");
   s.connect();
   s.expect_resent(set, ok);
}

TEST_F(silence, of_a_command_that_is_not_taken_is_silence_too) {
   auto& incr = s.submit("INCR a");
   ASSERT_EQ(s.news_after(4s), "suspected; lost");
   EXPECT_EQ(s.told<event::connection_lost>()[0].unanswered, 0U);
   EXPECT_EQ(s.connect(8), greeting) << "nothing was written";
   s.expect_sent(incr, number(1));
}

TEST_F(silence, of_what_nobody_waits_for_is_watched_too) {
   s.send("GET a", {.deadline = 1s});
   EXPECT_EQ(s.news_after(4s), "suspected; lost") << "else the next command would wait behind it";
}

// The process was stopped, or the caller stayed away: the probe has its time all the same.
TEST_F(silence, noticed_late_leaves_the_probe_its_time) {
   s.send("GET a", {.deadline = 60s});
   s.now += 30s;
   s.subject.tick(s.now);
   s.on_view();
   EXPECT_EQ(s.pending_io(), "probe 10.0.0.1");
   EXPECT_GT(s.subject.next_deadline(), s.now);
   EXPECT_EQ(s.news(), "suspected");
   EXPECT_EQ(s.news_after(2s), "lost");
}

// ---- what takes long to transfer -----------------------------------------------------------------------------------

struct transfer : warm_lane {
   const terms patient{.deadline = 1h};
   call& upload(std::size_t taken) {
      call& set = s.submit("SET big " + std::string(40, 'x'), patient);
      s.accept(taken);
      return set;
   }
};

TEST_F(transfer, bytes_of_a_reply_are_life) {
   auto& get = s.send("GET big", patient);
   s.answer("$30\r\n");
   for (int i = 0; i < 29; ++i) {
      s.advance(1999ms);
      s.answer("x");
   }
   EXPECT_EQ(s.news_after(1999ms), "");
   s.answer("x\r\n");
   EXPECT_EQ(get.says(), std::string(30, 'x'));
}

TEST_F(transfer, reply_that_stops_is_silence_and_a_byte_of_it_clears_suspicion) {
   s.send("GET big", patient);
   s.advance(3s);
   s.answer("$30\r\nxxxx");
   EXPECT_EQ(s.news(), "suspected; cleared");
   EXPECT_EQ(s.news_after(1999ms), "");
   ASSERT_EQ(s.news_after(1ms), "suspected");
   EXPECT_EQ(s.told<event::suspected>()[1].silent_for, 2s);
   EXPECT_EQ(s.news_after(2s), "lost");
}

TEST_F(transfer, dribbling_server_is_bounded_by_the_deadline) {
   auto& get = s.send("GET big", {.deadline = 10s});
   s.answer("$1000000\r\n");
   for (int i = 0; i < 9; ++i) {
      s.advance(1s);
      s.answer("x");
   }
   EXPECT_EQ(get.says(), "waiting");
   s.advance(1s);
   EXPECT_EQ(get.says(), "unknown, deadline_exceeded");
}

TEST_F(transfer, bytes_that_the_full_kernel_takes_are_life) {
   auto& set = upload(5);
   for (int i = 0; i < 20; ++i) {
      s.advance(1999ms);
      s.accept(2);
   }
   EXPECT_EQ(s.news(), "");
   s.accept();
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
}

TEST_F(transfer, upload_that_stops_is_silence) {
   auto& set = upload(5);
   s.advance(1s);
   s.accept(5);
   EXPECT_EQ(s.news_after(4s), "suspected; lost");
   s.connect(8);
   s.expect_sent(set, ok);  // it was not sent whole: it goes again
}

TEST_F(transfer, bytes_that_the_other_side_acknowledges_are_life) {
   s.way = transit{.undelivered = 60};
   s.send("SET big " + std::string(100, 'x'), patient);
   for (; s.way->undelivered > 0; --s.way->undelivered) s.advance(1s);
   EXPECT_EQ(s.news(), "");
   EXPECT_EQ(s.news_after(3s), "suspected") << "all is there, and no answer comes";
   EXPECT_EQ(s.news_after(2s), "lost");
}

// The kernel of a frozen server takes in much.
TEST_F(transfer, bytes_behind_the_oldest_command_are_no_life) {
   s.way = transit{};
   s.send("GET a", patient);
   for (int i = 0; i < 8; ++i) {
      s.submit("GET b", patient);
      s.accept(3);
      s.advance(500ms);
      s.accept();
   }
   EXPECT_EQ(s.news(), "suspected; lost");
}

// A closed window whose other side answers: behind a long script.
TEST(transfer_without_room, has_as_long_as_the_timeout_says) {
   for (const duration timeout : {duration(2s), duration(30s)}) {
      warm_script s(with(&settings::attempt_timeout, timeout));
      s.way = transit{.undelivered = 10};
      s.send("SET a 1", {.deadline = 1h});
      EXPECT_EQ(s.news_after(timeout * 2 - 1ms), "suspected");
      EXPECT_EQ(s.news_after(1ms), "lost");
   }
}

TEST(transfer_without_room, peer_that_is_gone_is_noticed_within_seconds) {
   for (const char* line : {"INCR a", "BLPOP q 0", "BLPOP q 100"}) {
      warm_script s(with(&settings::attempt_timeout, 30s));
      s.send(line, {.deadline = 1h});
      s.way = transit{.undelivered = 10};
      s.advance(1s);
      s.way->unanswered = true;
      EXPECT_EQ(s.news_after(3900ms), "");
      EXPECT_EQ(s.news_after(1100ms), "lost");
   }
}

TEST_F(transfer, nothing_is_measured_once_all_has_arrived) {
   s.way = transit{};
   s.send("BLPOP q 0");
   s.advance(1s);
   EXPECT_FALSE(s.subject.wants_transit(s.now + 1h));
}

// ---- blocking commands ---------------------------------------------------------------------------------------------

using blocking = warm_lane;
const std::string popped = "*2\r\n" + bulk("q") + bulk("v");

TEST_F(blocking, command_may_be_silent_for_its_own_time_besides) {
   auto& pop = s.send("BLPOP q 5");
   EXPECT_EQ(s.news_after(6999ms), "");
   EXPECT_EQ(s.news_after(1ms), "suspected");
   s.answer("_\r\n");
   EXPECT_TRUE(pop.done() && pop.results[0]);
}

TEST_F(blocking, for_ever_is_never_suspected_and_what_stands_behind_has_its_time) {
   auto& pop = s.submit("BLPOP q 0");
   auto& get = s.send("GET a", {.deadline = 48h});
   EXPECT_EQ(s.news_after(24h), "");
   EXPECT_EQ(pop.says(), "waiting") << "it has no deadline";
   s.answer(popped);
   EXPECT_TRUE(pop.done() && pop.results[0]);
   EXPECT_EQ(s.news_after(1999ms), "");
   EXPECT_EQ(s.news_after(1ms), "suspected");
   s.answer(bulk("v"));
   EXPECT_EQ(get.says(), "v");
}

TEST_F(blocking, lost_pop_is_unknown_and_a_read_is_asked_again) {
   auto& pop = s.submit("BLPOP q 0");
   auto& read = s.lost("XREAD BLOCK 0 STREAMS s 0");
   s.connect(8);
   EXPECT_EQ(pop.says(), "unknown, connection_lost");
   EXPECT_EQ(s.accept(), "XREAD BLOCK 0 STREAMS s 0");
   EXPECT_EQ(read.says(), "waiting");
}

TEST_F(blocking, abandoned_command_does_not_hold_up_the_lane) {
   auto& pop = s.send("BLPOP q 60", {.deadline = 100ms});
   s.advance(100ms);
   EXPECT_EQ(pop.says(), "unknown, deadline_exceeded");
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.1");
   auto& get = s.submit("GET k");
   EXPECT_EQ(s.connect(8), greeting_and_kill(7)) << "nor pop for nobody";
   s.expect_sent(get, bulk("v"));
}

// What waits for nobody would take the next element.
struct cancelled_blocking : silence, testing::WithParamInterface<const char*> {};
TEST_P(cancelled_blocking, ends_its_connection_at_once) {
   auto& pop = s.send(GetParam());
   s.cancel(pop);
   EXPECT_EQ(pop.says(), "unknown, cancelled");
   EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
   ASSERT_EQ(s.news(), "lost");
   EXPECT_EQ(s.told<event::connection_lost>()[0].why, "a blocking command was abandoned");
   auto& get = s.submit("GET k");
   EXPECT_EQ(s.connect(8), greeting_and_kill(7)) << "what waits may pop yet";
   s.expect_sent(get, bulk("v"));
}
INSTANTIATE_TEST_SUITE_P(command, cancelled_blocking,
                         testing::Values("BLPOP q 0", "BLPOP q 60", "BLMOVE q r LEFT RIGHT 0", "BRPOPLPUSH q r 0",
                                         "BZPOPMIN z 0", "BZMPOP 0 1 z MIN", "BLMPOP 0 1 q LEFT",
                                         "XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "XREAD BLOCK 0 STREAMS s $",
                                         "WAIT 1 0", "WAITAOF 1 0 0"));

TEST_F(blocking, cancelled_before_it_was_written_costs_no_connection) {
   auto& pop = s.submit("BLPOP q 0");
   s.cancel(pop);
   EXPECT_EQ(pop.says(), "not_executed, cancelled");
   EXPECT_EQ(s.pending_io(), "");
}

// A whole list is cancelled, from either end.
TEST(blocking_list, cancelled_ends_its_connection_at_once) {
   for (const bool newest_first : {false, true}) {
      warm_script s;
      std::vector<call*> list{&s.submit("INCR a"), &s.submit("BLPOP q 0"), &s.send("INCR b")};
      if (newest_first) std::reverse(list.begin(), list.end());
      for (call* c : list) s.cancel(*c);
      for (const call* c : list) EXPECT_EQ(c->says().substr(0, 7), "unknown");
      EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
   }
}

TEST_F(blocking, abandoned_behind_what_is_waited_for_ends_after_that) {
   auto& incr = s.submit("INCR a");
   auto& pop = s.send("BLPOP q 0");
   s.cancel(pop);
   EXPECT_EQ(pop.says(), "unknown, cancelled");
   EXPECT_EQ(s.pending_io(), "");
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
   EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
}

TEST_F(blocking, pop_that_the_demotion_ended_did_not_run) {
   auto& pop = s.send("BLPOP q 0");
   s.watch.name(node_b, 6);
   s.answer(refuses("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"));
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.2");
   s.connect(1);
   EXPECT_EQ(s.accept(), "BLPOP q 0");
   EXPECT_EQ(pop.says(), "waiting");
}

// ---- after idling --------------------------------------------------------------------------------------------------

using idle = warm_lane;

TEST_F(idle, connection_is_tested_before_it_is_used_again_but_not_if_used_lately) {
   s.advance(4999ms);
   auto& lately = s.submit("GET a");
   s.expect_sent(lately, bulk("v"));
   s.advance(5s);
   auto& incr = s.submit("INCR a");
   s.serve("PING", pong);  // nothing else, so that nothing else can become unknown
   s.expect_sent(incr, number(1));
}

TEST_F(idle, dead_connection_costs_no_unknown_outcome) {
   s.advance(1h);
   auto& incr = s.submit("INCR a", {.deadline = 10s});
   EXPECT_EQ(s.accept(), "PING");
   EXPECT_EQ(s.io_after(999ms), "");
   EXPECT_EQ(s.io_after(1ms), "abort; dial 10.0.0.1");
   EXPECT_EQ(s.connect(8), greeting) << "and needs no fence";
   s.expect_sent(incr, number(1));
   EXPECT_EQ(incr.op.attempts, 1U);
}

TEST_F(idle, error_is_a_life_sign_too) {
   s.advance(1h);
   s.submit("GET a");
   s.serve("PING", refuses("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist"));
   EXPECT_EQ(s.accept(), "GET a");
}

TEST_F(idle, nothing_is_asked_or_ticked_while_nobody_wants_anything) {
   s.advance(10s);
   EXPECT_EQ(s.subject.next_deadline(), never);
   const unsigned asked = s.watch.asked;
   s.advance(24h);
   EXPECT_EQ(s.watch.asked, asked);
   s.reconnects();
   EXPECT_EQ(s.subject.next_deadline(), never);
}

}  // namespace
}  // namespace holdfast::impl::test::silence_test

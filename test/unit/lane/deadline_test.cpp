// Time and the callers' leaving: what is said of a command that ends before its reply, and what its reply then does.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::deadline_test {
namespace {

TEST(deadline, in_the_queue_means_not_executed) {
   script s;
   s.watch.view.master.reset();
   s.watch.view.why_none = unavailable{errc::no_sentinel, {"10.0.1.1:26379: connection refused"}, false};
   auto& set = s.submit("SET a 1", {.deadline = 2s});
   s.advance(1999ms);
   EXPECT_EQ(set.says(), "waiting");
   s.advance(1ms);
   expect_end(set, "not_executed, no_sentinel",
              "10.0.1.1:26379: connection refused");  // the reason, not only that time ran out
   EXPECT_EQ(set.error().attempts, 0U);
   EXPECT_EQ(set.error().elapsed, 2s);
   EXPECT_TRUE(s.subject.idle());
   EXPECT_FALSE(s.watch.needed) << "nobody waits any more";
}

using deadline_of = warm_lane;

TEST_F(deadline_of, command_that_was_not_taken_means_not_executed) {
   auto& first = s.submit("SET a 1", {.deadline = 1s});
   auto& second = s.submit("SET b 1", {.deadline = 100ms});
   auto& third = s.submit("SET c 1", {.deadline = 1s});
   s.advance(100ms);
   EXPECT_EQ(second.says(), "not_executed, deadline_exceeded");
   EXPECT_EQ(second.error().attempts, 0U);
   s.serve("SET a 1; SET c 1", bulk("1") + bulk("3"));  // its bytes were taken back
   EXPECT_EQ(first.says() + third.says(), "13");
}

TEST_F(deadline_of, command_taken_in_part_means_unknown) {
   auto& set = s.submit("SET a 1", {.deadline = 100ms});
   auto& next = s.submit("GET b", {.deadline = 1s});
   s.accept(10);
   s.advance(100ms);
   EXPECT_EQ(set.says(), "unknown, deadline_exceeded");
   s.serve("SET a 1; GET b", ok + bulk("b"));
   EXPECT_EQ(next.says(), "b");
}

TEST_F(deadline_of, command_taken_whole_swallows_its_late_reply) {
   auto& late = s.submit("INCR a", {.deadline = 100ms});
   auto& next = s.send("INCR b", {.deadline = 1s});
   s.advance(100ms);
   expect_end(late, "unknown, deadline_exceeded", "not fenced");
   EXPECT_EQ(late.error().attempts, 1U);
   EXPECT_TRUE(s.main.is_open()) << "a caller's deadline is no reason to make others unknown";
   s.answer(number(1) + number(2));
   EXPECT_EQ(next.says(), "2");
   EXPECT_EQ(late.says(), "unknown, deadline_exceeded") << "what was said is said";
}

TEST_F(deadline_of, transaction_swallows_all_its_replies) {
   auto& late = s.submit_unit({"MULTI", "INCR a", "EXEC"}, {.deadline = 100ms});
   auto& next = s.send("GET b", {.deadline = 1s});
   s.answer(ok);
   s.advance(100ms);
   EXPECT_EQ(late.says(), "unknown, deadline_exceeded");
   for (const auto& r : late.results) EXPECT_FALSE(r);
   s.answer(queued + "*1\r\n:1\r\n" + bulk("b"));
   EXPECT_EQ(next.says(), "b");
}

TEST(deadline, is_looked_at_before_every_send) {
   // The connection is ready at the very moment at which time runs out, and the tick comes later.
   script s;
   auto& set = s.submit("SET a 1", {.deadline = 500ms});
   s.open();
   s.accept();
   s.now += 500ms;
   s.answer(hello() + client_info(7));
   EXPECT_EQ(s.pending(), 0U);
   EXPECT_EQ(set.says(), "not_executed, deadline_exceeded");
}

TEST_F(deadline_of, reply_that_comes_with_it_is_not_missed) {
   auto& get = s.send("GET a", {.deadline = 500ms});
   s.now += 500ms;
   s.answer(bulk("v"));
   EXPECT_EQ(get.says(), "v");
}

TEST_F(deadline_of, command_that_has_passed_already_sends_nothing) {
   auto& set = s.submit("SET a 1", {.deadline = 0s});
   EXPECT_EQ(set.says(), "not_executed, deadline_exceeded");
   EXPECT_EQ(s.pending(), 0U);
}

TEST(deadline, between_two_sends_is_unknown_if_the_first_may_have_run) {
   for (const char* line : {"SET a 1", "GET a"}) {
      warm_script s;
      auto& c = s.send(line, {.deadline = 1s});
      s.watch.view.master.reset();
      s.lose();
      s.advance(1s);
      ASSERT_TRUE(c.done());
      EXPECT_EQ(c.error().outcome, outcome::unknown) << line;
      EXPECT_EQ(s.told<event::outcome_unknown>().back().where, node_a);
      EXPECT_EQ(c.has_cause("not fenced"), std::string_view(line) != "GET a");
   }
}

TEST_F(deadline_of, command_that_was_fenced_does_not_say_not_fenced) {
   auto& set = s.lost("SET a 1", {.deadline = 1s});
   s.connect(8);
   s.accept();
   s.answer(loading);
   s.advance(1s);
   ASSERT_TRUE(set.done());
   EXPECT_EQ(set.error().outcome, outcome::unknown);
   EXPECT_FALSE(set.has_cause("not fenced"));
   EXPECT_EQ(set.error().attempts, set.op.attempts);
}

TEST_F(deadline_of, held_command_tells_whose_refusal_held_it) {
   auto& refused = s.refused("SET a 1", loading, {.deadline = 10s});
   auto& later = s.submit("INCR n", {.deadline = 40ms});  // the pause is 50 ms or more
   s.advance(40ms);
   ASSERT_TRUE(later.done());
   EXPECT_EQ(later.error().outcome, outcome::not_executed);
   EXPECT_EQ(later.error().attempts, 0U);
   EXPECT_TRUE(later.has_cause("LOADING")) << later.error().what();
   EXPECT_FALSE(refused.done());
}

TEST_F(deadline_of, command_behind_the_test_of_an_idle_connection_tells_it) {
   s.advance(6s);
   auto& later = s.submit("INCR n", {.deadline = 40ms});
   EXPECT_EQ(s.accept(), "PING");
   s.advance(40ms);
   ASSERT_TRUE(later.done());
   EXPECT_EQ(later.error().outcome, outcome::not_executed);
   EXPECT_TRUE(later.has_cause("PING")) << later.error().what();
}

TEST(deadline, default_follows_what_the_deployment_says) {
   script s;
   s.watch.answers = false;
   auto& by_default = s.submit("GET a");
   auto& of_its_own = s.submit("GET b", {.deadline = 12s});
   s.subject.set_default_deadline(38s);
   s.advance(12s);
   EXPECT_TRUE(of_its_own.done());
   EXPECT_EQ(by_default.says(), "waiting");
   s.subject.set_default_deadline(5s);
   s.advance(1ms);
   EXPECT_TRUE(by_default.done()) << "also where it becomes shorter";
}

TEST_F(deadline_of, blocking_command_has_its_own_time_added) {
   auto& five = s.submit("BLPOP q 5");
   auto& for_ever = s.send("BLPOP q 0");
   EXPECT_EQ(five.op.deadline, s.now + 15s);
   EXPECT_EQ(for_ever.op.deadline, never);
   auto& huge = s.submit("BLPOP q 9223372036854775807");
   EXPECT_TRUE(huge.done() || huge.op.deadline == never || huge.op.deadline > s.now + 15s) << "and does not overflow";
}

TEST(cancel, says_at_each_place_what_is_known) {
   script s;
   auto& parked = s.submit("SET a 1");
   s.cancel(parked);
   EXPECT_EQ(parked.says(), "not_executed, cancelled");

   s.warm_up();
   auto& queued_only = s.submit("SET b 1");
   s.cancel(queued_only);
   EXPECT_EQ(queued_only.says(), "not_executed, cancelled");
   EXPECT_EQ(s.pending(), 0U);

   auto& sent = s.submit("SET c 1");
   auto& next = s.send("GET d");
   s.cancel(sent);
   EXPECT_EQ(sent.says(), "unknown, cancelled");
   s.answer(ok + bulk("d"));
   EXPECT_EQ(next.says(), "d");

   auto& lost = s.lost("INCR n");
   s.cancel(lost);
   expect_end(lost, "unknown, cancelled", "not fenced");

   auto& again = s.submit("SET e 1");
   s.connect(8);
   s.accept();
   s.lose();
   s.cancel(again);
   EXPECT_EQ(again.says(), "unknown, cancelled") << "it waits to be sent again, and may have run";
   EXPECT_TRUE(s.subject.idle());
}

TEST_F(deadline_of, finished_command_that_is_cancelled_does_nothing) {
   auto& get = s.submit("GET a");
   s.expect_sent(get, bulk("v"));
   s.cancel(get);
   EXPECT_EQ(get.says(), "v");
}

TEST(cancel, makes_room_for_what_waits_behind) {
   settings one;
   one.in_flight = one.in_flight_before_first_reply = 1;
   warm_script s(one);
   auto& first = s.submit("SET a 1");
   s.submit("SET b 1");
   s.cancel(first);
   EXPECT_EQ(s.accept(), "SET b 1");
}

TEST_F(deadline_of, everybody_who_is_cancelled_at_once_is_told_what_is_known) {
   auto& waits_for_the_fence = s.lost("INCR a");
   auto& waits_for_a_connection = s.submit("SET b 1");
   s.subject.cancel_all(s.now);
   s.on_view();  // takes what has ended
   EXPECT_EQ(waits_for_the_fence.says(), "unknown, cancelled");
   EXPECT_EQ(waits_for_a_connection.says(), "not_executed, cancelled");
   s.reconnects_to(node_a);
   auto& is_in_flight = s.send("INCR a");
   s.subject.cancel_all(s.now);
   s.on_view();
   EXPECT_EQ(is_in_flight.says(), "unknown, cancelled");
   s.answer(number(2));
   s.expect_sent(s.submit("GET a"), bulk("2"));
}

TEST(cancel, of_the_last_that_waits_lets_the_connector_rest) {
   script s;
   s.watch.view.master.reset();
   auto& get = s.submit("GET a");
   EXPECT_TRUE(s.watch.needed);
   s.cancel(get);
   EXPECT_FALSE(s.watch.needed);
   s.advance(10s);  // the deadline that it had
   EXPECT_EQ(s.subject.next_deadline(), never);
}

}  // namespace
}  // namespace holdfast::impl::test::deadline_test

// The steady state and its limits: order, matching, flow.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::impl::test::pipeline_test {
namespace {

using pipelines = warm_lane;

TEST_F(pipelines, keep_the_order_of_submission) {
   auto& one = s.submit("GET a");
   auto& two = s.submit("GET b");
   auto& three = s.submit("GET c");
   s.serve("GET a; GET b; GET c", bulk("1") + bulk("2"));
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(two.says(), "2");
   EXPECT_EQ(three.says(), "waiting");
   s.answer(bulk("3"));
   EXPECT_EQ(three.says(), "3");
   EXPECT_TRUE(s.subject.idle());
}

TEST(pipeline, takes_replies_in_any_pieces) {
   for (std::size_t chunk = 1; chunk < 30; ++chunk) {
      warm_script s;
      auto& one = s.submit("GET a");
      auto& two = s.submit("LRANGE l 0 -1");
      auto& three = s.send("INCR n");
      s.answer(bulk("value") + "*2\r\n" + bulk("x") + bulk("y") + number(5), chunk);
      EXPECT_EQ(one.says(), "value");
      ASSERT_TRUE(two.done() && two.results[0]);
      EXPECT_EQ(two.results[0]->size(), 2U);
      EXPECT_EQ(three.says(), "5");
   }
}

TEST_F(pipelines, push_message_answers_nothing) {
   auto& one = s.submit("GET a");
   auto& two = s.send("GET b");
   const std::string push = ">2\r\n" + bulk("invalidate") + "*1\r\n" + bulk("a");
   s.answer(push + bulk("1") + push + push + bulk("2") + push);
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(two.says(), "2");
   EXPECT_TRUE(s.main.is_open());
}

TEST_F(pipelines, reply_that_nobody_asked_for_ends_the_connection) {
   s.answer(ok);
   EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
   ASSERT_EQ(s.told<event::connection_lost>().size(), 1U);
   EXPECT_NE(s.told<event::connection_lost>()[0].why.find("nobody asked for"), std::string::npos);
}

TEST_F(pipelines, garbage_makes_unknown_what_was_not_answered_before) {
   auto& one = s.submit("INCR a");
   auto& two = s.send("INCR b");
   s.answer(number(1) + "!?\r\n");
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(two.says(), "waiting") << "until the fence";
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.1");
   s.connect();
   EXPECT_EQ(two.says(), "unknown, protocol_error");
}

TEST_F(pipelines, connection_ends_with_what_was_answered_before) {
   auto& one = s.submit("INCR a");
   auto& two = s.send("INCR b");
   s.answer(number(1));
   s.lose();
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(two.says(), "waiting");
}

TEST(pipeline, sends_nothing_before_there_is_a_master) {
   script s;
   s.watch.answers = false;
   auto& one = s.submit("SET a 1");
   EXPECT_EQ(s.pending_io(), "");
   EXPECT_TRUE(s.watch.needed);
   s.watch.finish_rounds();
   s.on_view();
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.1");
   s.connect();
   EXPECT_FALSE(s.watch.needed);
   s.accept();
   s.answer(ok);
   EXPECT_EQ(one.says(), "OK");
   EXPECT_EQ(one.op.attempts, 1U);
}

TEST(pipeline, new_connection_gets_little_before_its_first_answer) {
   settings few;
   few.in_flight_before_first_reply = 2;
   few.in_flight = 3;
   script s(few);
   for (const char* c : {"GET a", "GET b", "GET c", "GET d", "GET e"}) s.submit(c);
   s.connect();
   s.serve("GET a; GET b", bulk("1"));
   s.serve("GET c; GET d", bulk("2") + bulk("3"));  // three in flight from now on
   EXPECT_EQ(s.accept(), "GET e");
   // After a reconnect it begins anew.
   s.lose();
   for (const char* c : {"GET f", "GET g"}) s.submit(c);
   s.connect(8);
   EXPECT_EQ(s.accept(), "GET d; GET e");
}

TEST_F(pipelines, keep_what_one_write_does_not_take) {
   const std::string large = "SET k " + std::string(20'000, 'x');
   std::vector<call*> calls;
   for (int i = 0; i < 10; ++i) calls.push_back(&s.submit(large));
   EXPECT_LE(s.pending(), std::size_t{90'000});
   EXPECT_GE(s.subject.queued(), 5U);
   s.accept();
   EXPECT_EQ(s.arrived.size(), 10U) << "and goes on as soon as it is taken";
   EXPECT_EQ(s.subject.queued(), 0U);
}

// ---- limits --------------------------------------------------------------------------------------------------------

TEST(queue_limit, refuses_at_once_one_command_too_many) {
   script s(with(&settings::queued_commands, 2));
   s.submit("GET a");
   s.submit("GET b");
   auto& third = s.submit("GET c");
   expect_end(third, "not_executed, queue_full", "2 commands of");
   s.connect();
   auto& fourth = s.submit("GET d");
   EXPECT_EQ(s.accept(), "GET a; GET b; GET d") << "what is written waits no longer";
   EXPECT_EQ(fourth.says(), "waiting");
}

TEST(queue_limit, refuses_at_once_too_many_bytes) {
   script s(with(&settings::queued_bytes, 100));
   auto& first = s.submit("SET k " + std::string(40, 'x'));
   auto& second = s.submit("SET k " + std::string(40, 'x'));
   EXPECT_EQ(first.says(), "waiting");
   EXPECT_EQ(second.says(), "not_executed, queue_full");
   EXPECT_EQ(s.submit("GET k").says(), "waiting");
}

TEST(queue_limit, names_a_command_that_is_too_large_for_any_queue) {
   script s(with(&settings::queued_bytes, 100));
   auto& c = s.submit("SET k " + std::string(400, 'x'));
   EXPECT_EQ(c.says(), "not_executed, limit_exceeded");
}

TEST(queue_limit, counts_what_is_resent_but_never_drops_it) {
   warm_script s(with(&settings::queued_commands, 2));
   auto& one = s.submit("SET a 1");
   auto& two = s.send("SET b 1");
   auto& three = s.lost("SET c 1");
   EXPECT_EQ(s.subject.queued(), 3U);
   EXPECT_EQ(s.submit("SET d 1").says(), "not_executed, queue_full");
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1; SET b 1; SET c 1");
   s.answer_all();
   for (const call* c : {&one, &two, &three}) EXPECT_EQ(c->says(), "OK");
}

// A second try would be as large: the first has run, and the others never saw a reply.
TEST_F(pipelines, too_large_reply_ends_its_command_and_the_connection) {
   auto& large = s.submit("GET a");
   auto& read = s.submit("GET b");
   auto& count = s.send("INCR c");
   s.answer("$600000000\r\n");
   expect_end(large, "executed, limit_exceeded", "the reply is larger than the limit (config::limits::reply_bytes, ");
   s.connect(8);
   EXPECT_EQ(count.says(), "unknown, connection_lost");
   EXPECT_EQ(s.accept(), "GET b");
   s.answer_all();
   EXPECT_EQ(read.says(), "OK");
}

TEST(reply_limit, proves_a_transaction_only_as_the_reply_to_exec) {
   for (const bool of_exec : {false, true}) {
      warm_script s;
      auto& all = s.send_unit({"MULTI", "INCR a", "EXEC"});
      s.answer(of_exec ? "+OK\r\n+QUEUED\r\n*90000000\r\n" : "+OK\r\n*90000000\r\n");
      s.connect(8);
      EXPECT_EQ(all.says(), of_exec ? "executed, limit_exceeded" : "unknown, protocol_error");
   }
}

// ---- what a lane can't carry ---------------------------------------------------------------------------------------

TEST(admission, refuses_what_would_change_the_connection) {
   for (const char* line :
        {"SUBSCRIBE c", "PSUBSCRIBE c*", "SSUBSCRIBE c", "UNSUBSCRIBE", "MONITOR", "WATCH k", "UNWATCH",
         "CLIENT REPLY OFF", "client reply off", "RESET", "QUIT", "MULTI", "EXEC", "DISCARD", "SYNC", "PSYNC ? -1",
         "REPLCONF ack 1", "CLIENT TRACKING on", "CLIENT CACHING yes"}) {
      warm_script s;
      auto& c = s.submit(line);
      EXPECT_EQ(c.says(), "not_executed, not_supported") << line;
      EXPECT_FALSE(c.error().causes.empty()) << line;
      EXPECT_EQ(s.pending(), 0U) << line;
   }
}

TEST(admission, refuses_the_same_inside_a_transaction) {
   for (const char* line : {"SUBSCRIBE c", "MULTI", "EXEC", "WATCH k", "QUIT", "CLIENT REPLY SKIP",
                            "CLIENT TRACKING on", "MONITOR", "RESET"}) {
      warm_script s;
      auto& c = s.submit_unit({"MULTI", "SET a 1", line, "EXEC"});
      EXPECT_EQ(c.says(), "not_executed, not_supported") << line;
      for (const auto& r : c.results) EXPECT_FALSE(r);
      EXPECT_EQ(s.pending(), 0U) << line;
   }
}

TEST_F(pipelines, transaction_is_one_list_from_multi_to_exec) {
   EXPECT_EQ(s.submit_unit({"SET a 1", "SET b 1"}).says(), "not_executed, invalid_argument");
   EXPECT_EQ(s.submit_unit({"MULTI", "SET b 1"}).says(), "not_executed, invalid_argument");
   EXPECT_EQ(s.pending(), 0U);
   EXPECT_EQ(s.submit_unit({"MULTI", "SET b 1", "DISCARD"}).says(), "waiting");
   EXPECT_EQ(s.submit_unit({"MULTI", "EXEC"}).says(), "waiting");
}

TEST_F(pipelines, exactly_once_is_not_built_yet_and_says_so) {
   auto& c = s.submit("INCR n", {.delivery = delivery::exactly_once});
   EXPECT_EQ(c.says(), "not_executed, not_supported");
}

}  // namespace
}  // namespace holdfast::impl::test::pipeline_test

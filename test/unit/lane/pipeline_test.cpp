// The steady state and its limits: order, matching, flow.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::impl::test {
namespace {

TEST(Pipeline, SendsInTheOrderOfSubmissionAndMatchesRepliesByIt) {
   script s;
   s.warm_up();
   auto& one = s.submit("GET a");
   auto& two = s.submit("GET b");
   auto& three = s.submit("GET c");
   EXPECT_EQ(s.accept(), "GET a; GET b; GET c");
   s.answer(bulk("1") + bulk("2"));
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(two.says(), "2");
   EXPECT_EQ(three.says(), "waiting");
   s.answer(bulk("3"));
   EXPECT_EQ(three.says(), "3");
   EXPECT_TRUE(s.subject.idle());
}

TEST(Pipeline, TakesRepliesInAnyPieces) {
   for (std::size_t chunk = 1; chunk < 30; ++chunk) {
      script s;
      s.warm_up();
      auto& one = s.submit("GET a");
      auto& two = s.submit("LRANGE l 0 -1");
      auto& three = s.submit("INCR n");
      s.accept();
      s.answer(bulk("value") + "*2\r\n" + bulk("x") + bulk("y") + number(5), chunk);
      EXPECT_EQ(one.says(), "value");
      ASSERT_TRUE(two.done() && two.results[0]);
      EXPECT_EQ(two.results[0]->size(), 2U);
      EXPECT_EQ(three.says(), "5");
   }
}

TEST(Pipeline, APushMessageAnswersNothing) {
   script s;
   s.warm_up();
   auto& one = s.submit("GET a");
   auto& two = s.submit("GET b");
   s.accept();
   const std::string push = ">2\r\n" + bulk("invalidate") + "*1\r\n" + bulk("a");
   s.answer(push + bulk("1") + push + push + bulk("2") + push);
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(two.says(), "2");
   EXPECT_TRUE(s.main.is_open());
}

TEST(Pipeline, AReplyThatNobodyAskedForEndsTheConnection) {
   script s;
   s.warm_up();
   s.answer(ok);
   EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
   ASSERT_EQ(s.told<event::connection_lost>().size(), 1U);
   EXPECT_NE(s.told<event::connection_lost>()[0].why.find("nobody asked for"), std::string::npos);
}

TEST(Pipeline, GarbageMakesUnknownWhatWasNotAnsweredBeforeIt) {
   script s;
   s.warm_up();
   auto& one = s.submit("INCR a");
   auto& two = s.submit("INCR b");
   s.accept();
   s.answer(number(1) + "!?\r\n");
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(two.says(), "waiting") << "until the fence";
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.1");
   s.connect();
   EXPECT_EQ(two.says(), "unknown, protocol_error");
}

TEST(Pipeline, AConnectionEndsWithWhatWasAnsweredBeforeTheEnd) {
   script s;
   s.warm_up();
   auto& one = s.submit("INCR a");
   auto& two = s.submit("INCR b");
   s.accept();
   s.answer(number(1));
   s.lose();
   EXPECT_EQ(one.says(), "1");
   EXPECT_EQ(two.says(), "waiting");
}

TEST(Pipeline, SendsNothingBeforeThereIsAMaster) {
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

TEST(Pipeline, ANewConnectionIsNotGivenEverythingBeforeItHasAnsweredOnce) {
   settings few;
   few.in_flight_before_first_reply = 2;
   few.in_flight = 3;
   script s(few);
   for (const char* c : {"GET a", "GET b", "GET c", "GET d", "GET e"}) s.submit(c);
   s.connect();
   EXPECT_EQ(s.accept(), "GET a; GET b");
   s.answer(bulk("1"));
   EXPECT_EQ(s.accept(), "GET c; GET d") << "three in flight from now on";
   s.answer(bulk("2") + bulk("3"));
   EXPECT_EQ(s.accept(), "GET e");
   // After a reconnect it begins anew.
   s.lose();
   for (const char* c : {"GET f", "GET g"}) s.submit(c);
   s.connect(8);
   EXPECT_EQ(s.accept(), "GET d; GET e");
}

TEST(Pipeline, KeepsWhatOneWriteDoesNotTakeWhereItCanBeTakenBack) {
   script s;
   s.warm_up();
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

TEST(Limits, RefuseAtOnceWhatIsOneCommandTooMany) {
   settings few;
   few.queued_commands = 2;
   script s(few);
   s.submit("GET a");
   s.submit("GET b");
   auto& third = s.submit("GET c");
   EXPECT_EQ(third.says(), "not_executed, queue_full");
   EXPECT_TRUE(third.has_cause("2 commands of"));
   s.connect();
   auto& fourth = s.submit("GET d");
   EXPECT_EQ(s.accept(), "GET a; GET b; GET d") << "what is written waits no longer";
   EXPECT_EQ(fourth.says(), "waiting");
}

TEST(Limits, RefuseAtOnceWhatIsTooManyBytes) {
   settings few;
   few.queued_bytes = 100;
   script s(few);
   auto& first = s.submit("SET k " + std::string(40, 'x'));
   auto& second = s.submit("SET k " + std::string(40, 'x'));
   EXPECT_EQ(first.says(), "waiting");
   EXPECT_EQ(second.says(), "not_executed, queue_full");
   EXPECT_EQ(s.submit("GET k").says(), "waiting");
}

TEST(Limits, SayThatASingleCommandIsTooLargeForAnyQueue) {
   settings few;
   few.queued_bytes = 100;
   script s(few);
   auto& c = s.submit("SET k " + std::string(400, 'x'));
   EXPECT_EQ(c.says(), "not_executed, limit_exceeded");
}

TEST(Limits, CountWhatIsSentAgainButNeverDropIt) {
   settings few;
   few.queued_commands = 2;
   script s(few);
   s.warm_up();
   auto& one = s.submit("SET a 1");
   auto& two = s.submit("SET b 1");
   s.accept();
   auto& three = s.submit("SET c 1");
   s.accept();
   s.lose();
   EXPECT_EQ(s.subject.queued(), 3U);
   EXPECT_EQ(s.submit("SET d 1").says(), "not_executed, queue_full");
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1; SET b 1; SET c 1");
   s.answer_all();
   for (const call* c : {&one, &two, &three}) EXPECT_EQ(c->says(), "OK");
}

// A second try would be as large: the first has run, and the others never saw a reply.
TEST(Limits, OfARepliesSizeEndTheCommandThatHasItAndLoseTheConnectionForTheOthers) {
   script s;
   s.warm_up();
   auto& large = s.submit("GET a");
   auto& read = s.submit("GET b");
   auto& count = s.submit("INCR c");
   s.accept();
   s.answer("$600000000\r\n");
   EXPECT_EQ(large.says(), "executed, limit_exceeded");
   EXPECT_TRUE(large.has_cause("the reply is larger than the limit (config::limits::reply_bytes, "));
   s.connect(8);
   EXPECT_EQ(count.says(), "unknown, connection_lost");
   EXPECT_EQ(s.accept(), "GET b");
   s.answer_all();
   EXPECT_EQ(read.says(), "OK");
}

TEST(Limits, OfARepliesSizeSayOfATransactionThatItRanOnlyWhereItIsTheReplyToItsExec) {
   for (const bool of_exec : {false, true}) {
      script s;
      s.warm_up();
      auto& all = s.submit_unit({"MULTI", "INCR a", "EXEC"});
      s.accept();
      s.answer(of_exec ? "+OK\r\n+QUEUED\r\n*90000000\r\n" : "+OK\r\n*90000000\r\n");
      s.connect(8);
      EXPECT_EQ(all.says(), of_exec ? "executed, limit_exceeded" : "unknown, protocol_error");
   }
}

// ---- what a lane can't carry ---------------------------------------------------------------------------------------

TEST(Admission, RefusesWhatWouldTurnTheConnectionIntoSomethingElse) {
   const char* lines[] = {"SUBSCRIBE c",
                          "PSUBSCRIBE c*",
                          "SSUBSCRIBE c",
                          "UNSUBSCRIBE",
                          "MONITOR",
                          "WATCH k",
                          "UNWATCH",
                          "CLIENT REPLY OFF",
                          "client reply off",
                          "RESET",
                          "QUIT",
                          "MULTI",
                          "EXEC",
                          "DISCARD",
                          "SYNC",
                          "PSYNC ? -1",
                          "REPLCONF ack 1",
                          "CLIENT TRACKING on",
                          "CLIENT CACHING yes"};
   for (const char* line : lines) {
      script s;
      s.warm_up();
      auto& c = s.submit(line);
      EXPECT_EQ(c.says(), "not_executed, not_supported") << line;
      EXPECT_FALSE(c.error().causes.empty()) << line;
      EXPECT_EQ(s.pending(), 0U) << line;
   }
}

TEST(Admission, RefusesTheSameInsideATransaction) {
   for (const char* line : {"SUBSCRIBE c", "MULTI", "EXEC", "WATCH k", "QUIT", "CLIENT REPLY SKIP",
                            "CLIENT TRACKING on", "MONITOR", "RESET"}) {
      script s;
      s.warm_up();
      auto& c = s.submit_unit({"MULTI", "SET a 1", line, "EXEC"});
      EXPECT_EQ(c.says(), "not_executed, not_supported") << line;
      for (const auto& r : c.results) EXPECT_FALSE(r);
      EXPECT_EQ(s.pending(), 0U) << line;
   }
}

TEST(Admission, ATransactionIsOneListFromMultiToExec) {
   script s;
   s.warm_up();
   EXPECT_EQ(s.submit_unit({"SET a 1", "SET b 1"}).says(), "not_executed, invalid_argument");
   EXPECT_EQ(s.submit_unit({"MULTI", "SET b 1"}).says(), "not_executed, invalid_argument");
   EXPECT_EQ(s.pending(), 0U);
   EXPECT_EQ(s.submit_unit({"MULTI", "SET b 1", "DISCARD"}).says(), "waiting");
   EXPECT_EQ(s.submit_unit({"MULTI", "EXEC"}).says(), "waiting");
}

TEST(Admission, ExactlyOnceIsNotBuiltYetAndSaysSo) {
   script s;
   s.warm_up();
   auto& c = s.submit("INCR n", {.delivery = delivery::exactly_once});
   EXPECT_EQ(c.says(), "not_executed, not_supported");
}

}  // namespace
}  // namespace holdfast::impl::test

// The checkers notice what they are there for: each is shown a client, or a server, that does the one thing wrong.
#include "checker_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::sim {
namespace {

TEST(checkers, HaveNothingAgainstAWorldInWhichAllWentWell) {
   checker_fixture c;
   c.adds(1);
   c.adds(1);
   const auto n = c.gives(call_kind::set);
   c.sets(n, 2);
   c.succeeds(n, value::of_status("OK"));
   c.is_over();
   EXPECT_EQ(c.run_report(), "");
}

TEST(checkers, NoticeACommandThatRanTwice) {
   checker_fixture c;
   const auto n = c.gives(call_kind::add);
   for (int i = 0; i < 2; ++i) c.runs({"INCRBY", "c0", std::to_string(n)});
   EXPECT_TRUE(c.found("ran twice"));
}

TEST(checkers, NoticeWhatRanThoughItWasReportedAsNotExecuted) {
   checker_fixture c;
   const auto n = c.gives(call_kind::set);
   c.fails(n, outcome::not_executed, 0);
   c.runs({"SET", "s0", std::to_string(n)});
   EXPECT_TRUE(c.found("after it was reported as not executed"));
}

TEST(checkers, NoticeWhatRanAfterItWasReportedAsUnknown) {
   checker_fixture c;
   const auto n = c.gives(call_kind::set);
   c.sends(1, {"SET", "s0", std::to_string(n)});
   c.fails(n, outcome::unknown, 1);
   c.runs({"SET", "s0", std::to_string(n)});
   c.is_over();
   EXPECT_TRUE(c.found("ran after its outcome was reported"));
}

TEST(checkers, NoticeAReplyOfAnotherCommand) {
   checker_fixture c;
   const auto n = c.gives(call_kind::add);
   c.sends(1, {"INCRBY", "c0", std::to_string(n)});
   c.runs({"INCRBY", "c0", std::to_string(n)});
   c.succeeds(n, value::of_integer(4711));
   EXPECT_TRUE(c.found("another command's reply"));
}

TEST(checkers, NoticeAnOrderThatIsLostOnTheWire) {
   checker_fixture c;
   const auto first = c.gives(call_kind::set);
   const auto second = c.gives(call_kind::set);
   c.sends(1, {"SET", "s0", std::to_string(second)});
   c.sends(1, {"SET", "s0", std::to_string(first)});
   EXPECT_TRUE(c.found("which was given later"));
}

TEST(checkers, NoticeAnOlderWriteThatIsSentAgainBehindANewerOneOfUnknownOutcome) {
   checker_fixture c;
   const auto first = c.gives(call_kind::set);
   const auto second = c.gives(call_kind::set);
   c.sets(first, 1);
   c.sets(second, 1);
   c.fails(second, outcome::unknown, 1);
   c.sets(first, 2);
   c.succeeds(first, value::of_status("OK"));
   c.is_over();
   EXPECT_TRUE(c.found("was sent and ran behind SET number 2"));
}

TEST(checkers, NoticeACountOfAttemptsThatDoesNotFitWhatWasSent) {
   checker_fixture c;
   const auto n = c.gives(call_kind::set);
   c.sends(1, {"SET", "s0", std::to_string(n)});
   c.fails(n, outcome::unknown, 2);
   EXPECT_TRUE(c.found("was sent 1 times, and is said to have been sent 2 times"));
}

TEST(checkers, AreNotMisledByWhatIsAskedOnAnotherConnectionMeanwhile) {
   checker_fixture c;
   const auto n = std::to_string(c.gives(call_kind::transaction));
   c.sends(1, {"MULTI"});
   c.sends(2, {"PING"});
   c.sends(1, {"INCRBY", "c0", n});
   c.sends(1, {"RPUSH", "l0", n});
   c.sends(1, {"EXEC"});
   c.fails(1, outcome::unknown, 1);
   EXPECT_EQ(c.run_report(), "");
}

TEST(checkers, cancelled_call_that_goes_on_is_noticed) {
   checker_fixture c;
   const auto ended = c.gives(call_kind::set);
   const auto waits = c.gives(call_kind::set);
   c.fails(ended, outcome::not_executed, 0, errc::cancelled);
   c.checks.cancelled(ended);
   EXPECT_EQ(c.run_report(), "");
   c.checks.cancelled(waits);
   EXPECT_TRUE(c.found("was cancelled, and its caller still waits"));
}

TEST(checkers, swap_answered_with_what_it_did_not_replace_is_noticed) {
   for (const bool own : {true, false}) {
      checker_fixture c;
      const auto first = c.gives(call_kind::set);
      c.sets(first, 1);
      c.succeeds(first, value::of_status("OK"));
      const auto n = c.gives(call_kind::swap);
      c.sends(1, {"GETSET", "s0", std::to_string(n)});
      c.runs({"GETSET", "s0", std::to_string(n)});
      c.succeeds(n, value::of_string(std::to_string(own ? first : n)));
      c.is_over();
      EXPECT_EQ(c.found("which none of its runs gave"), !own);
      EXPECT_EQ(c.run_report().empty(), own);
   }
}

TEST(checkers, NoticeMoreResendsThanTheBudgetAllows) {
   checker_fixture c;
   c.checks.limits.budget = {.ratio = 0, .per_second = 0.1};
   for (std::uint32_t i = 1; i < 4; ++i) {
      const auto n = c.gives(call_kind::set);
      for (std::uint32_t k = 0; k < 3; ++k) c.sends(3 * i + k, {"SET", "s0", std::to_string(n)});
   }
   EXPECT_TRUE(c.found("more than its retry budget allows"));
}

TEST(checkers, NoticeWhoIsRefusedWhatTheBudgetDoesNotCharge) {
   for (const unsigned times : {1U, 2U}) {
      checker_fixture c;
      const auto n = c.gives(call_kind::set);
      for (std::uint32_t k = 1; k <= times; ++k) c.sends(k, {"SET", "s0", std::to_string(n)});
      c.fails(n, outcome::unknown, times, errc::retry_budget_exhausted);
      EXPECT_EQ(c.found("the first time is free"), times == 1);
   }
}

// What a gate refused is answered, though its call waits; what was cancelled is not, though its call has ended.
TEST(checkers, command_beyond_those_unanswered_is_noticed) {
   for (const bool answered : {false, true}) {
      for (const bool cancelled : {false, true}) {
         checker_fixture c;
         c.checks.limits.in_flight = 1;
         const auto n = c.gives(call_kind::set);
         c.sends(1, {"SET", "s0", std::to_string(n)});
         if (answered) c.replies(1);
         if (cancelled) c.fails(n, outcome::unknown, 1, errc::cancelled);
         c.sends(1, {"SET", "s0", std::to_string(c.gives(call_kind::set))});
         EXPECT_EQ(c.found("as many as are allowed are under way"), !answered);
      }
   }
}

TEST(checkers, NoticeALossThatNoPromotionAndNoRestartExplains) {
   for (const bool promoted : {false, true}) {
      checker_fixture c;
      const place fork = c.at;
      c.adds(1);
      c.at = c.past.fork(fork);
      c.data.clear();
      if (promoted) c.checks.new_branch(c.at, true);
      c.is_over();
      EXPECT_EQ(c.found("neither a promotion nor a restart explains it"), !promoted);
      EXPECT_EQ(c.checks.seen().lost, 1U);
   }
}

TEST(checkers, NoticeDataThatTheirHistoryDoesNotMake) {
   checker_fixture c;
   c.adds(1);
   std::string ignored;
   c.data.run(words{"INCRBY", "c0", "1"}, ignored);
   c.is_over();
   EXPECT_TRUE(c.found("c0 is 2, and by its history it is 1"));
}

TEST(checkers, NoticeWhoDialsOrAsksOrWakesWithoutAPause) {
   checker_fixture c;
   for (int i = 0; i < 1000; ++i) {
      c.checks.dialled(0, 1, false);
      c.checks.asked(0, 2);
      c.checks.woken(0);
   }
   EXPECT_TRUE(c.found("dials host 1 for the"));
   EXPECT_TRUE(c.found("asks the Sentinel on host 2 for the"));
   EXPECT_TRUE(c.found("has itself woken for the"));
}

}  // namespace
}  // namespace holdfast::sim

// The checkers of what is read notice a reply that the given order could not have given.
#include "checker_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::sim::checkers_reads_sim_test {
namespace {

class case_of_reads : public checker_fixture {
 public:
   // A SET that ran, and was answered.
   call_number writes() {
      const call_number n = gives(call_kind::set);
      sets(n, 1);
      succeeds(n, value::of_status("OK"));
      return n;
   }
   void late(call_number n) {
      sets(n, 2);
      succeeds(n, value::of_status("OK"));
   }
   // The master's history goes on from there without what came after.
   void fails_over_from(place p, call_number held) {
      at = past.fork(p);
      checks.new_branch(at, 1);
      data.clear();
      std::string ignored;
      if (held != 0) data.run(words{"SET", "s0", std::to_string(held)}, ignored);
   }
};

TEST(JudgesOfReads, LetPassWhatStandsInItsOrder) {
   case_of_reads c;
   c.writes();
   const auto n = c.gives(call_kind::read);
   c.answers(n, c.reads(n));
   c.writes();
   c.is_over();
   EXPECT_EQ(c.run_report(), "");
}

TEST(JudgesOfReads, NoticeAReplyFromBeforeAnOlderWrite) {
   case_of_reads c;
   c.writes();
   const auto refused = c.gives(call_kind::set);
   const auto n = c.gives(call_kind::read);
   c.answers(n, c.reads(n));
   c.late(refused);
   c.is_over();
   EXPECT_TRUE(c.found("MGET number 3 of client 0 (automatic) was answered from before SET number 2"));
}

TEST(JudgesOfReads, NoticeItAlsoWhereTheWriteRanAfterAFailover) {
   case_of_reads c;
   const place fork = c.at;
   const auto first = c.writes();
   const auto refused = c.gives(call_kind::set);
   const auto n = c.gives(call_kind::read);
   c.answers(n, c.reads(n));
   c.fails_over_from(fork, 0);
   c.late(refused);
   c.is_over();
   EXPECT_EQ(first, 1U);
   EXPECT_TRUE(c.found("was answered from before SET number 2"));
}

TEST(JudgesOfReads, LetAFailoverLoseWhatARepliedWriteDid) {
   case_of_reads c;
   const auto first = c.writes();
   const place fork = c.at;
   c.writes();
   c.fails_over_from(fork, first);
   const auto n = c.gives(call_kind::read);
   c.answers(n, c.reads(n));
   c.is_over();
   EXPECT_EQ(c.run_report(), "");
}

TEST(JudgesOfReads, LetAWriteThatFailedBeMissing) {
   for (const outcome o : {outcome::unknown, outcome::not_executed}) {
      case_of_reads c;
      c.writes();
      c.fails(c.gives(call_kind::set), o, o == outcome::unknown);
      const auto n = c.gives(call_kind::read);
      c.answers(n, c.reads(n));
      c.is_over();
      EXPECT_EQ(c.found("was answered from"), false) << c.run_report();
   }
}

TEST(JudgesOfReads, NoticeAReplyFromBehindANewerWrite) {
   for (const bool acknowledged : {false, true}) {
      case_of_reads c;
      c.writes();
      const auto n = c.gives(call_kind::read);
      c.reads(n);  // whose reply is lost
      const auto newer = c.gives(call_kind::set);
      c.sets(newer, 1);
      acknowledged ? c.succeeds(newer, value::of_status("OK")) : c.fails(newer, outcome::unknown, 1);
      c.answers(n, c.reads(n));
      c.is_over();
      EXPECT_TRUE(c.found("MGET number 2 of client 0 (automatic) was answered from behind SET number 3"));
   }
}

TEST(JudgesOfReads, LetAReadBeAnsweredByItsFirstRun) {
   case_of_reads c;
   c.writes();
   const auto n = c.gives(call_kind::read);
   const std::string found = c.reads(n);
   c.writes();
   c.reads(n);  // once more, which nobody hears of
   c.answers(n, found);
   c.is_over();
   EXPECT_EQ(c.run_report(), "");
}

TEST(JudgesOfReads, NoticeAValueThatNoneOfItsRunsGave) {
   case_of_reads c;
   c.writes();
   const auto n = c.gives(call_kind::read);
   c.reads(n);
   c.answers(n, "4711");
   EXPECT_TRUE(c.found("which none of its runs gave"));
}

TEST(JudgesOfReads, NoticeAPlainGetThatFindsWhatWasGivenLater) {
   case_of_reads c;
   const auto n = c.gives(call_kind::get);
   const auto newer = c.writes();
   c.succeeds(n, value::of_string(std::to_string(newer)));
   EXPECT_TRUE(c.found("GET number 1 of client 0 (automatic) was answered \"2\", which was given later"));
}

TEST(JudgesOfReads, NoticeWhatRanInADatabaseThatWasNotChosen) {
   case_of_reads c;
   c.selects(1);
   c.database = 0;
   c.writes();
   c.is_over();
   EXPECT_TRUE(c.found("SET number 2 of client 0 (automatic) ran in database 0, which the SELECT before it has not"));
}

TEST(JudgesOfReads, KnowTheDatabasesOfAClient) {
   case_of_reads c;
   c.writes();
   c.selects(1);
   const auto n = c.gives(call_kind::read);
   c.answers(n, c.reads(n));
   c.writes();
   c.selects(0);
   c.writes();
   c.is_over();
   EXPECT_EQ(c.run_report(), "");
}

TEST(JudgesOfReads, LetASelectOfUnknownOutcomeHaveChosenOrNot) {
   for (const unsigned database : {0U, 1U}) {
      case_of_reads c;
      const auto n = c.gives(call_kind::select);
      c.checks.selects(n, 1);
      c.fails(n, outcome::unknown, 1);
      c.database = database;
      c.writes();
      c.is_over();
      EXPECT_EQ(c.run_report(), "");
   }
}

TEST(JudgesOfReads, NoticeWhatATransactionReadsOutOfOrder) {
   case_of_reads c;
   const auto refused = c.gives(call_kind::set);
   const auto n = c.gives(call_kind::reading);
   const std::string number = std::to_string(n);
   c.runs({"INCRBY", "c0", number});
   c.runs({"MGET", "s0", "c0", number});
   c.runs({"RPUSH", "l0", number});
   std::vector<value> found;
   found.emplace_back();
   found.push_back(value::of_string(number));
   found.emplace_back();
   std::vector<value> all;
   all.push_back(value::of_integer(n));
   all.push_back(value::of_array(found));
   all.push_back(value::of_integer(1));
   c.succeeds(n, value::of_array(all));
   EXPECT_EQ(c.run_report(), "");
   c.late(refused);
   c.is_over();
   EXPECT_TRUE(c.found("MULTI number 2 of client 0 (automatic) was answered from before SET number 1"));
}

}  // namespace
}  // namespace holdfast::sim::checkers_reads_sim_test

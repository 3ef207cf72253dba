// Before its first transaction a connection is asked whether it takes MULTI and EXEC.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::impl::test {
namespace {

settings that_test() {
   settings s;
   s.tests_multi = true;
   return s;
}

const std::string empty = "*0\r\n";
const std::string no_multi = refuses("NOPERM User ann has no permissions to run the 'multi' command");

TEST(MultiTest, PrecedesTheFirstTransactionOfAConnectionAlone) {
   script s(that_test());
   s.warm_up();
   auto& before = s.submit("GET k");
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   auto& next = s.submit("GET k");
   EXPECT_EQ(s.accept(), "GET k; MULTI; EXEC") << "nothing stands behind it";
   s.answer("$1\r\n1\r\n" + ok);
   EXPECT_EQ(before.says(), "1");
   EXPECT_EQ(s.accept(), "");
   s.answer(empty);
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC; GET k");
   s.answer(ok + queued + "*1\r\n:1\r\n$1\r\n1\r\n");
   EXPECT_TRUE(unit.done() && unit.results[2]);
   EXPECT_EQ(next.says(), "1");
   s.submit_unit({"MULTI", "INCR n", "EXEC"});
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC") << "once for a connection";
   s.lose();
   s.connect(8);
   auto& again = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   EXPECT_EQ(s.accept(), "MULTI; EXEC") << "the next one may have other users";
   s.answer(ok + empty);
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
   s.answer(ok + queued + "*1\r\n:1\r\n");
   EXPECT_TRUE(again.done() && again.results[2]);
}

TEST(MultiTest, KeepsTheMembersFromAServerThatRefusesMulti) {
   script s(that_test());
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "DECRBY from 10", "INCRBY to 10", "EXEC"});
   auto& next = s.submit("GET k");
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(no_multi + refuses("ERR EXEC without MULTI"));
   EXPECT_EQ(unit.says(), "not_executed, server_error");
   EXPECT_EQ(unit.op.attempts, 0U);
   EXPECT_EQ(unit.error().server_text, "NOPERM User ann has no permissions to run the 'multi' command");
   EXPECT_TRUE(unit.has_cause("nothing of the transaction was sent"));
   EXPECT_EQ(s.accept(), "GET k") << "the connection is as good as before";
   s.answer("$1\r\n1\r\n");
   EXPECT_EQ(next.says(), "1");
   auto& other = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   EXPECT_EQ(s.accept(), "MULTI; EXEC") << "by then it may be allowed";
   s.answer(ok + empty);
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
   s.answer(ok + queued + "*1\r\n:1\r\n");
   EXPECT_TRUE(other.done() && other.results[2]);
}

TEST(MultiTest, LeavesAConnectionThatTookMultiAndRefusedExec) {
   for (const std::string& exec : {refuses("ERR unknown command 'EXEC'"), ok, std::string("*1\r\n:1\r\n")}) {
      script s(that_test());
      s.warm_up();
      auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
      auto& next = s.submit("GET k");
      EXPECT_EQ(s.accept(), "MULTI; EXEC");
      s.answer(ok + exec);
      EXPECT_EQ(unit.says(), "not_executed, server_error") << exec;
      EXPECT_EQ(s.accept(), "") << "it would be queued for ever";
      s.connect(8);
      EXPECT_EQ(s.accept(), "GET k");
      EXPECT_EQ(next.says(), "waiting");
   }
}

TEST(MultiTest, IsRepeatedWhereWhatRefusesItPasses) {
   script s(that_test());
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"}, {.deadline = 10s});
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(refuses("LOADING Redis is loading the dataset in memory") +
            refuses("LOADING Redis is loading the dataset in memory"));
   EXPECT_EQ(unit.says(), "waiting");
   s.advance(200ms);
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(ok + refuses("EXECABORT Transaction discarded because of: BUSY Redis is busy running a script."));
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC") << "it was taken, and given up by the rules";
}

TEST(MultiTest, ThatIsLostOrOutlivedCostsNothing) {
   script s(that_test());
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"}, {.deadline = 1s});
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.lose();
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server") << "nothing to fence";
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.advance(1s);
   EXPECT_EQ(unit.says(), "not_executed, deadline_exceeded");
   auto& next = s.submit("GET k");
   EXPECT_EQ(s.accept(), "");
   s.answer(no_multi + refuses("ERR EXEC without MULTI"));
   EXPECT_EQ(s.accept(), "GET k");
   EXPECT_EQ(next.says(), "waiting");
}

TEST(MultiTest, LeavesTheLedgerInOrder) {
   script s(that_test());
   s.warm_up();
   auto& one = s.submit("INCR a");
   auto& two = s.submit("INCR b");
   s.submit_unit({"MULTI", "INCR n", "EXEC"});
   EXPECT_EQ(s.accept(), "INCR a; INCR b; MULTI; EXEC");
   s.cancel(two);
   s.cancel(one);
   EXPECT_EQ(one.says(), "unknown, cancelled");
   EXPECT_EQ(two.says(), "unknown, cancelled");
   s.answer(number(1) + number(1) + ok + empty);
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
}

// Found by `holdfast sim` (world 34276). The transaction ends if its connection does not take MULTI; the older write
// would have run behind it.
TEST(multi_test, precedes_what_is_sent_again_with_a_transaction) {
   script s(that_test());
   s.warm_up();
   s.submit_unit({"MULTI", "SET n 1", "EXEC"});
   s.accept();
   s.answer(ok + empty);
   s.accept();
   s.answer(ok + queued + "*1\r\n+OK\r\n");
   auto& older = s.submit("SET k 1", {.delivery = delivery::at_least_once});
   auto& unit = s.submit_unit({"MULTI", "SET k 2", "EXEC"}, {.delivery = delivery::at_least_once});
   EXPECT_EQ(s.accept(), "SET k 1; MULTI; SET k 2; EXEC");
   s.lose();
   s.connect(8);
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(no_multi + refuses("ERR EXEC without MULTI"));
   EXPECT_EQ(unit.says(), "unknown, server_error");
   EXPECT_EQ(older.says(), "unknown, connection_lost");
   EXPECT_EQ(s.accept(), "");
}

TEST(MultiTest, IsOfTheUserOfTheConnection) {
   script s(that_test());
   s.warm_up();
   s.submit_unit({"MULTI", "INCR n", "EXEC"});
   s.accept();
   s.answer(ok + empty);
   s.accept();
   s.answer(ok + queued + "*1\r\n:1\r\n");
   s.submit("SELECT 1");
   auto& same = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   EXPECT_EQ(s.accept(), "SELECT 1");
   s.answer(ok);
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
   s.answer(ok + queued + "*1\r\n:2\r\n");
   EXPECT_TRUE(same.done() && same.results[2]);
   for (const bool waits : {true, false}) {
      auto& change = s.submit("AUTH ann secret");
      auto& other = s.submit_unit({"MULTI", "INCR n", "EXEC"});
      EXPECT_EQ(s.accept(), "AUTH ann secret");
      if (!waits) s.cancel(change);
      s.answer(ok);
      EXPECT_EQ(s.accept(), "MULTI; EXEC");
      s.answer(no_multi + refuses("ERR EXEC without MULTI"));
      EXPECT_EQ(other.says(), "not_executed, server_error");
      s.submit("AUTH bob secret");
      s.accept();
      s.answer(ok);
      s.submit_unit({"MULTI", "INCR n", "EXEC"});
      EXPECT_EQ(s.accept(), "MULTI; EXEC");
      s.answer(ok + empty);
      s.accept();
      s.answer(ok + queued + "*1\r\n:3\r\n");
   }
}

TEST(MultiTest, KeepsToWhatMayBeUnderWay) {
   settings one = that_test();
   one.in_flight = one.in_flight_before_first_reply = 1;
   script s(one);
   s.warm_up();
   s.submit("GET k");
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   EXPECT_EQ(s.accept(), "GET k");
   s.answer("$1\r\n1\r\n");
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(ok + empty);
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
   s.answer(ok + queued + "*1\r\n:1\r\n");
   EXPECT_TRUE(unit.done() && unit.results[2]);
}

// Each that waits is kept back, by an answer of its own.
TEST(MultiTest, KeepsBackAllThatStandBehindEachOther) {
   script s(that_test());
   s.warm_up();
   auto& one = s.submit_unit({"MULTI", "INCR a", "EXEC"});
   auto& between = s.submit("GET k");
   auto& two = s.submit_unit({"MULTI", "INCR b", "EXEC"});
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(no_multi + refuses("ERR EXEC without MULTI"));
   EXPECT_EQ(one.says(), "not_executed, server_error");
   EXPECT_EQ(s.accept(), "GET k; MULTI; EXEC");
   EXPECT_EQ(two.says(), "waiting");
   s.answer("$1\r\n1\r\n" + no_multi + refuses("ERR EXEC without MULTI"));
   EXPECT_EQ(between.says(), "1");
   EXPECT_EQ(two.says(), "not_executed, server_error");
   EXPECT_EQ(s.accept(), "");
}

// A transaction that a gate turned away is asked for again with its connection known.
TEST(MultiTest, ComesBeforeATransactionThatKnocks) {
   script s(that_test());
   s.warm_up();
   auto& write = s.submit("SET k 1");
   s.accept();
   s.answer(refuses("BUSY Redis is busy running a script."));
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   s.advance(200ms);
   EXPECT_EQ(s.accept(), "SET k 1") << "the gate is tried by the oldest, and the test is not due";
   s.cancel(write);
   s.answer(refuses("BUSY Redis is busy running a script."));
   s.advance(1s);
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(ok + refuses("EXECABORT Transaction discarded because of: BUSY Redis is busy running a script."));
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
   s.answer(ok + queued + "*1\r\n:1\r\n");
   EXPECT_TRUE(unit.done() && unit.results[2]);
}

TEST(MultiTest, LeavesAConnectionThatForgotItsUser) {
   script s(that_test());
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   s.accept();
   s.answer(refuses("NOAUTH Authentication required.") + refuses("NOAUTH Authentication required."));
   EXPECT_EQ(unit.says(), "waiting");
   s.connect(8);
   s.advance(200ms);
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(ok + empty);
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
   s.answer(ok + queued + "*1\r\n:1\r\n");
   EXPECT_TRUE(unit.done() && unit.results[2]);
}

// What may have run on a connection before is not called not executed by a later one that takes no MULTI.
TEST(MultiTest, SaysNothingOfAnEarlierAttempt) {
   script s(that_test());
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "SET n 1", "EXEC"}, {.delivery = delivery::at_least_once});
   s.accept();
   s.answer(ok + empty);
   EXPECT_EQ(s.accept(), "MULTI; SET n 1; EXEC");
   s.lose();
   s.connect(8);
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(no_multi + refuses("ERR EXEC without MULTI"));
   EXPECT_EQ(unit.says(), "unknown, server_error");
   EXPECT_EQ(unit.op.attempts, 1U);
}

// An ACL that is changed while the connection lives: the members run, and that is said; the next one is kept back.
TEST(MultiTest, IsMadeAnewAfterMultiWasRefused) {
   script s(that_test());
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   s.accept();
   s.answer(ok + empty);
   s.accept();
   s.answer(no_multi + number(1) + refuses("ERR EXEC without MULTI"));
   EXPECT_EQ(unit.says(), "executed, server_error");
   auto& next = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(no_multi + refuses("ERR EXEC without MULTI"));
   EXPECT_EQ(next.says(), "not_executed, server_error");
}

TEST(MultiTest, IsMadeOnceForTwoThatWereUnderWay) {
   script s(that_test());
   s.warm_up();
   auto& one = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   s.accept();
   s.answer(ok + empty);
   auto& two = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC; MULTI; INCR n; EXEC");
   auto& next = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
   const std::string in_part = no_multi + number(1) + refuses("ERR EXEC without MULTI");
   s.answer(in_part);
   auto& later = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.answer(in_part);
   EXPECT_EQ(s.accept(), "");
   s.answer(in_part + no_multi + refuses("ERR EXEC without MULTI"));
   for (const auto* unit : {&one, &two, &next}) EXPECT_EQ(unit->says(), "executed, server_error");
   EXPECT_EQ(later.says(), "not_executed, server_error");
   EXPECT_EQ(s.accept(), "");
}

// Right after a failover the new master may have other users for a while: the rule is that of any command.
TEST(MultiTest, refused_right_after_a_failover_is_asked_once_more) {
   for (const std::string& said : {no_multi, refuses("NOAUTH Authentication required.")}) {
      for (const bool is_allowed_then : {true, false}) {
         script s(that_test());
         s.warm_up();
         auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"}, {.deadline = 30s});
         s.watch.name(node_b, 6);
         s.on_view();
         s.connect(8);
         EXPECT_EQ(s.accept(), "MULTI; EXEC");
         s.answer(said + refuses("ERR EXEC without MULTI"));
         EXPECT_EQ(unit.says(), "waiting") << said;
         EXPECT_NE(s.pending_io().find("dial"), std::string::npos);
         s.connect(9);
         s.advance(1s);
         EXPECT_EQ(s.accept(), "MULTI; EXEC") << said;
         if (!is_allowed_then) {
            s.answer(said + refuses("ERR EXEC without MULTI"));
            EXPECT_EQ(unit.says(), "not_executed, server_error") << said;
            EXPECT_EQ(unit.op.attempts, 0U);
            continue;
         }
         s.answer(ok + empty);
         EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
         s.answer(ok + queued + "*1\r\n:1\r\n");
         EXPECT_TRUE(unit.done() && unit.results[2]);
      }
   }
}

}  // namespace
}  // namespace holdfast::impl::test

// Before its first transaction a connection is asked whether it takes MULTI and EXEC.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::lane::test {
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

}  // namespace
}  // namespace holdfast::lane::test

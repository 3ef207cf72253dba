// Before its first transaction a connection is asked whether it takes MULTI and EXEC.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::impl::test::multi_test_test {
namespace {

settings that_test() { return with(&settings::tests_multi, true); }

const std::string no_exec = refuses("ERR EXEC without MULTI");
const std::string empty = "*0\r\n";
const std::string no_multi = refuses("NOPERM User ann has no permissions to run the 'multi' command");

const std::string ran = ok + queued + "*1\r\n:1\r\n";  // the replies to MULTI, INCR n and EXEC

// The test alone is sent, and answered.
void expect_asked(script& s, std::string_view replies) { s.serve("MULTI; EXEC", replies); }

struct multi_test : testing::Test {
   warm_script s{that_test()};
   call& transaction(terms t = {}) { return s.submit_unit({"MULTI", "INCR n", "EXEC"}, t); }
};

TEST_F(multi_test, precedes_the_first_transaction_of_a_connection_alone) {
   auto& before = s.submit("GET k");
   auto& unit = transaction();
   auto& next = s.submit("GET k");
   s.serve("GET k; MULTI; EXEC", "$1\r\n1\r\n" + ok);  // nothing stands behind it
   EXPECT_EQ(before.says(), "1");
   EXPECT_EQ(s.accept(), "");
   s.answer(empty);
   s.expect_sent({&unit, &next}, ran + bulk("1"));
   transaction();
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC") << "once for a connection";
   s.reconnects();
   auto& again = transaction();
   s.serve("MULTI; EXEC", ok + empty);  // the next one may have other users
   s.expect_sent(again, ran);
}

TEST_F(multi_test, keeps_the_members_from_a_server_that_refuses_multi) {
   auto& unit = s.submit_unit({"MULTI", "DECRBY from 10", "INCRBY to 10", "EXEC"});
   auto& next = s.submit("GET k");
   expect_asked(s, no_multi + no_exec);
   EXPECT_EQ(unit.says(), "not_executed, server_error");
   EXPECT_EQ(unit.op.attempts, 0U);
   EXPECT_EQ(unit.error().server_text, "NOPERM User ann has no permissions to run the 'multi' command");
   EXPECT_TRUE(unit.has_cause("nothing of the transaction was sent"));
   s.serve("GET k", "$1\r\n1\r\n");  // the connection is as good as before
   EXPECT_EQ(next.says(), "1");
   auto& other = transaction();
   s.serve("MULTI; EXEC", ok + empty);  // by then it may be allowed
   s.expect_sent(other, ran);
}

TEST(multi_test_of, leaves_a_connection_that_took_multi_and_refused_exec) {
   for (const std::string& exec : {refuses("ERR unknown command 'EXEC'"), ok, std::string("*1\r\n:1\r\n")}) {
      warm_script s(that_test());
      auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
      auto& next = s.submit("GET k");
      expect_asked(s, ok + exec);
      EXPECT_EQ(unit.says(), "not_executed, server_error") << exec;
      EXPECT_EQ(s.accept(), "") << "it would be queued for ever";
      s.connect(8);
      EXPECT_EQ(s.accept(), "GET k");
      EXPECT_EQ(next.says(), "waiting");
   }
}

TEST_F(multi_test, is_repeated_where_what_refuses_it_passes) {
   auto& unit = transaction({.deadline = 10s});
   expect_asked(s, loading + loading);
   EXPECT_EQ(unit.says(), "waiting");
   EXPECT_EQ(s.sent_after(200ms), "MULTI; EXEC");
   s.answer(ok + refuses("EXECABORT Transaction discarded because of: BUSY Redis is busy running a script."));
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC") << "it was taken, and given up by the rules";
}

TEST_F(multi_test, that_is_lost_or_outlived_costs_nothing) {
   auto& unit = transaction({.deadline = 1s});
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   EXPECT_EQ(s.reconnects(), greeting) << "nothing to fence";
   EXPECT_EQ(s.accept(), "MULTI; EXEC");
   s.advance(1s);
   EXPECT_EQ(unit.says(), "not_executed, deadline_exceeded");
   auto& next = s.submit("GET k");
   EXPECT_EQ(s.accept(), "");
   s.answer(no_multi + no_exec);
   EXPECT_EQ(s.accept(), "GET k");
   EXPECT_EQ(next.says(), "waiting");
}

TEST_F(multi_test, leaves_the_ledger_in_order) {
   auto& one = s.submit("INCR a");
   auto& two = s.submit("INCR b");
   transaction();
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
TEST_F(multi_test, precedes_what_is_sent_again_with_a_transaction) {
   s.submit_unit({"MULTI", "SET n 1", "EXEC"});
   expect_asked(s, ok + empty);
   s.accept();
   s.answer(ok + queued + "*1\r\n+OK\r\n");
   auto& older = s.submit("SET k 1", {.delivery = delivery::at_least_once});
   auto& unit = s.submit_unit({"MULTI", "SET k 2", "EXEC"}, {.delivery = delivery::at_least_once});
   EXPECT_EQ(s.accept(), "SET k 1; MULTI; SET k 2; EXEC");
   EXPECT_EQ(s.sent_after_loss(), "MULTI; EXEC");
   s.answer(no_multi + no_exec);
   EXPECT_EQ(unit.says(), "unknown, server_error");
   EXPECT_EQ(older.says(), "unknown, connection_lost");
   EXPECT_EQ(s.accept(), "");
}

TEST_F(multi_test, is_of_the_user_of_the_connection) {
   transaction();
   expect_asked(s, ok + empty);
   s.accept();
   s.answer(ok + queued + "*1\r\n:1\r\n");
   s.submit("SELECT 1");
   auto& same = transaction();
   s.serve("SELECT 1", ok);
   s.expect_sent(same, ok + queued + "*1\r\n:2\r\n");
   for (const bool waits : {true, false}) {
      auto& change = s.submit("AUTH ann secret");
      auto& other = transaction();
      EXPECT_EQ(s.accept(), "AUTH ann secret");
      if (!waits) s.cancel(change);
      s.answer(ok);
      expect_asked(s, no_multi + no_exec);
      EXPECT_EQ(other.says(), "not_executed, server_error");
      s.send("AUTH bob secret");
      s.answer(ok);
      transaction();
      expect_asked(s, ok + empty);
      s.accept();
      s.answer(ok + queued + "*1\r\n:3\r\n");
   }
}

TEST(multi_test_of, keeps_to_what_may_be_under_way) {
   settings one = that_test();
   one.in_flight = one.in_flight_before_first_reply = 1;
   warm_script s(one);
   s.submit("GET k");
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   s.serve("GET k", "$1\r\n1\r\n");
   expect_asked(s, ok + empty);
   s.expect_sent(unit, ran);
}

// Each that waits is kept back, by an answer of its own.
TEST_F(multi_test, keeps_back_all_that_stand_behind_each_other) {
   auto& one = s.submit_unit({"MULTI", "INCR a", "EXEC"});
   auto& between = s.submit("GET k");
   auto& two = s.submit_unit({"MULTI", "INCR b", "EXEC"});
   expect_asked(s, no_multi + no_exec);
   EXPECT_EQ(one.says(), "not_executed, server_error");
   EXPECT_EQ(s.accept(), "GET k; MULTI; EXEC");
   EXPECT_EQ(two.says(), "waiting");
   s.answer("$1\r\n1\r\n" + no_multi + no_exec);
   EXPECT_EQ(between.says(), "1");
   EXPECT_EQ(two.says(), "not_executed, server_error");
   EXPECT_EQ(s.accept(), "");
}

// A transaction that a gate turned away is asked for again with its connection known.
TEST_F(multi_test, comes_before_a_transaction_that_knocks) {
   auto& write = s.refused("SET k 1", refuses("BUSY Redis is busy running a script."));
   auto& unit = transaction();
   EXPECT_EQ(s.sent_after(200ms), "SET k 1") << "the gate is tried by the oldest, and the test is not due";
   s.cancel(write);
   s.answer(refuses("BUSY Redis is busy running a script."));
   EXPECT_EQ(s.sent_after(1s), "MULTI; EXEC");
   s.answer(ok + refuses("EXECABORT Transaction discarded because of: BUSY Redis is busy running a script."));
   s.expect_sent(unit, ran);
}

TEST_F(multi_test, leaves_a_connection_that_forgot_its_user) {
   auto& unit = transaction();
   s.accept();
   s.answer(no_auth + no_auth);
   EXPECT_EQ(unit.says(), "waiting");
   s.connect(8);
   EXPECT_EQ(s.sent_after(200ms), "MULTI; EXEC");
   s.answer(ok + empty);
   s.expect_sent(unit, ran);
}

// What may have run on a connection before is not called not executed by a later one that takes no MULTI.
TEST_F(multi_test, says_nothing_of_an_earlier_attempt) {
   auto& unit = s.submit_unit({"MULTI", "SET n 1", "EXEC"}, {.delivery = delivery::at_least_once});
   expect_asked(s, ok + empty);
   EXPECT_EQ(s.accept(), "MULTI; SET n 1; EXEC");
   EXPECT_EQ(s.sent_after_loss(), "MULTI; EXEC");
   s.answer(no_multi + no_exec);
   EXPECT_EQ(unit.says(), "unknown, server_error");
   EXPECT_EQ(unit.op.attempts, 1U);
}

// An ACL that is changed while the connection lives: the members run, and that is said; the next one is kept back.
TEST_F(multi_test, is_made_anew_after_multi_was_refused) {
   auto& unit = transaction();
   expect_asked(s, ok + empty);
   s.accept();
   s.answer(no_multi + number(1) + no_exec);
   EXPECT_EQ(unit.says(), "executed, server_error");
   auto& next = transaction();
   expect_asked(s, no_multi + no_exec);
   EXPECT_EQ(next.says(), "not_executed, server_error");
}

TEST_F(multi_test, is_made_once_for_two_that_were_under_way) {
   auto& one = transaction();
   expect_asked(s, ok + empty);
   auto& two = transaction();
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC; MULTI; INCR n; EXEC");
   auto& next = transaction();
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
   const std::string in_part = no_multi + number(1) + no_exec;
   s.answer(in_part);
   auto& later = transaction();
   expect_asked(s, in_part);
   EXPECT_EQ(s.accept(), "");
   s.answer(in_part + no_multi + no_exec);
   for (const auto* unit : {&one, &two, &next}) EXPECT_EQ(unit->says(), "executed, server_error");
   EXPECT_EQ(later.says(), "not_executed, server_error");
   EXPECT_EQ(s.accept(), "");
}

// Right after a failover the new master may have other users for a while: the rule is that of any command.
TEST(multi_test_of, refused_right_after_a_failover_is_asked_once_more) {
   for (const std::string& said : {no_multi, no_auth}) {
      for (const bool is_allowed_then : {true, false}) {
         warm_script s(that_test());
         auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"}, {.deadline = 30s});
         s.name(node_b, 6);
         s.connect(8);
         expect_asked(s, said + no_exec);
         EXPECT_EQ(unit.says(), "waiting") << said;
         EXPECT_NE(s.pending_io().find("dial"), std::string::npos);
         s.connect(9);
         EXPECT_EQ(s.sent_after(1s), "MULTI; EXEC") << said;
         if (!is_allowed_then) {
            s.answer(said + no_exec);
            EXPECT_EQ(unit.says(), "not_executed, server_error") << said;
            EXPECT_EQ(unit.op.attempts, 0U);
            continue;
         }
         s.answer(ok + empty);
         s.expect_sent(unit, ran);
      }
   }
}

}  // namespace
}  // namespace holdfast::impl::test::multi_test_test

// The state of the connection follows what callers change, and is there again on every new connection; transactions.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::impl::test::session_test {
namespace {

// What the next connection asks after this was answered with OK.
std::string replayed(script& s, const char* line, const std::string& reply = ok) {
   s.send(line);
   s.answer(reply);
   s.lose();
   return s.connect(8);
}

TEST(session, follows_what_was_answered) {
   struct row {
      const char* line;
      const char* handshake;
   };
   const row rows[] = {
      {"SELECT 3", "HELLO 3; CLIENT INFO; INFO server; SELECT 3"},
      {"AUTH secret", "HELLO 3 AUTH default secret; CLIENT INFO; INFO server"},
      {"AUTH ann secret", "HELLO 3 AUTH ann secret; CLIENT INFO; INFO server"},
      {"CLIENT SETNAME worker", "HELLO 3 SETNAME worker; CLIENT INFO; INFO server"},
      {"HELLO 3 AUTH ann secret SETNAME worker", "HELLO 3 AUTH ann secret SETNAME worker; CLIENT INFO; INFO server"},
      {"HELLO 2", "ROLE; CLIENT INFO; INFO server"},
   };
   for (const auto& r : rows) {
      warm_script s;
      EXPECT_EQ(replayed(s, r.line), r.handshake) << r.line;
   }
}

using sessions = warm_lane;

TEST_F(sessions, do_not_follow_what_was_refused) {
   EXPECT_EQ(replayed(s, "SELECT 99", refuses("ERR DB index is out of range")), greeting);
}

TEST_F(sessions, follow_a_change_whose_caller_did_not_wait) {
   for (const char* const line : {"SELECT 3", "CLIENT SETNAME worker"}) {
      auto& change = s.send(line, {.deadline = 10ms});
      s.advance(10ms);
      EXPECT_EQ(change.says(), "unknown, deadline_exceeded");
      s.answer(ok);
   }
   s.lose();
   EXPECT_EQ(s.connect(8).substr(0, 33), "HELLO 3 SETNAME worker; CLIENT IN");
   EXPECT_EQ(s.arrived.back(), "SELECT 3");
}

TEST_F(sessions, stay_as_they_were_until_a_lost_change_is_resent) {
   auto& select = s.submit("SELECT 3");
   auto& get = s.submit("GET k");
   EXPECT_EQ(s.accept(), "SELECT 3");
   EXPECT_EQ(s.reconnects(), greeting_and_kill(7));
   s.expect_sent(select, ok);
   s.expect_sent(get, bulk("v"));
}

// What a connection forgets with its end is done again, whatever its caller thinks of repetition: what stands behind it
// would go to another database.
TEST(session, of_a_lost_change_is_restored_whatever_the_delivery) {
   for (const std::string kill_reply : {":1\r\n", "-NOPERM client|kill\r\n"}) {
      warm_script s;
      auto& select = s.submit("SELECT 3", {.delivery = delivery::at_most_once});
      auto& get = s.submit("GET k");
      EXPECT_EQ(s.accept(), "SELECT 3");
      s.reconnects(8, kill_reply);
      s.expect_sent(select, ok);
      s.expect_sent(get, bulk("v"));
   }
}

TEST(session, follows_a_select_in_a_transaction_if_exec_says_so) {
   struct row {
      std::string exec;
      std::string handshake;
   };
   const row rows[] = {
      {"*2\r\n" + ok + ok, "HELLO 3; CLIENT INFO; INFO server; SELECT 3"},
      {"*2\r\n" + ok + refuses("ERR DB index is out of range"), greeting},
      {"_\r\n", greeting},
   };
   for (const auto& r : rows) {
      warm_script s;
      auto& unit = s.send_unit({"MULTI", "SET a 1", "SELECT 3", "EXEC"});
      s.answer(ok + queued + queued + r.exec);
      EXPECT_TRUE(unit.results[3]);
      EXPECT_EQ(s.reconnects(), r.handshake) << r.exec;
   }
   warm_script s;
   s.send_unit({"MULTI", "SELECT 3", "DISCARD"});
   s.answer(ok + queued + ok);
   EXPECT_EQ(s.reconnects(), greeting);
}

TEST_F(sessions, of_an_abandoned_transaction_are_not_guessed) {
   s.send_unit({"MULTI", "SELECT 3", "EXEC"}, {.deadline = 10ms});
   s.advance(10ms);
   s.pending_io();
   auto& get = s.submit("GET k");
   EXPECT_EQ(s.pending(), 0U);
   s.answer(ok + queued + "*1\r\n" + ok);
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1") << "in which database is it?";
   EXPECT_EQ(s.connect(8), greeting);
   EXPECT_EQ(s.accept(), "GET k");
   EXPECT_EQ(get.says(), "waiting");
}

// ---- transactions --------------------------------------------------------------------------------------------------

using transactions = warm_lane;

TEST_F(transactions, go_and_are_answered_as_one) {
   auto& unit = s.submit_unit({"MULTI", "SET a 1", "INCR n", "EXEC"});
   auto& next = s.submit("GET a");
   s.serve("MULTI; SET a 1; INCR n; EXEC; GET a", ok + queued + queued);
   EXPECT_EQ(unit.says(), "waiting");
   s.answer("*2\r\n" + ok + number(1) + bulk("1"));
   ASSERT_TRUE(unit.done() && unit.results[3]);
   EXPECT_EQ(unit.results[3]->size(), 2U);
   EXPECT_EQ(next.says(), "1");
}

TEST_F(transactions, are_resent_whole_from_the_beginning) {
   auto& unit = s.send_unit({"MULTI", "SET a 1", "SET b 2", "EXEC"});
   s.answer(ok + queued);
   EXPECT_EQ(s.sent_after_loss(), "MULTI; SET a 1; SET b 2; EXEC");
   s.answer(ok + queued + queued + "*2\r\n" + ok + ok);
   EXPECT_TRUE(unit.done() && unit.results[3]);
   EXPECT_EQ(unit.op.attempts, 2U);
}

TEST_F(transactions, without_exec_cannot_have_run) {
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   const std::size_t all = s.pending();
   s.accept(all - 1);
   s.answer(ok + queued);
   EXPECT_EQ(s.reconnects(), greeting);
   s.expect_sent(unit, ok + queued + "*1\r\n:1\r\n");
}

TEST_F(transactions, with_a_member_refused_for_now_are_resent) {
   auto& unit = s.send_unit({"MULTI", "INCR n", "EXEC"}, {.deadline = 10s});
   s.answer(ok + readonly + aborted);
   EXPECT_EQ(unit.says(), "waiting");
   s.connect(8);
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
}

TEST(transaction, whose_exec_names_a_reason_that_passes_is_resent) {
   for (const char* reason : {"READONLY You can't write against a read only replica.",
                              "NOREPLICAS Not enough good replicas to write.", "LOADING Redis is loading"}) {
      warm_script s;
      auto& unit = s.send_unit({"MULTI", "INCR n", "EXEC"}, {.deadline = 10s});
      s.answer(ok + queued + refuses("EXECABORT Transaction discarded because of: " + std::string(reason)));
      EXPECT_EQ(unit.says(), "waiting") << reason;
      if (s.main.now() == link::state::dialing) s.connect(8);
      EXPECT_EQ(s.sent_after(1s), "MULTI; INCR n; EXEC") << reason;
   }
}

TEST(transaction, that_may_not_have_ended_takes_its_connection) {
   for (const char* last : {"DISCARD", "EXEC"}) {
      for (const bool is_cancelled : {false, true}) {
         warm_script s;
         auto& unit = s.submit_unit({"MULTI", "INCR n", last});
         auto& get = s.send("GET k");
         if (is_cancelled) s.cancel(unit);
         s.answer(ok + queued + refuses("NOPERM this user has no permissions to run the '...' command") + queued);
         EXPECT_NE(unit.says(), "waiting") << last;
         EXPECT_EQ(get.says(), "waiting") << "QUEUED is no answer";
         s.connect(8);
         EXPECT_EQ(s.accept(), "GET k") << last;
         s.answer(bulk("v"));
         EXPECT_EQ(get.says(), "v");
      }
   }
}

TEST(transaction, that_has_ended_leaves_its_connection_as_it_was) {
   for (const std::string& replies : {ok + queued + refuses("EXECABORT Transaction discarded because of: NOPERM exec"),
                                      ok + queued + refuses("MOVED 1 10.0.0.2:6379"),
                                      refuses("NOPERM multi") + refuses("NOPERM incr") + refuses("NOPERM exec")}) {
      warm_script s;
      auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"}, {.delivery = delivery::at_most_once});
      auto& get = s.send("GET k");
      s.answer(replies + bulk("v"));
      EXPECT_EQ(get.says(), "v") << replies;
      EXPECT_TRUE(unit.done() || unit.op.attempts == 1) << replies;
   }
}

TEST(transaction, whose_brackets_have_arguments_is_refused) {
   for (const auto& lines : {std::vector<const char*>{"MULTI x", "INCR n", "EXEC"},
                             {"MULTI", "INCR n", "EXEC x"},
                             {"MULTI", "INCR n", "DISCARD x"}}) {
      warm_script s;
      auto& unit = s.submit_unit({lines[0], lines[1], lines[2]});
      EXPECT_EQ(unit.says(), "not_executed, invalid_argument");
      EXPECT_EQ(s.pending(), 0U);
   }
}

TEST_F(transactions, with_a_wrong_member_did_not_run) {
   auto& unit = s.send_unit({"MULTI", "INCR", "SET a 1", "EXEC"});
   s.answer(ok + refuses("ERR wrong number of arguments for 'incr' command") + queued + aborted);
   EXPECT_EQ(unit.says(), "not_executed, server_error");
   for (const auto& r : unit.results) EXPECT_FALSE(r);
}

TEST_F(transactions, with_errors_in_the_array_have_run) {
   auto& unit = s.send_unit({"MULTI", "INCR n", "LPUSH n x", "EXEC"});
   s.answer(ok + queued + queued + "*2\r\n" + number(1) + refuses("WRONGTYPE Operation against a key"));
   ASSERT_TRUE(unit.done() && unit.results[3]);
   EXPECT_EQ((*unit.results[3])[1].kind(), kind::error);
}

// An ACL that allows INCR and not MULTI: the members run as they come, and EXEC finds no transaction.
TEST(transaction, whose_multi_was_refused_has_run_if_a_member_did) {
   const std::string no_multi = refuses("NOPERM User ann has no permissions to run the 'multi' command");
   const std::string no_exec = refuses("ERR EXEC without MULTI");
   {
      warm_script s;
      auto& unit = s.send_unit({"MULTI", "INCR n", "EXEC"});
      s.answer(no_multi + number(1) + no_exec);
      expect_refused(unit, "executed, server_error", "NOPERM User ann has no permissions to run the 'multi' command");
   }
   {
      warm_script s;
      auto& unit = s.send_unit({"MULTI", "INCR n", "EXEC"});
      s.answer(no_multi + wrong_type + no_exec);
      EXPECT_EQ(unit.says(), "not_executed, server_error");
   }
   {
      warm_script s;
      auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
      s.accept(s.pending() - 1);
      s.answer(no_multi);
      s.reconnects();
      EXPECT_EQ(unit.says(), "unknown, connection_lost") << "even without its EXEC";
   }
}

// EXEC is carried out where only a script within meets the gate.
TEST(transaction, whose_script_was_turned_away_within_is_resent) {
   const std::string gate = "-NOREPLICAS Not enough good replicas to write. script: 2a1b, on @user_script:1.\r\n";
   struct row {
      const char* first;
      std::string its_reply;
      delivery promise;
      bool is_sent_again;
   };
   const row rows[] = {
      {"GET k", bulk("v"), delivery::automatic, true},
      {"GET k", bulk("v"), delivery::at_most_once, false},
      {"INCR n", number(1), delivery::automatic, false},
      {"INCR n", no_replicas, delivery::automatic, true},
      {"EVAL x 0", refuses("ERR of its own script: 2a1b, on @user_script:1."), delivery::automatic, false}};
   for (const auto& r : rows) {
      warm_script s;
      auto& unit = s.submit_unit({"MULTI", r.first, "EVAL x 0", "EXEC"}, {.deadline = 30s, .delivery = r.promise});
      const std::string all = s.accept();
      s.answer(ok + queued + queued + "*2\r\n" + r.its_reply + gate);
      EXPECT_EQ(unit.done(), !r.is_sent_again) << r.first << r.its_reply;
      EXPECT_EQ(s.sent_after(1s), r.is_sent_again ? all : "") << r.first;
      if (!r.is_sent_again) {
         ASSERT_TRUE(unit.results[3]) << "EXEC was carried out";
         EXPECT_TRUE((*unit.results[3])[1].is_error());
         continue;
      }
      s.answer(ok + queued + queued + "*2\r\n:1\r\n:1\r\n");
      ASSERT_TRUE(unit.done() && unit.results[3]);
      EXPECT_EQ(unit.op.attempts, 2U);
   }
}

}  // namespace
}  // namespace holdfast::impl::test::session_test

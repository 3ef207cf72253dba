// The state of the connection follows what callers change, and is there again on every new connection; transactions.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::impl::test {
namespace {

// What the next connection asks after this was answered with OK.
std::string replayed(script& s, const char* line, const std::string& reply = ok) {
   s.submit(line);
   s.accept();
   s.answer(reply);
   s.lose();
   return s.connect(8);
}

TEST(Session, FollowsWhatWasAnswered) {
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
      script s;
      s.warm_up();
      EXPECT_EQ(replayed(s, r.line), r.handshake) << r.line;
   }
}

TEST(Session, DoesNotFollowWhatWasRefused) {
   script s;
   s.warm_up();
   EXPECT_EQ(replayed(s, "SELECT 99", refuses("ERR DB index is out of range")), "HELLO 3; CLIENT INFO; INFO server");
}

TEST(Session, FollowsAChangeWhoseCallerDidNotWaitForIt) {
   script s;
   s.warm_up();
   for (const char* const line : {"SELECT 3", "CLIENT SETNAME worker"}) {
      auto& change = s.submit(line, {.deadline = 10ms});
      s.accept();
      s.advance(10ms);
      EXPECT_EQ(change.says(), "unknown, deadline_exceeded");
      s.answer(ok);
   }
   s.lose();
   EXPECT_EQ(s.connect(8).substr(0, 33), "HELLO 3 SETNAME worker; CLIENT IN");
   EXPECT_EQ(s.arrived.back(), "SELECT 3");
}

TEST(Session, OfALostChangeIsWhatItWasUntilTheChangeIsSentAgain) {
   script s;
   s.warm_up();
   auto& select = s.submit("SELECT 3");
   auto& get = s.submit("GET k");
   EXPECT_EQ(s.accept(), "SELECT 3");
   s.lose();
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
   EXPECT_EQ(s.accept(), "SELECT 3");
   s.answer(ok);
   EXPECT_EQ(s.accept(), "GET k");
   s.answer(bulk("v"));
   EXPECT_EQ(select.says(), "OK");
   EXPECT_EQ(get.says(), "v");
}

// What a connection forgets with its end is done again, whatever its caller thinks of repetition: what stands behind it
// would go to another database.
TEST(Session, OfALostChangeIsRestoredWhateverTheDelivery) {
   for (const std::string kill_reply : {":1\r\n", "-NOPERM client|kill\r\n"}) {
      script s;
      s.warm_up();
      auto& select = s.submit("SELECT 3", {.delivery = delivery::at_most_once});
      auto& get = s.submit("GET k");
      s.accept();
      s.lose();
      s.connect(8, kill_reply);
      EXPECT_EQ(s.accept(), "SELECT 3");
      s.answer(ok);
      EXPECT_EQ(s.accept(), "GET k");
      s.answer(bulk("v"));
      EXPECT_EQ(select.says(), "OK");
      EXPECT_EQ(get.says(), "v");
   }
}

TEST(Session, FollowsASelectInsideATransactionIfExecSaysSo) {
   struct row {
      std::string exec;
      const char* handshake;
   };
   const row rows[] = {
      {"*2\r\n" + ok + ok, "HELLO 3; CLIENT INFO; INFO server; SELECT 3"},
      {"*2\r\n" + ok + refuses("ERR DB index is out of range"), "HELLO 3; CLIENT INFO; INFO server"},
      {"_\r\n", "HELLO 3; CLIENT INFO; INFO server"},
   };
   for (const auto& r : rows) {
      script s;
      s.warm_up();
      auto& unit = s.submit_unit({"MULTI", "SET a 1", "SELECT 3", "EXEC"});
      s.accept();
      s.answer(ok + queued + queued + r.exec);
      EXPECT_TRUE(unit.results[3]);
      s.lose();
      EXPECT_EQ(s.connect(8), r.handshake) << r.exec;
   }
   script s;
   s.warm_up();
   s.submit_unit({"MULTI", "SELECT 3", "DISCARD"});
   s.accept();
   s.answer(ok + queued + ok);
   s.lose();
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server");
}

TEST(Session, OfAnAbandonedTransactionIsNotGuessed) {
   script s;
   s.warm_up();
   s.submit_unit({"MULTI", "SELECT 3", "EXEC"}, {.deadline = 10ms});
   s.accept();
   s.advance(10ms);
   s.pending_io();
   auto& get = s.submit("GET k");
   EXPECT_EQ(s.pending(), 0U);
   s.answer(ok + queued + "*1\r\n" + ok);
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1") << "in which database is it?";
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server");
   EXPECT_EQ(s.accept(), "GET k");
   EXPECT_EQ(get.says(), "waiting");
}

// ---- transactions --------------------------------------------------------------------------------------------------

TEST(Transaction, GoesAndIsAnsweredAsOne) {
   script s;
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "SET a 1", "INCR n", "EXEC"});
   auto& next = s.submit("GET a");
   EXPECT_EQ(s.accept(), "MULTI; SET a 1; INCR n; EXEC; GET a");
   s.answer(ok + queued + queued);
   EXPECT_EQ(unit.says(), "waiting");
   s.answer("*2\r\n" + ok + number(1) + bulk("1"));
   ASSERT_TRUE(unit.done() && unit.results[3]);
   EXPECT_EQ(unit.results[3]->size(), 2U);
   EXPECT_EQ(next.says(), "1");
}

TEST(Transaction, IsSentAgainWholeFromItsBeginning) {
   script s;
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "SET a 1", "SET b 2", "EXEC"});
   s.accept();
   s.answer(ok + queued);
   s.lose();
   s.connect(8);
   EXPECT_EQ(s.accept(), "MULTI; SET a 1; SET b 2; EXEC");
   s.answer(ok + queued + queued + "*2\r\n" + ok + ok);
   EXPECT_TRUE(unit.done() && unit.results[3]);
   EXPECT_EQ(unit.op.attempts, 2U);
}

TEST(Transaction, WithoutItsExecCannotHaveRun) {
   script s;
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   const std::size_t all = s.pending();
   s.accept(all - 1);
   s.answer(ok + queued);
   s.lose();
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server");
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
   s.answer(ok + queued + "*1\r\n:1\r\n");
   EXPECT_TRUE(unit.done() && unit.results[2]);
}

TEST(Transaction, OfWhichAMemberWasRefusedForNowIsSentAgain) {
   script s;
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"}, {.deadline = 10s});
   s.accept();
   s.answer(ok + refuses("READONLY You can't write against a read only replica.") +
            refuses("EXECABORT Transaction discarded because of previous errors."));
   EXPECT_EQ(unit.says(), "waiting");
   s.connect(8);
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
}

TEST(Transaction, OfWhichExecNamesAReasonThatPassesIsSentAgain) {
   for (const char* reason : {"READONLY You can't write against a read only replica.",
                              "NOREPLICAS Not enough good replicas to write.", "LOADING Redis is loading"}) {
      script s;
      s.warm_up();
      auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"}, {.deadline = 10s});
      s.accept();
      s.answer(ok + queued + refuses("EXECABORT Transaction discarded because of: " + std::string(reason)));
      EXPECT_EQ(unit.says(), "waiting") << reason;
      if (s.main.now() == link::state::dialing) s.connect(8);
      s.advance(1s);
      EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC") << reason;
   }
}

TEST(Transaction, ThatMayNotHaveEndedTakesItsConnectionWithIt) {
   for (const char* last : {"DISCARD", "EXEC"}) {
      for (const bool is_cancelled : {false, true}) {
         script s;
         s.warm_up();
         auto& unit = s.submit_unit({"MULTI", "INCR n", last});
         auto& get = s.submit("GET k");
         s.accept();
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

TEST(Transaction, ThatHasEndedLeavesItsConnectionAsItWas) {
   for (const std::string& replies : {ok + queued + refuses("EXECABORT Transaction discarded because of: NOPERM exec"),
                                      ok + queued + refuses("MOVED 1 10.0.0.2:6379"),
                                      refuses("NOPERM multi") + refuses("NOPERM incr") + refuses("NOPERM exec")}) {
      script s;
      s.warm_up();
      auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"}, {.delivery = delivery::at_most_once});
      auto& get = s.submit("GET k");
      s.accept();
      s.answer(replies + bulk("v"));
      EXPECT_EQ(get.says(), "v") << replies;
      EXPECT_TRUE(unit.done() || unit.op.attempts == 1) << replies;
   }
}

TEST(Transaction, WhoseBracketsHaveArgumentsIsRefused) {
   for (const auto& lines : {std::vector<const char*>{"MULTI x", "INCR n", "EXEC"},
                             {"MULTI", "INCR n", "EXEC x"},
                             {"MULTI", "INCR n", "DISCARD x"}}) {
      script s;
      s.warm_up();
      auto& unit = s.submit_unit({lines[0], lines[1], lines[2]});
      EXPECT_EQ(unit.says(), "not_executed, invalid_argument");
      EXPECT_EQ(s.pending(), 0U);
   }
}

TEST(Transaction, OfWhichAMemberIsWrongDidNotRun) {
   script s;
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "INCR", "SET a 1", "EXEC"});
   s.accept();
   s.answer(ok + refuses("ERR wrong number of arguments for 'incr' command") + queued +
            refuses("EXECABORT Transaction discarded because of previous errors."));
   EXPECT_EQ(unit.says(), "not_executed, server_error");
   for (const auto& r : unit.results) EXPECT_FALSE(r);
}

TEST(Transaction, WithErrorsInItsArrayHasRun) {
   script s;
   s.warm_up();
   auto& unit = s.submit_unit({"MULTI", "INCR n", "LPUSH n x", "EXEC"});
   s.accept();
   s.answer(ok + queued + queued + "*2\r\n" + number(1) + refuses("WRONGTYPE Operation against a key"));
   ASSERT_TRUE(unit.done() && unit.results[3]);
   EXPECT_EQ((*unit.results[3])[1].kind(), kind::error);
}

// An ACL that allows INCR and not MULTI: the members run as they come, and EXEC finds no transaction.
TEST(Transaction, OfWhichMultiWasRefusedHasRunIfAMemberDid) {
   const std::string no_multi = refuses("NOPERM User ann has no permissions to run the 'multi' command");
   const std::string no_exec = refuses("ERR EXEC without MULTI");
   {
      script s;
      s.warm_up();
      auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
      s.accept();
      s.answer(no_multi + number(1) + no_exec);
      EXPECT_EQ(unit.says(), "executed, server_error");
      EXPECT_EQ(unit.error().server_text, "NOPERM User ann has no permissions to run the 'multi' command");
   }
   {
      script s;
      s.warm_up();
      auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
      s.accept();
      s.answer(no_multi + refuses("WRONGTYPE Operation against a key holding the wrong kind of value") + no_exec);
      EXPECT_EQ(unit.says(), "not_executed, server_error");
   }
   {
      script s;
      s.warm_up();
      auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
      s.accept(s.pending() - 1);
      s.answer(no_multi);
      s.lose();
      s.connect(8);
      EXPECT_EQ(unit.says(), "unknown, connection_lost") << "even without its EXEC";
   }
}

// EXEC is carried out where only a script within meets the gate.
TEST(Transaction, whose_script_was_turned_away_within_is_sent_again) {
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
      {"INCR n", refuses("NOREPLICAS Not enough good replicas to write."), delivery::automatic, true},
      {"EVAL x 0", refuses("ERR of its own script: 2a1b, on @user_script:1."), delivery::automatic, false}};
   for (const auto& r : rows) {
      script s;
      s.warm_up();
      auto& unit = s.submit_unit({"MULTI", r.first, "EVAL x 0", "EXEC"}, {.deadline = 30s, .delivery = r.promise});
      const std::string all = s.accept();
      s.answer(ok + queued + queued + "*2\r\n" + r.its_reply + gate);
      EXPECT_EQ(unit.done(), !r.is_sent_again) << r.first << r.its_reply;
      s.advance(1s);
      EXPECT_EQ(s.accept(), r.is_sent_again ? all : "") << r.first;
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
}  // namespace holdfast::impl::test

// Error replies: those that prove that nothing ran are waited out, and everything keeps its order meanwhile.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::impl::test {
namespace {

const std::string readonly_reply = refuses("READONLY You can't write against a read only replica.");
const std::string loading_reply = refuses("LOADING Redis is loading the dataset in memory");
const std::string no_replicas = refuses("NOREPLICAS Not enough good replicas to write.");
const std::string busy_reply =
   refuses("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
const std::string oom_reply = refuses("OOM command not allowed when used memory > 'maxmemory'.");
const std::string noperm_reply = refuses("NOPERM User ann has no permissions to run the 'set' command");

// ---- the node is left ----------------------------------------------------------------------------------------------

TEST(Gates, ADemotedMasterIsLeftAndTheCommandSentElsewhere) {
   script s;
   s.warm_up();
   auto& incr = s.submit("INCR n");
   s.accept();
   s.watch.answers = false;
   s.answer(readonly_reply);
   EXPECT_EQ(incr.says(), "waiting") << "not_executed, so that even INCR can be sent again";
   EXPECT_EQ(s.pending_io(), "close");
   s.watch.name(node_b, 6);
   s.watch.finish_rounds();
   s.on_view();
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.2");
   EXPECT_EQ(s.connect(1), "HELLO 3; CLIENT INFO; INFO server") << "nothing of ours can come late: no fence";
   EXPECT_EQ(s.accept(), "INCR n");
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
   EXPECT_EQ(incr.op.attempts, 2U);
}

TEST(Gates, ADemotedMasterIsLeftThoughTheCommandIsNotSentAgain) {
   settings never_again;
   never_again.max_resends = 0;
   for (const bool is_cancelled : {false, true}) {
      script s(never_again);
      s.warm_up();
      auto& set = s.submit("SET a 1");
      s.accept();
      if (is_cancelled) s.cancel(set);
      s.answer(readonly_reply);
      EXPECT_NE(set.says(), "waiting");
      EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1") << "a replica would answer reads, with what is old";
   }
}

TEST(Gates, ADemotedMasterIsLeftThoughATransactionIsAbandonedInTheMiddleOfItsReplies) {
   script s;
   s.warm_up();
   auto& all = s.submit_unit({"MULTI", "SET a 1", "EXEC"});
   s.accept();
   s.answer(ok + readonly_reply);
   s.cancel(all);
   s.answer(refuses("EXECABORT Transaction discarded because of previous errors."));
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1");
}

TEST(Gates, ANodeIsLeftOnlyWhenAllThatWasSentIsAnswered) {
   script s;
   s.warm_up();
   auto& one = s.submit("INCR a");
   auto& two = s.submit("GET b");
   auto& three = s.submit("INCR c");
   s.accept();
   s.answer(readonly_reply);
   auto& four = s.submit("INCR d");
   EXPECT_EQ(s.pending(), 0U) << "nothing more is sent there";
   EXPECT_EQ(s.pending_io(), "");
   s.answer(bulk("b"));
   EXPECT_EQ(two.says(), "b");
   s.answer(readonly_reply);
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1");
   s.connect(8);
   EXPECT_EQ(s.accept(), "INCR a; INCR c; INCR d");
   s.answer(number(1) + number(2) + number(3));
   EXPECT_EQ(one.says() + three.says() + four.says(), "123");
}

TEST(Gates, WhoDoesNotAnswerWhileHeIsLeftIsGivenUp) {
   script s;
   s.warm_up();
   s.submit("INCR a", {.deadline = 10s});
   auto& two = s.submit("INCR b", {.deadline = 10s});
   s.accept();
   s.answer(readonly_reply);
   s.advance(1999ms);  // the attempt timeout: somebody waits for it
   EXPECT_EQ(s.pending_io(), "");
   s.advance(1ms);
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.1");
   s.connect(8);
   EXPECT_EQ(two.says(), "unknown, connection_lost");
   EXPECT_EQ(s.accept(), "INCR a");
}

TEST(Gates, ANodeIsLeftAlsoWhenWhatWasStillToBeSentIsTakenBack) {
   script s;
   s.warm_up();
   s.submit("INCR a", {.deadline = 10s});
   s.accept();
   auto& two = s.submit("INCR b", {.deadline = 10s});
   s.answer(readonly_reply);
   s.cancel(two);
   EXPECT_EQ(two.says(), "not_executed, cancelled");
   s.advance(1ms);
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1");
}

TEST(Gates, TheSameNodeIsAskedMoreAndMoreSeldomUntilAnotherIsNamed) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 60s});
   s.accept();
   s.answer(readonly_reply);
   const auto begin = s.now;
   unsigned tries = 1;
   while (s.now - begin < 5s) {
      if (s.main.now() == link::state::dialing) s.connect(8);
      if (s.accept() == "SET a 1") {
         ++tries;
         s.answer(readonly_reply);
      }
      s.advance(1ms);
   }
   EXPECT_GE(tries, 8U);
   EXPECT_LE(tries, 25U) << "50 ms, doubled up to 500 ms, never less than half";
   // A pause is for the node that asked for it.
   s.watch.name(node_b, 6);
   s.on_view();
   s.connect(9);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
}

// Sentinel counts a PING that is answered with it as a failure, and will replace the node.
TEST(Gates, AMasterThatCannotSaveIsLeftAfterAPause) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.answer(
      refuses("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."));
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1");
   s.connect(8);
   EXPECT_EQ(s.accept(), "");
   s.advance(50ms);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
}

TEST(Gates, NoauthIsAnsweredByANewConnectionOnce) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1");
   s.accept();
   s.answer(refuses("NOAUTH Authentication required."));
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1");
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.answer(refuses("NOAUTH Authentication required."));
   EXPECT_EQ(set.says(), "not_executed, server_error");
   EXPECT_EQ(set.error().server_text, "NOAUTH Authentication required.");
}

TEST(Gates, NopermIsAskedOnceMoreOfANewMasterOnly) {
   script s;
   s.warm_up();
   auto& on_old = s.submit("SET a 1");
   s.accept();
   s.answer(noperm_reply);
   EXPECT_EQ(on_old.says(), "not_executed, server_error");

   s.watch.name(node_b, 6);
   s.on_view();
   s.connect(8);
   auto& on_new = s.submit("SET a 1");
   s.accept();
   s.answer(noperm_reply);
   EXPECT_EQ(on_new.says(), "waiting");
   s.connect(9);
   s.advance(1s);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.answer(noperm_reply);
   EXPECT_EQ(on_new.says(), "not_executed, server_error");
}

// Its name may have moved, or its address; but not between two tries.
TEST(gates, fixed_server_that_is_readonly_is_left_once_a_second) {
   script s;
   s.watch.view.verify_role = false;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   unsigned dials = 0;
   for (const time_point end = s.now + 3s; s.now < end; s.advance(1ms)) {
      const std::string pending_io = s.pending_io();
      for (std::size_t at = 0; (at = pending_io.find("dial 10.0.0.1", at)) != std::string::npos; ++at) ++dials;
      if (s.main.now() == link::state::dialing) s.connect();
      if (s.accept() == "SET a 1") s.answer(readonly_reply);
   }
   EXPECT_GE(dials, 2U);
   EXPECT_LE(dials, 4U);
   while (set.says() == "waiting") {
      s.advance(1ms);
      if (s.main.now() == link::state::dialing) s.connect();
      if (s.accept() == "SET a 1") s.answer(ok);
   }
   EXPECT_EQ(set.says(), "OK");
}

// The usual way into it: READONLY from the old master, then the new one's other users.
TEST(Gates, AGateOfAnotherKindDoesNotUseUpTheOneTry) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.answer(readonly_reply);
   s.watch.name(node_b, 6);
   s.on_view();
   s.connect(8);
   s.advance(1s);
   s.accept();
   s.answer(noperm_reply);
   EXPECT_EQ(set.says(), "waiting");
   s.connect(9);
   s.advance(1s);
   s.accept();
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
}

// ---- the node stays ------------------------------------------------------------------------------------------------

TEST(Gates, WhatPassesIsAskedAgainOfTheSameNodeAfterAPause) {
   const char* texts[] = {"LOADING Redis is loading the dataset in memory",
                          "NOREPLICAS Not enough good replicas to write.",
                          "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
                          "TRYAGAIN Multiple keys request during rehashing of slot",
                          "CLUSTERDOWN The cluster is down",
                          "OOM command not allowed when used memory > 'maxmemory'."};
   for (const char* text : texts) {
      SCOPED_TRACE(text);
      script s;
      s.warm_up();
      auto& incr = s.submit("INCR n", {.deadline = 10s});
      s.accept();
      const unsigned asked = s.watch.asked;
      s.answer(refuses(text));
      EXPECT_EQ(incr.says(), "waiting");
      EXPECT_EQ(s.pending(), 0U);
      EXPECT_EQ(s.watch.asked, asked + 1) << "another may be the master by now";
      s.advance(1s);
      EXPECT_EQ(s.pending_io(), "");
      EXPECT_EQ(s.accept(), "INCR n");
      s.answer(number(1));
      EXPECT_EQ(incr.says(), "1");
   }
}

TEST(Gates, WhatPassesIsBoundedByTheDeadlineAlone) {
   script s;
   s.warm_up();
   auto& get = s.submit("GET k", {.deadline = 20s});
   s.accept();
   s.answer(loading_reply);
   unsigned tries = 1;
   while (!get.done()) {
      if (!s.accept().empty()) {
         ++tries;
         s.answer(loading_reply);
      }
      s.advance(1ms);
   }
   EXPECT_GT(tries, 15U);
   EXPECT_LT(tries, 60U);
   EXPECT_EQ(get.says(), "not_executed, deadline_exceeded");
   EXPECT_EQ(get.error().server_text, "LOADING Redis is loading the dataset in memory") << "the reason";
   EXPECT_EQ(get.error().attempts, tries);
}

TEST(Gates, MemoryThatStaysFullIsTold) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET k v", {.deadline = 20s});
   unsigned tries = 0;
   while (!set.done()) {
      if (!s.accept().empty()) {
         ++tries;
         s.answer(oom_reply);
      }
      s.advance(1ms);
   }
   EXPECT_EQ(tries, 4U);
   EXPECT_EQ(set.says(), "not_executed, server_error");
   EXPECT_EQ(set.error().server_text, "OOM command not allowed when used memory > 'maxmemory'.");
}

TEST(Gates, APauseHoldsBackEverythingAndEndsByItself) {
   script s;
   s.warm_up();
   s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.answer(loading_reply);
   s.submit("SET b 1", {.deadline = 10s});
   EXPECT_EQ(s.pending(), 0U);
   s.advance(1s);
   EXPECT_EQ(s.accept(), "SET a 1") << "one is sent to see";
   s.answer(ok);
   EXPECT_EQ(s.accept(), "SET b 1");
}

TEST(gates, refused_writes_hold_no_place_in_flight) {
   settings narrow;
   narrow.in_flight = 2;
   script s(narrow);
   s.warm_up();
   s.submit("SET a 1");
   s.submit("SET b 1");
   s.accept();
   s.answer(no_replicas + no_replicas);
   s.submit("GET c");
   s.submit("GET d");
   s.submit("GET e");
   EXPECT_EQ(s.accept(), "GET c; GET d") << "as many as may be in flight";
   s.answer(bulk("c"));
   EXPECT_EQ(s.accept(), "GET e");
}

TEST(gates, script_kill_passes_no_gate_but_that_of_a_busy_server) {
   for (const bool is_busy : {false, true}) {
      script s;
      s.warm_up();
      auto& set = s.submit("SET a 1", {.deadline = 10s});
      s.accept();
      s.answer(is_busy ? busy_reply : no_replicas);
      auto& kill = s.submit("SCRIPT KILL", {.deadline = 10s});
      EXPECT_EQ(s.accept(), is_busy ? "SCRIPT KILL" : "") << "in the pause";
      if (!is_busy) continue;
      s.cancel(kill);
      s.answer(ok);
      EXPECT_EQ(set.says(), "waiting") << "it changed nothing";
      s.advance(1s);
      EXPECT_EQ(s.accept(), "SET a 1");
   }
}

TEST(gates, lost_script_kill_ends_no_older_write) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.answer(busy_reply);
   auto& kill = s.submit("SCRIPT KILL", {.deadline = 10s});
   s.accept();
   s.lose();
   EXPECT_EQ(set.says(), "waiting");
   s.connect(8);
   EXPECT_EQ(kill.says(), "unknown, connection_lost");
   s.advance(1s);
   EXPECT_EQ(s.accept(), "SET a 1");
}

TEST(gates, abandoned_probe_that_passes_opens_the_gate) {
   script s;
   s.warm_up();
   auto& probe = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.answer(loading_reply);
   s.submit("SET b 1", {.deadline = 10s});
   s.submit("SET c 1", {.deadline = 10s});
   s.advance(2s);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.cancel(probe);
   s.answer(ok);
   EXPECT_EQ(s.accept(), "SET b 1; SET c 1");
}

TEST(gates, abandoned_probe_that_a_member_fails_keeps_the_gate_closed) {
   script s;
   s.warm_up();
   auto& probe = s.submit_unit({"MULTI", "SET a 1", "EXEC"}, {.deadline = 10s});
   s.accept();
   const auto refused = ok + refuses("NOREPLICAS Not enough good replicas to write.") +
                        refuses("EXECABORT Transaction discarded because of previous errors.");
   s.answer(refused);
   s.submit("SET b 1", {.deadline = 10s});
   s.submit("SET c 1", {.deadline = 10s});
   s.advance(1s);
   EXPECT_EQ(s.accept(), "MULTI; SET a 1; EXEC");
   s.cancel(probe);
   s.answer(refused);
   EXPECT_EQ(s.accept(), "SET b 1") << "alone: the next probe";
}

TEST(gates, read_whose_write_is_gone_is_no_probe) {
   script s;
   s.warm_up();
   auto& write = s.submit("SET a 1", {.deadline = 1h});
   s.accept();
   const auto refused = refuses("NOREPLICAS Not enough good replicas to write.");
   s.answer(refused);
   s.submit("GET a", {.deadline = 1h});
   for (int i = 0; i < 40; ++i) s.submit("SET k" + std::to_string(i) + " 1", {.deadline = 1h});
   s.accept();
   s.cancel(write);
   s.accept();
   s.advance(1s);
   EXPECT_EQ(s.accept(), "GET a; SET k0 1");
   s.answer(bulk("x"));
   EXPECT_EQ(s.accept(), "") << "it shows nothing of writes";
}

TEST(gates, shutdown_passes_a_busy_server_unless_a_write_waits) {
   for (const char* refused : {"SET a 1", "GET a"}) {
      script s;
      s.warm_up();
      s.submit(refused, {.deadline = 10s});
      s.accept();
      s.answer(busy_reply);
      s.submit("SHUTDOWN NOSAVE", {.deadline = 10s});
      EXPECT_EQ(s.accept(), *refused == 'G' ? "SHUTDOWN NOSAVE" : "") << refused;
   }
}

TEST(Gates, APauseForWhatIsCancelledDoesNotForget) {
   script s;
   s.warm_up();
   auto& one = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.answer(loading_reply);
   s.submit("SET b 1", {.deadline = 10s});
   s.cancel(one);
   EXPECT_EQ(one.says(), "not_executed, cancelled");
   s.advance(1s);
   EXPECT_EQ(s.accept(), "SET b 1");
}

TEST(Gates, AnErrorOfTheCommandItselfIsAnAnswer) {
   script s;
   s.warm_up();
   auto& get = s.submit("GET k");
   auto& incr = s.submit("INCR k");
   s.accept();
   s.answer(refuses("WRONGTYPE Operation against a key holding the wrong kind of value") +
            refuses("ERR value is not an integer or out of range"));
   EXPECT_EQ(get.says(), "not_executed, server_error");
   EXPECT_EQ(get.error().server_text, "WRONGTYPE Operation against a key holding the wrong kind of value");
   EXPECT_EQ(get.error().where, node_a);
   EXPECT_EQ(incr.says(), "not_executed, server_error");
   EXPECT_TRUE(s.subject.idle());
}

TEST(Gates, AScriptThatFailedInsideHasRun) {
   script s;
   s.warm_up();
   auto& eval = s.submit("EVAL x 0");
   s.accept();
   s.answer(refuses("WRONGTYPE Operation against a key script: 8d2a, on @user_script:1."));
   EXPECT_EQ(eval.says(), "executed, server_error");
   auto& refused = s.submit("EVAL x 0", {.deadline = 10s});
   s.accept();
   s.answer(refuses("READONLY You can't write against a read only replica. script: 8d2a, on @user_script:1."));
   EXPECT_EQ(refused.says(), "waiting") << "refused before its first write: nothing has run";
   s.connect(8);
   EXPECT_EQ(s.accept(), "EVAL x 0");
}

TEST(Gates, AScriptsOwnWordsSayNothingOfTheNode) {
   for (const char* own : {"READONLY this list", "MASTERDOWN of mine", "ERR READONLY You can't write"}) {
      script s;
      s.warm_up();
      auto& eval = s.submit("EVAL x 0");
      s.accept();
      s.answer(refuses(own));
      EXPECT_EQ(eval.says(), "unknown, server_error") << own;
      EXPECT_EQ(s.pending_io(), "") << own;
      s.submit("GET k");
      EXPECT_EQ(s.accept(), "GET k") << own;
   }
}

TEST(Gates, WordsOfNobodyKnownProveNothing) {
   for (const char* text : {"ERR Connection timed out", "upstream failure", "LOADING", "BUSY too many requests"}) {
      script s;
      s.warm_up();
      auto& incr = s.submit("INCR n");
      s.accept();
      s.answer(refuses(text));
      EXPECT_EQ(incr.says(), "unknown, server_error") << text;
   }
}

TEST(Gates, WithoutBudgetACommandIsNotSentAgainAndSaysWhy) {
   script s({}, {.ratio = 0, .per_second = 0.1});
   s.warm_up();
   auto& one = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   for (int i = 0; i < 3; ++i) {  // the first time is free, the second takes all that there is
      EXPECT_EQ(one.says(), "waiting");
      s.answer(loading_reply);
      s.advance(1s);
      s.accept();
   }
   EXPECT_EQ(one.says(), "not_executed, retry_budget_exhausted");
   EXPECT_EQ(one.error().server_text, "LOADING Redis is loading the dataset in memory");
}

TEST(Gates, AreSentAgainNoMoreOftenThanIsConfigured) {
   settings once;
   once.max_resends = 1;
   script s(once);
   s.warm_up();
   auto& one = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.answer(loading_reply);
   s.advance(1s);
   s.accept();
   s.answer(loading_reply);
   EXPECT_EQ(one.says(), "not_executed, server_error");
   EXPECT_EQ(one.error().attempts, 2U);
}

TEST(Gates, ThatHoldTheLaneAreNoCauseOfWhatBecameOfACommandThatWasWrittenBefore) {
   script s;
   s.warm_up();
   s.submit("SET a 1", {.deadline = 10s});
   auto& written = s.submit("SET b 1", {.deadline = 20ms});
   s.accept();
   s.answer(refuses("OOM command not allowed when used memory > 'maxmemory'."));
   auto& held = s.submit("SET c 1", {.deadline = 20ms});
   s.advance(20ms);
   EXPECT_EQ(written.says(), "unknown, deadline_exceeded");
   EXPECT_FALSE(written.has_cause("held back"));
   EXPECT_EQ(held.says(), "not_executed, deadline_exceeded");
   EXPECT_TRUE(held.has_cause("held back, because an earlier command was answered OOM"));
}

}  // namespace
}  // namespace holdfast::impl::test

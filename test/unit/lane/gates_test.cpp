// Error replies: those that prove that nothing ran are waited out, and everything keeps its order meanwhile.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace holdfast::impl::test::gates_test {
namespace {

const std::string no_perm = refuses("NOPERM User ann has no permissions to run the 'set' command");
const terms patient{.deadline = 10s};

using gates = warm_lane;
struct each_gate : warm_lane, testing::WithParamInterface<const char*> {};

// ---- the node is left ----------------------------------------------------------------------------------------------

TEST_F(gates, demoted_master_is_left_and_the_command_sent_elsewhere) {
   auto& incr = s.send("INCR n");
   s.watch.answers = false;
   s.answer(readonly);
   EXPECT_EQ(incr.says(), "waiting") << "not_executed, so that even INCR can be sent again";
   EXPECT_EQ(s.pending_io(), "close");
   s.watch.finish_rounds();
   s.name(node_b, 6);
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.2");
   EXPECT_EQ(s.connect(1), greeting) << "nothing of ours can come late: no fence";
   s.expect_resent(incr, number(1));
   EXPECT_EQ(incr.op.attempts, 2U);
}

TEST(gate_reply, demotion_leaves_the_node_though_nothing_is_resent) {
   for (const std::string_view who : {"fails", "is cancelled", "is a transaction, and cancelled"}) {
      warm_script s(with(&settings::max_resends, 0));
      const bool is_transaction = who.starts_with("is a");
      auto& set = is_transaction ? s.send_unit({"MULTI", "SET a 1", "EXEC"}) : s.send("SET a 1");
      if (is_transaction) s.answer(ok + readonly);
      if (who != "fails") s.cancel(set);
      s.answer(is_transaction ? aborted : readonly);
      EXPECT_NE(set.says(), "waiting");
      EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1") << who << ": a replica would answer reads, with what is old";
   }
}

TEST_F(gates, node_is_left_only_when_all_that_was_sent_is_answered) {
   auto& one = s.submit("INCR a");
   auto& two = s.submit("GET b");
   auto& three = s.refused("INCR c", readonly);
   auto& four = s.submit("INCR d");
   EXPECT_EQ(s.pending(), 0U) << "nothing more is sent there";
   EXPECT_EQ(s.pending_io(), "");
   s.answer(bulk("b"));
   EXPECT_EQ(two.says(), "b");
   s.answer(readonly);
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1");
   s.connect(8);
   s.expect_sent({&one, &three, &four}, number(1) + number(2) + number(3));
}

TEST_F(gates, node_that_does_not_answer_while_it_is_left_is_given_up) {
   s.submit("INCR a", patient);
   auto& two = s.refused("INCR b", readonly, patient);
   // the attempt timeout: somebody waits for it
   EXPECT_EQ(s.io_after(1999ms), "");
   EXPECT_EQ(s.io_after(1ms), "abort; dial 10.0.0.1");
   s.connect(8);
   EXPECT_EQ(two.says(), "unknown, connection_lost");
   EXPECT_EQ(s.accept(), "INCR a");
}

TEST_F(gates, node_is_left_also_when_what_was_to_be_sent_is_taken_back) {
   s.send("INCR a", patient);
   auto& two = s.submit("INCR b", patient);
   s.answer(readonly);
   s.cancel(two);
   EXPECT_EQ(two.says(), "not_executed, cancelled");
   EXPECT_EQ(s.io_after(1ms), "close; dial 10.0.0.1");
}

TEST_F(gates, same_node_is_asked_less_and_less_often) {
   auto& set = s.refused("SET a 1", readonly, {.deadline = 60s});
   unsigned tries = 1;
   for (const time_point end = s.now + 5s; s.now < end; s.advance(1ms)) {
      if (s.main.now() == link::state::dialing) s.connect(8);
      if (s.accept() != "SET a 1") continue;
      ++tries;
      s.answer(readonly);
   }
   EXPECT_GE(tries, 8U);
   EXPECT_LE(tries, 25U) << "50 ms, doubled up to 500 ms, never less than half";
   // A pause is for the node that asked for it.
   s.name(node_b, 6);
   s.connect(9);
   s.expect_resent(set, ok);
}

// Sentinel counts a PING that is answered with it as a failure, and will replace the node.
TEST_F(gates, master_that_cannot_save_is_left_after_a_pause) {
   const auto misconf =
      refuses("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.");
   auto& set = s.refused("SET a 1", misconf, patient);
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1");
   s.connect(8);
   EXPECT_EQ(s.accept(), "");
   s.advance(50ms);
   s.expect_resent(set, ok);
}

TEST_F(gates, noauth_is_answered_by_a_new_connection_once) {
   auto& set = s.refused("SET a 1", no_auth);
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1");
   s.connect(8);
   s.serve("SET a 1", no_auth);
   expect_refused(set, "not_executed, server_error", "NOAUTH Authentication required.");
}

TEST_F(gates, noperm_is_asked_once_more_of_a_new_master_only) {
   EXPECT_EQ(s.refused("SET a 1", no_perm).says(), "not_executed, server_error");
   s.name(node_b, 6);
   s.connect(8);
   auto& on_new = s.refused("SET a 1", no_perm);
   EXPECT_EQ(on_new.says(), "waiting");
   s.connect(9);
   EXPECT_EQ(s.sent_after(1s), "SET a 1");
   s.answer(no_perm);
   EXPECT_EQ(on_new.says(), "not_executed, server_error");
}

// Its name may have moved, or its address; but not between two tries.
TEST(gate_reply, fixed_server_that_is_readonly_is_left_once_a_second) {
   script s;
   s.watch.view.verify_role = false;
   s.warm_up();
   auto& set = s.submit("SET a 1", patient);
   unsigned dials = 0;
   for (const time_point end = s.now + 3s; s.now < end; s.advance(1ms)) {
      const std::string pending_io = s.pending_io();
      for (std::size_t at = 0; (at = pending_io.find("dial 10.0.0.1", at)) != std::string::npos; ++at) ++dials;
      if (s.main.now() == link::state::dialing) s.connect();
      if (s.accept() == "SET a 1") s.answer(readonly);
   }
   EXPECT_GE(dials, 2U);
   EXPECT_LE(dials, 4U);
   for (; set.says() == "waiting"; s.advance(1ms)) {
      if (s.main.now() == link::state::dialing) s.connect();
      if (s.accept() == "SET a 1") s.answer(ok);
   }
   EXPECT_EQ(set.says(), "OK");
}

// The usual way into it: READONLY from the old master, then the new one's other users.
TEST_F(gates, gate_of_another_kind_does_not_use_up_the_one_try) {
   auto& set = s.refused("SET a 1", readonly, patient);
   s.name(node_b, 6);
   s.connect(8);
   s.sent_after(1s);
   s.answer(no_perm);
   EXPECT_EQ(set.says(), "waiting");
   s.connect(9);
   s.advance(1s);
   s.expect_resent(set, ok);
}

// ---- the node stays ------------------------------------------------------------------------------------------------

TEST_P(each_gate, is_asked_again_of_the_same_node_after_a_pause) {
   auto& incr = s.send("INCR n", patient);
   const unsigned asked = s.watch.asked;
   s.answer(refuses(GetParam()));
   EXPECT_EQ(incr.says(), "waiting");
   EXPECT_EQ(s.pending(), 0U);
   EXPECT_EQ(s.watch.asked, asked + 1) << "another may be the master by now";
   EXPECT_EQ(s.io_after(1s), "");
   s.expect_resent(incr, number(1));
}

INSTANTIATE_TEST_SUITE_P(
   passes, each_gate,
   testing::Values("LOADING Redis is loading the dataset in memory", "NOREPLICAS Not enough good replicas to write.",
                   "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
                   "TRYAGAIN Multiple keys request during rehashing of slot", "CLUSTERDOWN The cluster is down",
                   "OOM command not allowed when used memory > 'maxmemory'."));

// How often a command that is always refused with this is tried until it ends.
unsigned tries_until_done(script& s, const call& c, std::string_view reply) {
   unsigned tries = 0;
   for (; !c.done(); s.advance(1ms)) {
      if (s.accept().empty()) continue;
      ++tries;
      s.answer(reply);
   }
   return tries;
}

TEST_F(gates, what_passes_is_bounded_by_the_deadline_alone) {
   auto& get = s.submit("GET k", {.deadline = 20s});
   const unsigned tries = tries_until_done(s, get, loading);
   EXPECT_GT(tries, 15U);
   EXPECT_LT(tries, 60U);
   expect_refused(get, "not_executed, deadline_exceeded", "LOADING Redis is loading the dataset in memory");
   EXPECT_EQ(get.error().attempts, tries);
}

TEST_F(gates, memory_that_stays_full_is_told) {
   auto& set = s.submit("SET k v", {.deadline = 20s});
   EXPECT_EQ(tries_until_done(s, set, oom), 4U);
   expect_refused(set, "not_executed, server_error", "OOM command not allowed when used memory > 'maxmemory'.");
}

TEST(gate_reply, pause_holds_back_everything_and_ends_by_itself) {
   for (const bool is_cancelled : {false, true}) {
      warm_script s;
      auto& one = s.refused("SET a 1", loading, patient);
      s.submit("SET b 1", patient);
      EXPECT_EQ(s.pending(), 0U);
      if (is_cancelled) s.cancel(one);
      s.advance(1s);
      if (!is_cancelled) s.expect_resent(one, ok);  // alone, to see
      EXPECT_EQ(s.accept(), "SET b 1") << is_cancelled;
      EXPECT_EQ(one.says(), is_cancelled ? "not_executed, cancelled" : "OK");
   }
}

TEST(gate_reply, refused_writes_hold_no_place_in_flight) {
   warm_script s(with(&settings::in_flight, 2));
   s.submit("SET a 1");
   s.refused("SET b 1", no_replicas + no_replicas);
   for (const char* get : {"GET c", "GET d", "GET e"}) s.submit(get);
   s.serve("GET c; GET d", bulk("c"));  // as many as may be in flight
   EXPECT_EQ(s.accept(), "GET e");
}

TEST(gate_reply, script_kill_passes_a_busy_servers_gate_alone_and_ends_no_older_write) {
   for (const std::string_view kill_is : {"held", "cancelled", "lost"}) {
      warm_script s;
      auto& set = s.refused("SET a 1", kill_is == "held" ? no_replicas : busy, patient);
      auto& kill = s.submit("SCRIPT KILL", patient);
      EXPECT_EQ(s.accept(), kill_is == "held" ? "" : "SCRIPT KILL") << "in the pause";
      if (kill_is == "held") continue;
      if (kill_is == "lost") {
         s.reconnects();
         EXPECT_EQ(kill.says(), "unknown, connection_lost");
      } else {
         s.cancel(kill);
         s.answer(ok);
      }
      EXPECT_EQ(set.says(), "waiting") << "it changed nothing";
      EXPECT_EQ(s.sent_after(1s), "SET a 1");
   }
}

TEST_F(gates, abandoned_probe_that_passes_opens_the_gate) {
   auto& first = s.refused("SET a 1", loading, patient);
   s.submit("SET b 1", patient);
   s.submit("SET c 1", patient);
   EXPECT_EQ(s.sent_after(2s), "SET a 1");
   s.cancel(first);
   s.answer(ok);
   EXPECT_EQ(s.accept(), "SET b 1; SET c 1");
}

TEST(gate_reply, abandoned_transaction_opens_the_gate_unless_a_member_of_it_fails) {
   for (const bool fails : {false, true}) {
      warm_script s;
      auto& first = s.send_unit({"MULTI", "SET a 1", "EXEC"}, patient);
      s.answer(ok + no_replicas + aborted);
      s.submit("SET b 1", patient);
      s.submit("SET c 1", patient);
      EXPECT_EQ(s.sent_after(1s), "MULTI; SET a 1; EXEC");
      s.cancel(first);
      s.answer(fails ? ok + no_replicas + aborted : ok + queued + "*1\r\n" + ok);
      EXPECT_EQ(s.accept(), fails ? "SET b 1" : "SET b 1; SET c 1") << "alone it is the next probe";
   }
}

TEST_F(gates, read_whose_write_is_gone_is_no_probe) {
   auto& write = s.refused("SET a 1", no_replicas, {.deadline = 1h});
   s.submit("GET a", {.deadline = 1h});
   for (int i = 0; i < 40; ++i) s.submit("SET k" + std::to_string(i) + " 1", {.deadline = 1h});
   s.accept();
   s.cancel(write);
   s.accept();
   EXPECT_EQ(s.sent_after(1s), "GET a; SET k0 1");
   s.answer(bulk("x"));
   EXPECT_EQ(s.accept(), "") << "it shows nothing of writes";
}

TEST(gate_reply, shutdown_passes_a_busy_server_unless_a_write_waits) {
   for (const char* waits : {"SET a 1", "GET a"}) {
      warm_script s;
      s.refused(waits, busy, patient);
      s.submit("SHUTDOWN NOSAVE", patient);
      EXPECT_EQ(s.accept(), *waits == 'G' ? "SHUTDOWN NOSAVE" : "") << waits;
   }
}

TEST_F(gates, error_of_the_command_itself_is_an_answer) {
   auto& get = s.submit("GET k");
   auto& incr = s.refused("INCR k", wrong_type + refuses("ERR value is not an integer or out of range"));
   expect_refused(get, "not_executed, server_error",
                  "WRONGTYPE Operation against a key holding the wrong kind of value");
   EXPECT_EQ(get.error().where, node_a);
   EXPECT_EQ(incr.says(), "not_executed, server_error");
   EXPECT_TRUE(s.subject.idle());
}

TEST_F(gates, script_that_failed_inside_has_run) {
   auto& eval = s.refused("EVAL x 0", refuses("WRONGTYPE Operation against a key script: 8d2a, on @user_script:1."));
   EXPECT_EQ(eval.says(), "executed, server_error");
   auto& refused = s.send("EVAL x 0", patient);
   s.answer(refuses("READONLY You can't write against a read only replica. script: 8d2a, on @user_script:1."));
   EXPECT_EQ(refused.says(), "waiting") << "refused before its first write: nothing has run";
   s.connect(8);
   EXPECT_EQ(s.accept(), "EVAL x 0");
}

struct other_words : warm_lane, testing::WithParamInterface<std::pair<const char*, const char*>> {};
TEST_P(other_words, prove_nothing_and_say_nothing_of_the_node) {
   const auto [line, text] = GetParam();
   EXPECT_EQ(s.refused(line, refuses(text)).says(), "unknown, server_error");
   EXPECT_EQ(s.pending_io(), "");
   s.send("GET k");
}
INSTANTIATE_TEST_SUITE_P(of_a_script, other_words,
                         testing::Values(std::pair("EVAL x 0", "READONLY this list"),
                                         std::pair("EVAL x 0", "MASTERDOWN of mine"),
                                         std::pair("EVAL x 0", "ERR READONLY You can't write")));
INSTANTIATE_TEST_SUITE_P(of_nobody_known, other_words,
                         testing::Values(std::pair("INCR n", "ERR Connection timed out"),
                                         std::pair("INCR n", "upstream failure"), std::pair("INCR n", "LOADING"),
                                         std::pair("INCR n", "BUSY too many requests")));

TEST(gate_reply, without_budget_a_command_is_not_resent_and_says_why) {
   warm_script s({}, {.ratio = 0, .per_second = 0.1});
   auto& one = s.send("SET a 1", patient);
   for (int i = 0; i < 3; ++i) {  // the first time is free, the second takes all that there is
      EXPECT_EQ(one.says(), "waiting");
      s.answer(loading);
      s.sent_after(1s);
   }
   expect_refused(one, "not_executed, retry_budget_exhausted", "LOADING Redis is loading the dataset in memory");
}

TEST(gate_reply, refused_command_is_resent_no_more_often_than_configured) {
   warm_script s(with(&settings::max_resends, 1));
   auto& one = s.submit("SET a 1", patient);
   EXPECT_EQ(tries_until_done(s, one, loading), 2U);
   EXPECT_EQ(one.says(), "not_executed, server_error");
   EXPECT_EQ(one.error().attempts, 2U);
}

TEST_F(gates, gate_is_no_cause_of_what_became_of_a_command_written_before) {
   s.submit("SET a 1", patient);
   auto& written = s.refused("SET b 1", oom, {.deadline = 20ms});
   auto& held = s.submit("SET c 1", {.deadline = 20ms});
   s.advance(20ms);
   EXPECT_EQ(written.says(), "unknown, deadline_exceeded");
   EXPECT_FALSE(written.has_cause("held back"));
   expect_end(held, "not_executed, deadline_exceeded", "held back, because an earlier command was answered OOM");
}

}  // namespace
}  // namespace holdfast::impl::test::gates_test

// Calls whose wire commands are not what the user gave. The exchanges are the test's own, one of each shape: several
// wire commands, another form after NOSCRIPT, and one that is pinned to its connection.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::impl::test::exchange_test {
namespace {

// A write, and one WAIT behind it: the write's reply, and how many replicas have it.
struct acknowledged : exchange {
   explicit acknowledged(command c, std::string_view wait = "WAIT 1 100") : commands{std::move(c), words(wait)} {}
   std::span<const command> wire(std::uint32_t) override { return commands; }
   std::size_t decisive() const override { return 0; }
   result<value>* replies() override { return answers.data(); }
   next fold(result<value>& into) override {
      replicas = answers[1] ? answers[1]->integer() : 0;
      into = answers[0];
      return next::done;
   }

   std::vector<command> commands;
   std::array<result<value>, 2> answers;
   long long replicas = -1;
};

// A script: its text at first on each connection, its hash from the first reply on.
struct by_hash : exchange {
   std::span<const command> wire(std::uint32_t connection) override {
      const bool is_known = known_on == connection && !forgotten;
      written_on = connection;
      current = words(is_known ? "EVALSHA 9a 1 k" : "EVAL text 1 k");
      return {&current, 1};
   }
   std::size_t decisive() const override { return 0; }
   result<value>* replies() override { return &answer; }
   next fold(result<value>& into) override {
      into = answer;
      forgotten = !answer && answer.error().server_text.starts_with("NOSCRIPT");
      if (!forgotten) known_on = written_on;
      return forgotten ? next::again : next::done;
   }

   command current = words("PING");
   result<value> answer = value();
   std::uint32_t known_on = 0;
   std::uint32_t written_on = 0;
   bool forgotten = false;
};

const std::string no_script = refuses("NOSCRIPT No matching script.");

// ---- several wire commands ----

using call_with_a_form = warm_lane;

TEST_F(call_with_a_form, of_several_commands_is_one_call) {
   acknowledged x(words("INCR n"));
   auto& call = s.submit("INCR n", {.form = &x});
   auto& next = s.submit("GET k");
   s.serve("INCR n; WAIT 1 100; GET k", number(7));
   EXPECT_EQ(call.says(), "waiting");
   s.answer(number(2) + bulk("v"));
   EXPECT_EQ(call.says(), "7");
   EXPECT_EQ(x.replicas, 2);
   EXPECT_EQ(next.says(), "v");
}

// The connection is cut behind each byte of both, nothing answered. The WAIT does not count: once the INCR is taken it
// may have run.
TEST(exchange, is_written_whole_with_its_decisive_command) {
   const std::size_t of_incr = words("INCR n").bytes().size();
   const std::size_t all = of_incr + words("WAIT 1 100").bytes().size();
   for (std::size_t taken = 0; taken <= all; ++taken) {
      warm_script s;
      acknowledged x(words("INCR n"));
      auto& call = s.submit("INCR n", {.form = &x});
      if (taken != 0) s.accept(taken);
      s.reconnects();
      if (taken >= of_incr) {
         EXPECT_EQ(call.says(), "unknown, connection_lost") << taken;
         EXPECT_EQ(s.accept(), "");
         continue;
      }
      EXPECT_EQ(call.says(), "waiting") << taken;
      s.serve("INCR n; WAIT 1 100", number(1) + number(1));
      EXPECT_EQ(call.says(), "1");
   }
}

TEST(exchange, of_which_the_work_was_answered_ran_whatever_is_lost_behind) {
   for (const bool refused : {false, true}) {
      warm_script s;
      acknowledged x(words("INCR n"));
      auto& call = s.send("INCR n", {.form = &x});
      s.answer(refused ? wrong_type : number(7));
      s.lose();
      EXPECT_EQ(call.says(), refused ? "not_executed, server_error" : "executed, connection_lost");
      EXPECT_EQ(call.error().server_text.starts_with("WRONGTYPE"), refused);
      s.submit("GET k");
      s.connect(8);
      EXPECT_EQ(s.accept(), "GET k") << "never twice";
   }
}

TEST(exchange, that_a_gate_turned_away_is_written_again_whole) {
   for (const bool is_lost : {false, true}) {
      warm_script s;
      acknowledged x(words("INCR n"));
      auto& call = s.refused("INCR n", no_replicas, {.form = &x});
      if (is_lost) {
         EXPECT_EQ(s.reconnects(), greeting) << "nothing may still run";
      } else {
         s.answer(number(0));
      }
      EXPECT_EQ(call.says(), "waiting");
      EXPECT_EQ(s.accept(), "") << "in the gate's pause";
      EXPECT_EQ(s.sent_after(1s), "INCR n; WAIT 1 100");
      s.answer(number(1) + number(1));
      EXPECT_EQ(call.says(), "1");
      EXPECT_EQ(call.op.attempts, 2U);
   }
}

TEST_F(call_with_a_form, whose_caller_has_left_is_swallowed_whole) {
   {
      acknowledged x(words("INCR n"));
      auto& call = s.send("INCR n", {.form = &x});
      s.cancel(call);
      EXPECT_EQ(call.says(), "unknown, cancelled");
   }
   auto& next = s.send("GET k");
   s.answer(number(7) + number(2) + bulk("v"));
   EXPECT_EQ(next.says(), "v");
}

TEST(exchange, time_of_its_wait_is_no_silence) {
   for (const bool for_ever : {false, true}) {
      warm_script s;
      acknowledged x(words("INCR n"), for_ever ? "WAIT 1 0" : "WAIT 1 5000");
      s.send("INCR n", {.deadline = 60s, .form = &x});
      s.advance(6999ms);
      EXPECT_TRUE(s.told<event::suspected>().empty());
      s.advance(1ms);
      EXPECT_EQ(s.told<event::suspected>().empty(), for_ever);
   }
}

// Its caller leaves before the replies, or with each of them on the way.
TEST(exchange, whose_caller_has_left_is_judged_by_the_reply_that_decides) {
   const std::string replies[] = {no_replicas, number(0)};
   for (int heard = 0; heard < 2; ++heard) {
      warm_script s;
      auto& older = s.submit("SET j 1");
      acknowledged x(words("INCR n"));
      auto& call = s.refused("INCR n", no_replicas, {.form = &x});
      for (int i = 0; i < heard; ++i) s.answer(replies[i]);
      s.cancel(call);
      for (int i = heard; i < 2; ++i) s.answer(replies[i]);
      EXPECT_EQ(call.says(), heard == 0 ? "unknown, cancelled" : "not_executed, cancelled");
      EXPECT_EQ(older.says(), "waiting") << "nothing newer has run";
      EXPECT_EQ(s.sent_after(1s), "SET j 1");
   }
}

TEST_F(call_with_a_form, whose_caller_left_behind_its_work_has_run) {
   acknowledged x(words("INCR n"));
   auto& call = s.send("INCR n", {.form = &x});
   s.answer(number(7));
   s.cancel(call);
   EXPECT_EQ(call.says(), "executed, cancelled");
   EXPECT_TRUE(call.error().causes.empty());
}

TEST(exchange, abandoned_transaction_is_judged_by_all_its_replies) {
   const std::string no_multi = refuses("NOPERM this user has no permissions to run the 'multi' command");
   struct row {
      std::string replies;
      const char* older;
   };
   for (const row& r :
        {row{ok + no_replicas + aborted, "waiting"}, row{ok + queued + "*1\r\n" + ok, "not_executed, server_error"},
         row{no_multi + ok + refuses("EXECABORT Transaction discarded because of: NOPERM"),
             "not_executed, server_error"}}) {
      for (const std::size_t heard : {std::size_t{0}, r.replies.find("\r\n") + 2}) {
         warm_script s;
         auto& older = s.submit("SET j 1");
         auto& call = s.send_unit({"MULTI", "SET k 1", "EXEC"});
         s.answer(no_replicas + r.replies.substr(0, heard));
         s.cancel(call);
         s.answer(r.replies.substr(heard));
         EXPECT_EQ(older.says(), r.older) << r.replies << heard;
      }
   }
}

// ---- another form after NOSCRIPT ----

TEST_F(call_with_a_form, has_a_form_for_each_connection) {
   by_hash x;
   s.send("EVAL text 1 k", {.form = &x});
   s.answer(number(1));
   s.submit("EVAL text 1 k", {.form = &x});
   s.serve("EVALSHA 9a 1 k", number(2));
   s.lose();
   s.submit("EVAL text 1 k", {.form = &x});
   s.connect(8);
   EXPECT_EQ(s.accept(), "EVAL text 1 k") << "another node may not know it";
}

TEST_F(call_with_a_form, goes_in_its_other_form_to_its_place) {
   by_hash x;
   s.send("EVAL text 1 k", {.form = &x});
   s.answer(number(1));
   auto& call = s.submit("EVAL text 1 k", {.delivery = delivery::at_most_once, .form = &x});
   auto& behind = s.submit("GET k");
   s.serve("EVALSHA 9a 1 k; GET k", no_script);
   EXPECT_EQ(call.says(), "waiting");
   s.answer(bulk("old"));
   EXPECT_EQ(behind.says(), "waiting") << "its reply is from before the script";
   s.serve("EVAL text 1 k; GET k", number(2) + bulk("new"));
   EXPECT_EQ(call.says(), "2") << "certainly once";
   EXPECT_EQ(behind.says(), "new");
}

TEST_F(call_with_a_form, does_not_go_in_its_other_form_behind_a_newer_write) {
   by_hash x;
   s.send("EVAL text 1 k", {.form = &x});
   s.answer(number(1));
   auto& call = s.submit("EVAL text 1 k", {.form = &x});
   s.send("SET k 1");
   s.answer(no_script + ok);
   EXPECT_EQ(call.says(), "not_executed, server_error");
   EXPECT_EQ(s.accept(), "");
}

// ---- pinned to a connection ----

call& pinned_transaction(script& s, std::uint32_t to, delivery d = delivery::automatic) {
   return s.submit_unit({"MULTI", "SET k 1", "EXEC"}, {.delivery = d, .pinned_to = to});
}

TEST_F(call_with_a_form, pinned_to_a_connection_is_not_executed_on_another) {
   const auto first = s.subject.connection_serial();
   EXPECT_NE(first, 0U);
   auto& here = pinned_transaction(s, first);
   s.expect_sent(here, ok + queued + "*1\r\n" + ok);
   s.lose();
   EXPECT_EQ(s.subject.connection_serial(), 0U);
   EXPECT_EQ(pinned_transaction(s, first).says(), "not_executed, connection_lost") << "at once";
   s.submit("GET k");
   s.connect(8);
   EXPECT_NE(s.subject.connection_serial(), first);
   EXPECT_EQ(pinned_transaction(s, first).says(), "not_executed, connection_lost");
   EXPECT_EQ(s.accept(), "GET k");
}

TEST(exchange, pinned_and_lost_is_never_sent_again) {
   const std::size_t all =
      words("MULTI").bytes().size() + words("SET k 1").bytes().size() + words("EXEC").bytes().size();
   for (const auto d : {delivery::automatic, delivery::at_most_once, delivery::at_least_once}) {
      for (std::size_t taken = 0; taken <= all; ++taken) {
         warm_script s;
         auto& call = pinned_transaction(s, s.subject.connection_serial(), d);
         if (taken != 0) s.accept(taken);
         s.lose();
         s.submit("GET j");
         s.connect(8);
         EXPECT_EQ(call.says(), taken == all ? "unknown, connection_lost" : "not_executed, connection_lost") << taken;
         EXPECT_EQ(s.accept(), "GET j");
      }
   }
}

TEST_F(call_with_a_form, pinned_and_turned_away_by_a_gate_is_told_at_once) {
   auto& call = pinned_transaction(s, s.subject.connection_serial());
   s.accept();
   s.answer(ok + no_replicas + aborted);
   EXPECT_EQ(call.says(), "not_executed, server_error");
}

TEST_F(call_with_a_form, pinned_and_waiting_ends_with_its_connection) {
   s.refused("SET j 1", no_replicas);
   auto& call = pinned_transaction(s, s.subject.connection_serial());
   EXPECT_EQ(call.says(), "waiting") << "behind the gate";
   s.lose();
   EXPECT_EQ(call.says(), "not_executed, connection_lost");
}

}  // namespace
}  // namespace holdfast::impl::test::exchange_test

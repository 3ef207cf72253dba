// WATCH on a lane that one caller has alone: MULTI ... EXEC runs on the connection that watches, or not at all.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace holdfast::impl::test::watches_test {
namespace {

settings own() { return with(&settings::use, lane_use::own); }
settings tested() {
   settings s = own();
   s.tests_multi = true;
   return s;
}

const std::string ran = ok + queued + "*1\r\n:1\r\n";  // the replies to MULTI, INCR n and EXEC
const std::string is_told = "not_executed, connection_lost";

struct own_lane : testing::Test {
   warm_script s{own()};

   call& transaction(terms t = {}) { return s.submit_unit({"MULTI", "INCR n", "EXEC"}, t); }
   void watch() { s.expect_sent(s.submit("WATCH k"), ok); }
   void expect_runs() { s.expect_sent(transaction(), ran); }
};

TEST_F(own_lane, watch_and_its_transaction_go_to_one_connection) {
   watch();
   auto& unit = transaction();
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC");
   s.answer(ok + queued + "_\r\n");
   EXPECT_EQ(unit.says(), "nil") << "changed";
}

TEST_F(own_lane, next_transaction_after_a_loss_is_told_once) {
   watch();
   s.lose();
   EXPECT_EQ(transaction().says(), is_told) << "at once";
   s.reconnects_to(node_a);
   expect_runs();
}

TEST_F(own_lane, loss_is_told_after_the_reconnection_too) {
   watch();
   s.reconnects();
   auto& get = s.submit("GET k");
   s.expect_sent(get, bulk("1"));
   auto& unit = transaction();
   EXPECT_EQ(unit.says(), is_told);
   EXPECT_TRUE(unit.has_cause("begin again"));
   EXPECT_EQ(s.accept(), "");
   expect_runs();
}

TEST_F(own_lane, other_commands_go_on_after_a_loss) {
   watch();
   auto& get = s.send("GET k");
   s.reconnects();
   s.expect_resent(get, bulk("1"));
   s.expect_sent(s.submit("INCR n"), number(1));
   EXPECT_EQ(transaction().says(), is_told);
}

TEST_F(own_lane, transaction_in_flight_is_never_sent_on_another_connection) {
   for (const delivery d : {delivery::automatic, delivery::at_least_once, delivery::at_most_once}) {
      watch();
      auto& unit = s.submit_unit({"MULTI", "SET k 1", "EXEC"}, {.delivery = d});
      EXPECT_EQ(s.accept(), "MULTI; SET k 1; EXEC");
      s.reconnects();
      EXPECT_EQ(s.accept(), "");
      s.expect_fenced(unit);
      expect_runs();
   }
}

TEST_F(own_lane, transaction_that_was_sent_in_part_is_told) {
   watch();
   auto& unit = transaction();
   s.accept(20);
   s.lose();
   EXPECT_EQ(unit.says(), is_told);
   s.reconnects_to(node_a);
   expect_runs();
}

TEST_F(own_lane, transaction_that_was_not_sent_yet_is_told) {
   watch();
   auto& unit = transaction();
   s.lose();
   EXPECT_EQ(unit.says(), is_told);
   s.reconnects_to(node_a);
   expect_runs();
}

TEST_F(own_lane, watch_that_was_never_answered_is_sent_again_with_its_transaction) {
   auto& watch = s.submit("WATCH k");
   auto& get = s.submit("GET k");
   EXPECT_EQ(s.accept(), "WATCH k; GET k");
   s.lose();
   auto& unit = transaction();
   EXPECT_EQ(unit.says(), "waiting");
   s.reconnects_to(node_a);
   s.serve("WATCH k; GET k; MULTI; INCR n; EXEC", ok + bulk("1") + ran);
   EXPECT_EQ(watch.says(), "OK");
   EXPECT_EQ(get.says(), "1");
   EXPECT_EQ(unit.says(), "[1]");
}

TEST_F(own_lane, one_lost_watch_of_several_suffices) {
   watch();
   s.reconnects();
   watch();
   EXPECT_EQ(transaction().says(), is_told);
   auto& next = transaction();
   s.serve("UNWATCH; MULTI; INCR n; EXEC", ok + ran);  // of the second one nothing is left
   EXPECT_EQ(next.says(), "[1]");
}

TEST_F(own_lane, unwatch_and_exec_end_what_was_watched) {
   watch();
   s.expect_sent(s.submit("UNWATCH"), ok);
   s.reconnects();
   expect_runs();
   watch();
   expect_runs();
   s.reconnects();
   expect_runs();
   watch();
   s.reconnects();
   s.expect_sent(s.submit("UNWATCH"), ok);
   expect_runs();
}

TEST_F(own_lane, unwatch_that_waits_counts_before_its_transaction) {
   watch();
   s.lose();
   auto& unwatch = s.submit("UNWATCH");
   auto& unit = transaction();
   s.reconnects_to(node_a);
   EXPECT_EQ(s.accept(), "UNWATCH; MULTI; INCR n; EXEC");
   s.answer(ok + ran);
   EXPECT_EQ(unwatch.says(), "OK");
   EXPECT_EQ(unit.says(), "[1]");
}

TEST_F(own_lane, discard_ends_what_was_watched) {
   watch();
   auto& discard = s.submit_unit({"MULTI", "DISCARD"});
   s.serve("MULTI; DISCARD", ok + ok);
   EXPECT_EQ(discard.says(), "OK");
   s.reconnects();
   expect_runs();
}

TEST_F(own_lane, cutover_does_not_wait_for_an_idle_watch) {
   watch();
   s.name(node_b, 6);
   s.on_view();
   EXPECT_EQ(transaction().says(), is_told);
   s.reconnects_to(node_b);
   expect_runs();
}

TEST_F(own_lane, refused_watch_is_no_watch) {
   auto& refused = s.submit("WATCH k");
   s.serve("WATCH k", refuses("NOPERM User ann has no permissions to run the 'watch' command"));
   EXPECT_EQ(refused.says(), "not_executed, server_error");
   s.reconnects();
   expect_runs();
}

TEST_F(own_lane, watched_transaction_that_a_gate_refuses_is_told) {
   watch();
   auto& unit = transaction();
   s.serve("MULTI; INCR n; EXEC", ok + no_replicas + aborted);
   EXPECT_EQ(unit.says(), "not_executed, server_error") << "what was watched is not watched any more";
   s.advance(1s);
   EXPECT_EQ(s.accept(), "");
}

// The older one is turned away, and sent again behind the WATCH: its EXEC ends what that began.
TEST_F(own_lane, older_transaction_that_is_sent_again_ends_a_watch) {
   auto& older = transaction();
   auto& watch = s.submit("WATCH k");
   EXPECT_EQ(s.accept(), "MULTI; INCR n; EXEC; WATCH k");
   s.answer(ok + no_replicas + aborted + ok);
   EXPECT_EQ(watch.says(), "OK");
   const std::string again = s.sent_after(1s);
   if (again == "MULTI; INCR n; EXEC") {
      s.answer(ran);
      EXPECT_EQ(older.says(), "[1]");
      EXPECT_EQ(transaction().says(), is_told);
   } else {
      EXPECT_EQ(older.says(), "not_executed, server_error");
      expect_runs();
   }
}

TEST_F(own_lane, next_caller_finds_nothing_watched) {
   watch();
   s.subject.unwatch();
   auto& get = s.submit("GET k");
   s.serve("UNWATCH; GET k", ok + bulk("1"));
   EXPECT_EQ(get.says(), "1");
   expect_runs();
   watch();
   s.lose();
   s.subject.unwatch();
   s.reconnects_to(node_a);
   expect_runs();
}

TEST_F(own_lane, connection_that_refuses_unwatch_is_left) {
   watch();
   s.subject.unwatch();
   auto& get = s.submit("GET k");
   s.serve("UNWATCH; GET k", refuses("NOPERM no permissions") + bulk("1"));
   EXPECT_EQ(get.says(), "1");
   s.reconnects_to(node_a);
   expect_runs();
}

TEST(own_lane_that_tests, tests_multi_before_it_watches) {
   warm_script s{tested()};
   auto& watch = s.submit("WATCH k");
   s.serve("MULTI; EXEC", ok + "*0\r\n");
   s.expect_sent(watch, ok);
   auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   s.serve("MULTI; INCR n; EXEC", ran);  // a test between them would end what WATCH began
   EXPECT_EQ(unit.says(), "[1]");
}

TEST(own_lane_that_tests, tells_a_transaction_behind_a_change_of_user) {
   warm_script s{tested()};
   auto& watch = s.submit("WATCH k");
   s.serve("MULTI; EXEC", ok + "*0\r\n");
   s.expect_sent(watch, ok);
   s.expect_sent(s.submit("AUTH secret"), ok);
   EXPECT_EQ(s.submit_unit({"MULTI", "INCR n", "EXEC"}).says(), is_told);
   auto& next = s.submit_unit({"MULTI", "INCR n", "EXEC"});
   s.serve("MULTI; EXEC", ok + "*0\r\n");
   s.serve("MULTI; INCR n; EXEC", ran);
   EXPECT_EQ(next.says(), "[1]");
}

TEST(own_lane_that_tests, watch_ends_where_multi_is_refused) {
   warm_script s{tested()};
   auto& watch = s.submit("WATCH k");
   s.serve("MULTI; EXEC", refuses("NOPERM User ann has no permissions to run the 'multi' command") +
                             refuses("ERR EXEC without MULTI"));
   EXPECT_EQ(watch.says(), "not_executed, server_error");
}

// Wherever the connection ends: a transaction behind a WATCH runs on the connection that watches, or not at all.
TEST(own_lane_sweep, transaction_never_runs_unwatched) {
   const std::string_view sent = "WATCH k; GET k; MULTI; INCR n; EXEC";
   std::size_t size = 0;
   {
      warm_script s{own()};
      s.submit("WATCH k");
      s.submit("GET k");
      s.submit_unit({"MULTI", "INCR n", "EXEC"});
      size = s.pending();
      EXPECT_EQ(s.accept(), sent);
   }
   const std::string replies[] = {ok, bulk("1"), ok + queued + "*1\r\n:1\r\n"};
   for (std::size_t taken = 0; taken <= size; ++taken) {
      for (std::size_t answered = 0; answered <= 3; ++answered) {
         warm_script s{own()};
         auto& watch = s.submit("WATCH k");
         s.submit("GET k");
         auto& unit = s.submit_unit({"MULTI", "INCR n", "EXEC"});
         const std::string first = s.accept(taken);
         const std::size_t whole =
            static_cast<std::size_t>(std::count(first.begin(), first.end(), ';')) + !first.empty();
         if (answered > (whole == 5 ? 3 : std::min<std::size_t>(whole, 2))) continue;
         for (std::size_t i = 0; i < answered; ++i) s.answer(replies[i]);
         s.lose();
         s.reconnects_to(node_a);
         const std::string second = s.accept();
         const bool watches_again = second.starts_with("WATCH k");
         const bool executes = second.find("EXEC") != std::string::npos;
         EXPECT_TRUE(!executes || watches_again) << taken << ' ' << answered;
         EXPECT_FALSE(executes && whole == 5) << "it may have run";
         EXPECT_EQ(watches_again, answered == 0) << taken << ' ' << answered << ": " << second;
         s.answer_all();
         EXPECT_TRUE(watch.done() && unit.done()) << taken << ' ' << answered;
      }
   }
}

}  // namespace
}  // namespace holdfast::impl::test::watches_test

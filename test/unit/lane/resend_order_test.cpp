// A connection that is lost with several writes unanswered: an older one is not sent again behind a newer one that may
// have run, where both may be about the same data.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace holdfast::impl::test::resend_order_test {
namespace {

// What of a lost pipeline is sent again.
std::string sent_again(std::initializer_list<std::string_view> lines, delivery promise = delivery::automatic) {
   warm_script s;
   for (const auto line : lines) s.submit(line, {.delivery = promise});
   s.accept();
   return s.sent_after_loss();
}

TEST(overtaking, forbidden_where_the_newer_write_may_be_about_the_same_key) {
   EXPECT_EQ(sent_again({"SET k 1", "INCR k"}), "");
   EXPECT_EQ(sent_again({"SET k 1", "RENAME k j"}), "");
   EXPECT_EQ(sent_again({"SET j 1", "RENAME k j"}), "");
   EXPECT_EQ(sent_again({"MSET a 1 k 1", "INCR k"}), "");
   EXPECT_EQ(sent_again({"SET k 1", "DEL a k"}), "");
   EXPECT_EQ(sent_again({"SET k 1", "SET k 2 NX"}), "");
}

TEST(overtaking, forbidden_where_nobody_knows_what_the_newer_one_touches) {
   for (const char* far :
        {"EVAL s 0", "FLUSHALL", "SWAPDB 0 1", "MODULE.COMMAND x", "XREADGROUP GROUP g c STREAMS s >"})
      EXPECT_EQ(sent_again({"SET k 1", far}), "") << far;
}

TEST(overtaking, of_other_keys_is_none) {
   EXPECT_EQ(sent_again({"SET k 1", "INCR n"}), "SET k 1");
   EXPECT_EQ(sent_again({"SET k n", "INCR n"}), "SET k n") << "a value is no key";
   EXPECT_EQ(sent_again({"SET k 1", "PUBLISH k x"}), "SET k 1");
   EXPECT_EQ(sent_again({"INCR k", "SET k 1"}), "SET k 1") << "the newer one is sent again, behind it";
   EXPECT_EQ(sent_again({"GET k", "INCR n"}), "GET k");
   EXPECT_EQ(sent_again({"SET k 1", "SET k 2"}), "SET k 1; SET k 2");
   EXPECT_EQ(sent_again({"SET k 1", "INCR k"}, delivery::at_least_once), "SET k 1; INCR k");
}

TEST(overtaking, read_older_than_a_write_that_may_have_run_ends) {
   EXPECT_EQ(sent_again({"GET k", "INCR k"}), "") << "it would answer from the future";
   EXPECT_EQ(sent_again({"GET k", "SET k 1"}), "SET k 1") << "though that is sent again";
   EXPECT_EQ(sent_again({"GET k", "INCR k"}, delivery::at_least_once), "INCR k");
   EXPECT_EQ(sent_again({"INCR k", "GET k"}), "GET k");
   EXPECT_EQ(sent_again({"MGET j k", "SET k 1"}), "SET k 1");
   EXPECT_EQ(sent_again({"DBSIZE", "SET k 1"}), "SET k 1");
   EXPECT_EQ(sent_again({"PING", "FLUSHALL"}), "PING");
   EXPECT_EQ(sent_again({"GET k", "EVAL s 0"}), "");
   EXPECT_EQ(sent_again({"GET k", "GET k", "SET j 1"}), "GET k; GET k; SET j 1");
}

TEST(overtaking, write_that_tells_of_the_data_ends_as_a_read) {
   EXPECT_EQ(sent_again({"SETRANGE k 0 a", "SET k 1"}), "SET k 1");
   EXPECT_EQ(sent_again({"HMSET k f 1", "SET k 1"}), "SET k 1") << "it might find a string";
}

TEST(overtaking, reaches_back_through_what_it_forbids) {
   EXPECT_EQ(sent_again({"SET a 1", "MSET a 1 b 1", "SET c 1", "INCR b"}), "SET c 1");
}

using lost_pipeline = warm_lane;

TEST_F(lost_pipeline, transaction_of_reads_is_a_read) {
   auto& reads = s.submit_unit({"MULTI", "GET k", "EXEC"});
   auto& other = s.submit_unit({"MULTI", "GET j", "EXEC"});
   s.lost("SET k 1");
   EXPECT_EQ(reads.says(), "unknown, connection_lost");
   s.connect(8);
   EXPECT_EQ(s.accept(), "MULTI; GET j; EXEC; SET k 1");
   EXPECT_EQ(other.says(), "waiting");
}

TEST_F(lost_pipeline, overtaken_write_is_unknown_and_says_why) {
   auto& set = s.submit("SET k 1");
   s.lost("INCR k");
   s.connect(8);
   expect_end(set, "unknown, connection_lost", "a newer command about the same data may have run");
}

TEST_F(lost_pipeline, forbidden_to_what_a_gate_turned_away_too) {
   auto& set = s.submit("SET k 1");
   auto& del = s.refused("DEL k", oom);
   EXPECT_EQ(s.sent_after_loss(), "");
   EXPECT_EQ(s.sent_after(2s), "");
   EXPECT_EQ(set.says(), "not_executed, server_error");
   EXPECT_EQ(del.says(), "unknown, connection_lost");
}

TEST_F(lost_pipeline, gated_write_goes_again_behind_other_keys_and_older_ones) {
   s.submit("INCR a");
   auto& set = s.submit("SET a 1");
   s.refused("INCR b", number(1) + oom);
   s.reconnects();
   EXPECT_EQ(s.sent_after(2s), "SET a 1");
   EXPECT_EQ(set.says(), "waiting");
}

// Its reply was too large, so it ran: as if it had been answered.
TEST(overtaking, refused_write_ends_behind_one_whose_reply_was_too_large) {
   for (const char* newer : {"GETDEL a", "GETDEL k", "GET k"}) {
      const bool writes = std::string_view(newer).starts_with("GETDEL");
      warm_script s;
      auto& set = s.submit("SET a 1");
      auto& get = s.refused(newer, oom + "$600000000\r\n");
      s.submit("GET j");
      s.connect(8);
      s.serve("GET j", bulk("x"));
      EXPECT_EQ(s.sent_after(2s), writes ? "" : "SET a 1") << newer;
      EXPECT_EQ(get.says(), "executed, limit_exceeded");
      EXPECT_EQ(set.says(), writes ? "not_executed, server_error" : "waiting") << newer;
   }
}

TEST(overtaking, forbidden_behind_a_command_whose_caller_has_left) {
   for (const char* newer : {"INCR k", "EVAL s 0", "FLUSHALL", "INCR n"}) {
      const bool conflicts = newer != std::string_view("INCR n");
      warm_script s;
      auto& set = s.submit("SET k 1");
      s.cancel(s.submit(newer));  // before it was written
      s.cancel(s.send(newer));
      EXPECT_EQ(s.sent_after_loss(), conflicts ? "" : "SET k 1") << newer;
      EXPECT_EQ(set.says(), conflicts ? "unknown, connection_lost" : "waiting") << newer;
   }
}

// Found by `holdfast sim` (a caller cancels a SET that waits to be sent again).
TEST_F(lost_pipeline, forbidden_behind_one_whose_caller_left_before_its_resend) {
   auto& first = s.submit("SET k 1");
   s.submit("SET j 1");
   auto& second = s.lost("SET k 2");
   s.cancel(second);
   EXPECT_EQ(second.says(), "unknown, cancelled");
   EXPECT_EQ(first.says(), "waiting") << "it is reported when it can no longer run";
   s.connect(8);
   expect_end(first, "unknown, connection_lost", "not sent again: a newer command");
   EXPECT_FALSE(first.has_cause("not fenced"));
   EXPECT_EQ(s.accept(), "SET j 1");
}

TEST_F(lost_pipeline, forbidden_behind_one_whose_deadline_passed_before_its_resend) {
   auto& first = s.submit("SET k 1", {.deadline = 5s});
   s.submit("MSET k 2 j 2", {.deadline = 1s});
   s.send("SET k 3", {.deadline = 5s});
   s.watch.view.master.reset();
   s.lose();
   s.advance(1s);
   s.name(node_a, 5);
   s.connect(8);
   EXPECT_EQ(first.says(), "unknown, connection_lost") << "it would stand behind MSET k 2, which may have run";
   EXPECT_EQ(s.accept(), "SET k 3") << "what is newer goes on";
}

TEST_F(lost_pipeline, forbidden_behind_one_that_was_taken_back) {
   auto& first = s.submit("SET k 1");
   s.submit("SET j 1");
   auto& second = s.lost("SET k 2");
   s.connect(8);  // all three lie in the outbox, and the kernel takes none of them
   s.cancel(second);
   EXPECT_EQ(second.says(), "unknown, cancelled");
   EXPECT_EQ(first.says(), "unknown, connection_lost");
   EXPECT_EQ(s.accept(), "SET j 1");
}

TEST(overtaking, forbidden_behind_one_that_a_gate_ends) {
   warm_script s({}, {.ratio = 0, .per_second = 0.1});  // one, within ten seconds
   auto& first = s.submit("SET k 1");
   auto& second = s.send("SET k 2");
   EXPECT_EQ(s.sent_after_loss(), "SET k 1; SET k 2");
   s.answer(no_replicas + no_replicas);
   EXPECT_EQ(second.says(), "unknown, retry_budget_exhausted") << "its first attempt may have run";
   EXPECT_EQ(first.says(), "unknown, server_error");
   EXPECT_EQ(s.sent_after(2s), "");
}

// Of the second one the kernel has a part only, or nothing: but its first attempt may have run.
TEST(overtaking, forbidden_behind_one_lost_again_before_it_was_whole) {
   constexpr std::size_t first_whole = 27;
   for (const bool caller_leaves : {true, false}) {
      warm_script s;
      auto& first = s.submit("SET k 1", {.deadline = 9s});
      auto& second = s.lost("SET k 2", {.deadline = 1s});
      s.connect(8);
      EXPECT_EQ(s.accept(first_whole + (caller_leaves ? 3 : 0)), "SET k 1");
      if (caller_leaves) {
         s.cancel(second);
      } else {
         s.now += 1s;
      }
      s.lose();
      s.submit("GET j");
      s.reconnects_to(node_a, 9);
      EXPECT_EQ(second.says(), caller_leaves ? "unknown, cancelled" : "unknown, deadline_exceeded");
      EXPECT_EQ(first.says(), "unknown, connection_lost") << caller_leaves;
      s.serve("GET j", bulk("x"));
   }
}

// The newer one was lost, too, is answered with an error, and can't be asked for again as the budget is spent. Until
// the older one is answered it stays: else that would be sent again behind it.
struct kept_error : testing::Test {
   kept_error() {
      EXPECT_EQ(s.sent_after_loss(), "APPEND k b; APPEND k c");
      s.answer(readonly);
      s.answer(wrong_type);
      s.connect(9);
      EXPECT_EQ(s.accept(), "APPEND k b");
      EXPECT_EQ(newer.says(), "waiting");
   }
   const terms promise{.deadline = 60s, .delivery = delivery::at_least_once};
   warm_script s{{}, {.ratio = 0.5, .per_second = 0}};  // one alone
   call& older = s.submit("APPEND k b", promise);
   call& newer = s.send("APPEND k c", promise);
};

TEST_F(kept_error, counts_once_the_older_write_in_flight_ends) {
   s.answer(no_replicas);
   s.advance(5s);
   EXPECT_TRUE(older.done()) << "the budget is spent";
   EXPECT_EQ(newer.says(), "unknown, server_error");
}

TEST_F(kept_error, waits_for_the_older_write_in_flight) {
   s.answer(number(1));
   EXPECT_EQ(older.says(), "1");
   expect_end(newer, "unknown, server_error", "the retry budget is spent");
}

// Two writes were lost and are in flight again. The newer one's caller leaves: that may have run, and will not be
// repeated. The older one can't be taken back, but it is not sent once more.
struct left_behind {
   explicit left_behind(std::string_view newer_line = "SET k 2", std::size_t accepted = 1000) {
      older = &s.submit("SET k 1");
      newer = &s.lost(newer_line);
      s.connect(8);
      s.accept(accepted);
      s.cancel(*newer);
      EXPECT_EQ(newer->says(), "unknown, cancelled");
      EXPECT_EQ(older->says(), "waiting");
   }
   warm_script s;
   call* older = nullptr;
   call* newer = nullptr;
};

TEST(older_in_flight, ends_behind_what_has_gone_if_a_gate_turns_it_away_or_it_is_lost) {
   for (const std::size_t accepted : {1000U, 27U})  // of 27 bytes the newer one was not taken, and is taken back
      for (const bool is_lost : {false, true}) {
         left_behind x("SET k 2", accepted);
         is_lost ? static_cast<void>(x.s.reconnects(9)) : x.s.answer(no_replicas);
         expect_end(*x.older, is_lost ? "unknown, connection_lost" : "unknown, server_error",
                    "not sent again: a newer command");
         if (accepted == 1000 && !is_lost) x.s.answer(no_replicas);
         EXPECT_EQ(x.s.sent_after(2s), "") << accepted << is_lost;
      }
}

TEST(older_in_flight, ends_behind_what_has_gone_if_one_piece_turns_both_away) {
   left_behind x;
   x.s.answer(no_replicas + no_replicas);
   expect_end(*x.older, "unknown, server_error", "not sent again: a newer command");
   EXPECT_EQ(x.s.sent_after(2s), "");
}

TEST(older_in_flight, that_is_answered_counts) {
   left_behind x;
   x.s.answer(ok);
   EXPECT_EQ(x.older->says(), "OK");
}

TEST(older_in_flight, of_other_keys_is_sent_once_more) {
   left_behind x("SET j 2");
   x.s.answer(no_replicas + no_replicas);
   EXPECT_EQ(x.older->says(), "waiting");
   EXPECT_EQ(x.s.sent_after(2s), "SET k 1");
}

TEST(older_in_flight, says_nothing_of_what_comes_later) {
   left_behind x;
   x.s.answer(ok + ok);
   EXPECT_EQ(x.s.refused("SET k 3", no_replicas).says(), "waiting");
   EXPECT_EQ(x.s.sent_after(2s), "SET k 3");
}

TEST_F(lost_pipeline, gated_write_ends_as_soon_as_the_newer_ones_caller_leaves) {
   auto& older = s.submit("SET k 1");
   auto& newer = s.send("SET k 2");
   s.sent_after_loss();
   s.answer(no_replicas);
   EXPECT_EQ(older.says(), "waiting");
   s.cancel(newer);
   EXPECT_EQ(older.says(), "unknown, server_error");
   s.answer(no_replicas);
   EXPECT_EQ(s.sent_after(2s), "");
}

// Both are in order by their deadlines since the first one passed.
TEST_F(lost_pipeline, kept_answer_counts_where_the_write_ends_in_the_same_tick) {
   auto& first = s.submit("SET a 1", {.deadline = 1s});
   auto& write = s.submit("SET k 1", {.deadline = 10s});
   auto& read = s.send("GET k", {.deadline = 11s});
   s.answer(no_replicas + no_replicas + bulk("old"));
   s.advance(1s);
   EXPECT_NE(first.says(), "waiting");
   while (!s.accept().empty()) s.answer(no_replicas);
   EXPECT_EQ(read.says(), "waiting") << "the write is to be sent again";
   s.now += 20s;
   s.advance(1ms);
   EXPECT_NE(write.says(), "waiting");
   EXPECT_EQ(read.says(), "old");
}

// The write that the read should have seen may have run by now, though nobody waits for it.
TEST_F(lost_pipeline, kept_answer_does_not_count_once_an_abandoned_write_was_lost) {
   auto& write = s.lost("SET k 1");
   s.connect(8);
   auto& read = s.submit("GET k");
   s.serve("SET k 1; GET k", no_replicas + bulk("old"));
   EXPECT_EQ(read.says(), "waiting");
   EXPECT_EQ(s.sent_after(2s), "SET k 1");
   s.cancel(write);
   s.reconnects(9);
   EXPECT_EQ(read.says(), "waiting");
   EXPECT_EQ(s.accept(), "GET k");
}

}  // namespace
}  // namespace holdfast::impl::test::resend_order_test

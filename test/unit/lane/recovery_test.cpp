// Losing the master and finding it again: who is left when, how often is tried, what bounds it.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::impl::test::recovery_test {
namespace {

using recovery = warm_lane;

TEST_F(recovery, first_try_after_a_loss_comes_at_once_and_asks_again) {
   const unsigned asked = s.watch.asked;
   s.lose();
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.1");
   EXPECT_EQ(s.watch.asked, asked + 1);
}

TEST_F(recovery, superseded_master_is_left_at_once_though_it_works) {
   s.name(node_b, 6);
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.2");
}

TEST_F(recovery, empty_target_is_no_reason_to_leave_a_connection) {
   s.watch.view.master.reset();
   s.on_view();
   EXPECT_EQ(s.pending_io(), "");
   auto& get = s.submit("GET a");
   s.expect_sent(get, bulk("v"));
}

TEST_F(recovery, newer_epoch_of_the_same_master_is_no_reason_to_leave_it) {
   s.name(node_a, 6);
   EXPECT_EQ(s.pending_io(), "");
}

TEST_F(recovery, nothing_is_written_in_doubt_and_nothing_spins) {
   s.watch.view.in_doubt = true;
   auto& set = s.submit("SET a 1", {.deadline = 5s});
   EXPECT_EQ(s.pending(), 0U);
   s.advance(300ms);
   EXPECT_EQ(s.pending(), 0U);
   s.watch.view.in_doubt = false;
   s.on_view();
   s.expect_sent(set, ok);
}

TEST_F(recovery, command_held_in_doubt_goes_to_the_new_master) {
   s.watch.view.in_doubt = true;
   auto& incr = s.submit("INCR n");
   s.watch.name(node_b, 6);
   s.watch.view.in_doubt = false;
   s.on_view();
   s.connect();
   s.expect_sent(incr, number(1));
   EXPECT_EQ(incr.op.attempts, 1U);
}

TEST(dialling, never_ends_while_a_command_waits) {
   script s;
   auto& get = s.submit("GET a", {.deadline = 60s});
   unsigned dials = 0;
   const auto end = s.now + 30s;
   while (s.now < end) {
      if (s.main.now() == link::state::dialing) {
         ++dials;
         s.lose("connection refused");
      }
      s.advance(10ms);
   }
   EXPECT_GT(dials, 40U);
   EXPECT_LT(dials, 120U) << "full jitter from 20 ms, doubled up to 1 s";
   EXPECT_EQ(get.says(), "waiting");
   while (s.main.now() != link::state::dialing) s.advance(10ms);
   s.connect();
   s.accept();
   s.answer(bulk("v"));
   EXPECT_EQ(get.says(), "v");
   EXPECT_EQ(get.op.attempts, 1U) << "dialing costs it nothing";
}

TEST(dialling, is_more_frequent_while_a_failover_runs) {
   script s;
   s.watch.view.failover_in_progress = true;
   s.submit("GET a", {.deadline = 60s});
   duration longest{};
   duration shortest = 1h;
   for (int i = 0; i < 60; ++i) {
      ASSERT_EQ(s.main.now(), link::state::dialing);
      s.lose("connection refused");
      const auto begin = s.now;
      while (s.main.now() != link::state::dialing) s.advance(1ms);
      longest = std::max(longest, s.now - begin);
      if (i > 10) shortest = std::min(shortest, s.now - begin);
   }
   EXPECT_LE(longest, 251ms);
   EXPECT_GE(longest, 150ms);
   EXPECT_LT(shortest, 100ms) << "the jitter survives the cap";
}

TEST(dialling, pauses_grow_where_no_connection_answers_anything) {
   script s;
   auto& get = s.submit("GET a", {.deadline = 60s});
   std::vector<duration> gaps;
   auto last = s.now;
   for (int i = 0; i < 40; ++i) {
      s.connect();
      gaps.push_back(s.now - last);
      last = s.now;
      s.accept();
      s.lose();
      while (s.main.now() != link::state::dialing && !get.done()) s.advance(1ms);
      if (get.done()) break;
   }
   duration early{}, late{};
   for (std::size_t i = 1; i < 5; ++i) early += gaps[i];
   for (std::size_t i = gaps.size() - 10; i < gaps.size(); ++i) late += gaps[i];
   EXPECT_LT(early, 300ms);
   EXPECT_GT(late, 2s) << "ten of them, about half a second each";
}

TEST(dialling, pause_ends_when_another_master_is_named) {
   script s;
   s.submit("GET a", {.deadline = 60s});
   for (int i = 0; i < 12; ++i) {
      while (s.main.now() != link::state::dialing) s.advance(1ms);
      s.lose("connection refused");
   }
   s.pending_io();
   s.name(node_b, 6);
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.2");
}

TEST(dialling, of_a_crowd_is_spread_over_the_configured_time) {
   settings spread;
   spread.connecting.reconnect_spread = 500ms;
   warm_script s(spread);
   s.submit("GET a", {.deadline = 5s});
   s.name(node_b, 6);
   EXPECT_EQ(s.pending_io(), "abort") << "the old one is left at once";
   s.on_view();
   EXPECT_EQ(s.pending_io(), "") << "and not sooner because of more news of the same";
   EXPECT_EQ(s.io_after(500ms), "dial 10.0.0.2");
   // The same master again is no crowd.
   s.connect();
   s.accept();
   s.answer(bulk("v"));
   s.lose();
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.2");
}

TEST(resending, first_after_a_loss_is_free_the_next_are_not) {
   warm_script s({}, {.ratio = 0, .per_second = 0.1});
   auto& one = s.submit("SET a 1", {.deadline = 10s});
   auto& two = s.lost("SET b 1", {.deadline = 10s});
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1; SET b 1");
   const std::size_t none = s.pending();
   EXPECT_EQ(none, 0U);
   auto& parked = s.submit("SET c 1", {.deadline = 10s});
   s.lose();
   s.advance(1s);
   s.connect(9);
   EXPECT_EQ(one.says(), "waiting") << "the oldest has what budget there is";
   EXPECT_EQ(two.says(), "unknown, retry_budget_exhausted");
   s.serve("SET a 1; SET c 1", ok + ok);
   EXPECT_EQ(parked.says(), "OK");
   EXPECT_EQ(parked.op.attempts, 1U);
}

TEST(resending, change_of_master_makes_one_more_free) {
   warm_script s({}, {.ratio = 0, .per_second = 0});
   auto& set = s.lost("SET a 1", {.deadline = 20s});
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.name(node_b, 6);
   s.connect(9);
   EXPECT_EQ(s.accept(), "");
   EXPECT_EQ(set.says(), "unknown, retry_budget_exhausted") << "it was lost before the master changed";
   EXPECT_EQ(s.told<event::budget_exhausted>().back().where, node_a);
   auto& other = s.lost("SET a 2", {.deadline = 20s});
   s.advance(1s);
   s.connect(10);
   EXPECT_EQ(s.accept(), "SET a 2") << "its first";
   s.name(node_a, 7);
   s.connect(11);
   EXPECT_EQ(other.says(), "unknown, retry_budget_exhausted");
}

TEST(resending, is_limited_and_what_was_written_in_part_does_not_count) {
   warm_script s(with(&settings::max_resends, 1));
   auto& set = s.submit("SET a 1", {.deadline = 20s});
   s.accept(5);
   EXPECT_EQ(s.sent_after_loss(), "SET a 1");
   EXPECT_EQ(s.sent_after_loss(9), "SET a 1") << "the one resend";
   s.reconnects(10);
   EXPECT_EQ(set.says(), "unknown, connection_lost");
   EXPECT_EQ(set.error().attempts, 2U);
}

TEST_F(recovery, event_tells_why_a_command_is_resent) {
   s.lost("SET a 1");
   s.connect(8);
   s.accept();
   const auto resent = s.told<event::resent>();
   ASSERT_EQ(resent.size(), 1U);
   EXPECT_EQ(resent[0].command, "SET a <1 byte>");
   EXPECT_EQ(resent[0].attempt, 2U);
   EXPECT_EQ(resent[0].where, s.told<event::connection_lost>().front().where);
   EXPECT_NE(resent[0].where, endpoint{});
   EXPECT_NE(resent[0].why.find("closed by the other side"), std::string::npos);
   ASSERT_EQ(s.told<event::connection_lost>().size(), 1U);
   EXPECT_EQ(s.told<event::connection_lost>()[0].unanswered, 1U);
}

TEST_F(recovery, event_counts_the_reads_that_somebody_waits_for) {
   s.cancel(s.send("GET a"));
   s.send("GET b");
   s.lost("GET c");
   EXPECT_EQ(s.told<event::connection_lost>().back().unanswered, 2U);
}

TEST(dialling, of_one_fixed_server_waits_out_a_restart) {
   script s;
   s.watch.view.verify_role = false;
   s.warm_up();
   auto& set = s.lost("SET a 1", {.deadline = 10s});
   for (int i = 0; i < 5; ++i) {
      while (s.main.now() != link::state::dialing) s.advance(1ms);
      s.lose("connection refused");
   }
   while (s.main.now() != link::state::dialing) s.advance(1ms);
   EXPECT_EQ(s.connect(3), greeting_and_kill(7)) << "by id and address: the restarted server gave the id to a stranger";
   s.expect_sent(set, ok);
}

TEST(dialling, name_that_no_sentinel_knows_is_final_on_first_contact_only) {
   {
      script s;
      s.watch.view.master.reset();
      s.watch.view.why_none = unavailable{errc::unknown_master, {"10.0.1.1:26379: no such master"}, true};
      auto& get = s.submit("GET a");
      s.advance(20ms);
      expect_end(get, "not_executed, unknown_master", "no such master");
   }
   warm_script s;
   s.watch.view.master.reset();
   s.watch.view.why_none = unavailable{errc::unknown_master, {"10.0.1.1:26379: no such master"}, true};
   s.lose();
   auto& get = s.submit("GET a", {.deadline = 1s});
   s.advance(999ms);
   EXPECT_EQ(get.says(), "waiting");
   s.advance(1ms);
   EXPECT_EQ(get.says(), "not_executed, unknown_master");
}

}  // namespace
}  // namespace holdfast::impl::test::recovery_test

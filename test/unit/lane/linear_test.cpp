// No event costs more than linear time in what it is about. Steps are counted, not time: of the walks that find a place
// in a list, of the keys that are looked at, and of the commands that are gone through when many end at once.
#include "commands/command_table.hpp"
#include "lane/resend_order.hpp"
#include "lane/touched_keys.hpp"
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace holdfast::impl::test::linear_test {
namespace {

std::deque<operation> numbered(std::size_t n) {
   std::deque<operation> all(n);
   for (std::size_t i = 0; i < n; ++i) all[i].sequence = i + 1;
   return all;
}

bool is_ordered(const operation_list& list) {
   for (const operation* op = list.front(); op != nullptr && op->next != nullptr; op = op->next) {
      if (op->sequence >= op->next->sequence || op->next->previous != op) return false;
   }
   return true;
}

TEST(operation_list, row_put_back_takes_a_step_each) {
   constexpr std::size_t n = 10'000;
   auto all = numbered(4 * n);
   operation_list list;
   for (std::size_t i = 0; i < n; ++i) list.push_back(all[i]);          // waits at the front
   for (std::size_t i = 3 * n; i < 4 * n; ++i) list.push_back(all[i]);  // never written
   list.insert_in_order(all[n]);                                        // the first looks for its place
   const auto before = list.steps();
   for (std::size_t i = n + 1; i < 2 * n; ++i) list.insert_in_order(all[i]);  // from the oldest on
   for (std::size_t i = 3 * n; i-- > 2 * n;) list.insert_in_order(all[i]);    // from the newest on
   EXPECT_LE(list.steps() - before, 4 * n);
   EXPECT_EQ(list.size(), 4 * n);
   EXPECT_TRUE(is_ordered(list));
}

TEST(operation_list, stays_ordered_whatever_is_put_in_and_removed) {
   random_source random(11);
   auto all = numbered(60);
   operation_list list;
   std::vector<bool> inside(all.size());
   for (int i = 0; i < 20'000; ++i) {
      const std::size_t n = static_cast<std::size_t>(random() % all.size());
      if (inside[n])
         list.remove(all[n]);
      else
         list.insert_in_order(all[n]);
      inside[n] = !inside[n];
      ASSERT_TRUE(is_ordered(list));
   }
}

TEST(touched_keys, takes_in_each_key_once) {
   constexpr std::size_t n = 20'000;
   std::vector<std::string> arguments{"DEL"};
   for (std::size_t i = 0; i < n; ++i) arguments.push_back("key:" + std::to_string(i));
   const std::vector<command> commands{command::from(arguments), words("SET key:19999 v"), words("SET other v")};
   std::deque<operation> all(3);
   for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].commands = {&commands[i], 1};
      all[i].entry = find_command(commands[i]);
   }
   touched_keys touched;
   touched.add(all[0]);
   EXPECT_EQ(touched.steps(), 0U) << "nobody has asked";
   for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(touched.may_concern(all[1]));
      EXPECT_FALSE(touched.may_concern(all[2]));
   }
   EXPECT_LE(touched.steps(), 4 * n);
   for (std::size_t i = 0; i < n; ++i) {
      const command set{"SET", "key:" + std::to_string(i), "v"};
      all[1].commands = {&set, 1};
      ASSERT_TRUE(touched.may_concern(all[1])) << i;
   }
}

TEST(resend_order, row_that_leaves_and_comes_back_takes_a_step_each) {
   constexpr std::size_t n = 10'000;
   const command set = words("SET k v");
   auto all = numbered(2 * n);
   resend_order order;
   for (operation& op : all) {
      op.commands = {&set, 1};
      op.entry = find_command(set);
   }
   for (std::size_t i = n; i < 2 * n; ++i) order.add(all[i]);
   for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < n; ++i) order.add(all[i]);
      ASSERT_TRUE(order.has_older_writer(all[2 * n - 1]));  // by now the keys are looked at
      for (std::size_t i = 0; i < n; ++i) order.remove(all[i]);
   }
   EXPECT_LE(order.steps(), 20 * n);
   EXPECT_EQ(order.all().front(), &all[n]);
   EXPECT_EQ(order.size(), n);
}

// ---- a whole lane -------------------------------------------------------------------------------------------------

constexpr std::size_t many = 4000;

std::vector<call*> submit_many(script& s, const std::string& line, terms t = {}) {
   std::vector<call*> calls;
   for (std::size_t i = 0; i < many; ++i) calls.push_back(&s.submit(line + std::to_string(i), t));
   return calls;
}

std::string times(std::size_t n, const std::string& text) {
   std::string all;
   for (std::size_t i = 0; i < n; ++i) all += text;
   return all;
}

TEST(linear, refusals_of_what_was_sent_again_do_not_look_at_newer_ones) {
   warm_script s(with(&settings::max_resends, 1));
   const auto calls = submit_many(s, "INCR k", {.delivery = delivery::at_least_once});
   s.accept();
   s.reconnects();
   s.accept();  // as many as may be in flight before the first reply
   const std::size_t sent = s.subject.in_flight();
   ASSERT_EQ(sent, 1000U);
   ASSERT_EQ(s.subject.queued(), many - sent);
   const auto before = s.subject.steps();
   s.answer(times(sent, refuses("NOPERM this user has no permissions to run the 'incr' command")));
   EXPECT_LE(s.subject.steps() - before, 4 * many);
   EXPECT_EQ(calls.front()->says(), "unknown, server_error");
}

using linear_lane = warm_lane;

TEST_F(linear_lane, cancel_of_all_goes_through_each_once) {
   const auto calls = submit_many(s, "SET k ");  // some in the outbox, the others in the queue
   s.accept(100);
   const auto before = s.subject.steps();
   s.subject.cancel_all(s.now);
   s.on_view();  // takes what has ended
   EXPECT_LE(s.subject.steps() - before, 4 * many);
   EXPECT_EQ(calls.front()->says(), "unknown, cancelled");
   EXPECT_EQ(calls.back()->says(), "not_executed, cancelled");
}

TEST_F(linear_lane, deadline_of_all_goes_through_each_once) {
   const auto calls = submit_many(s, "SET k ", {.deadline = 100ms});
   s.accept(100);
   const auto before = s.subject.steps();
   s.advance(100ms);
   EXPECT_LE(s.subject.steps() - before, 4 * many);
   EXPECT_EQ(calls.front()->says(), "unknown, deadline_exceeded");
   EXPECT_EQ(calls.back()->says(), "not_executed, deadline_exceeded");
}

// Each at another time, the later given the earlier: none comes in order.
TEST_F(linear_lane, deadlines_of_their_own_take_a_step_each) {
   std::vector<call*> calls;
   for (std::size_t i = 0; i < many; ++i) calls.push_back(&s.submit("GET k", {.deadline = 1ms * (many + 100 - i)}));
   s.accept();
   s.advance(100ms);
   const auto before = s.subject.steps();
   s.advance(1ms * many);
   EXPECT_LE(s.subject.steps() - before, 4 * many);
   for (const call* c : calls) EXPECT_TRUE(c->done());
}

// ---- behind a closed gate, one event for each ----

TEST_F(linear_lane, gate_that_refuses_one_by_one_goes_through_each_once) {
   s.send("SET k 1", {.deadline = 1h});
   s.answer(ok);
   submit_many(s, "SET k ", {.deadline = 1h});
   for (std::string arrived = s.accept(); !arrived.empty(); arrived = s.accept()) {
   }
   const std::size_t sent = s.subject.in_flight();
   const auto before = s.subject.steps();
   for (std::size_t i = 0; i < sent; ++i) s.answer(no_replicas);
   EXPECT_LE(s.subject.steps() - before, 4 * many);
   EXPECT_EQ(s.subject.queued(), many);
}

TEST_F(linear_lane, cancel_one_by_one_behind_a_gate_goes_through_each) {
   s.refused("SET first 1", no_replicas, {.deadline = 1h});
   const auto writes = submit_many(s, "SET k ", {.deadline = 1h});
   auto& read = s.submit("GET k", {.deadline = 1h});
   const auto before = s.subject.steps();
   for (call* c : writes) s.cancel(*c);
   EXPECT_LE(s.subject.steps() - before, 24 * many);
   EXPECT_EQ(s.accept(), "GET k") << "none holds it back any more";
   EXPECT_EQ(read.says(), "waiting");
}

TEST_F(linear_lane, cancel_one_by_one_of_what_was_lost_finds_older_ones_by_key) {
   std::vector<call*> newer;
   for (std::size_t i = 0; i < many / 2; ++i) {
      const std::string key = "k" + std::to_string(i);
      const terms of_its_own{.deadline = 1h, .delivery = delivery::at_least_once, .group = i + 1};
      s.submit("SET " + key + " 1", of_its_own);
      newer.push_back(&s.submit("SET " + key + " 2", of_its_own));
   }
   s.accept();
   s.lose();
   const auto before = s.subject.steps();
   for (call* c : newer) s.cancel(*c);
   EXPECT_LE(s.subject.steps() - before, 8 * many);
}

TEST_F(linear_lane, leaving_node_does_not_walk_abandoned_ones_each_time) {
   s.submit("SET k 1");
   submit_many(s, "GET k", {.deadline = 100ms});
   s.accept();
   s.answer(readonly);
   s.advance(100ms);
   ASSERT_GE(s.subject.in_flight(), many);
   const auto before = s.subject.steps();
   submit_many(s, "GET j");
   EXPECT_LE(s.subject.steps() - before, 4 * many);
}

}  // namespace
}  // namespace holdfast::impl::test::linear_test

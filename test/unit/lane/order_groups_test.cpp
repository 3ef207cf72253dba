// Many callers on one lane. Commands of one order group take effect in the given order; those of different groups are
// ordered only where they are about the same keys.
#include "lane/resend_order.hpp"
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace holdfast::impl::test::order_groups_test {
namespace {

constexpr terms ann{.deadline = 9s, .group = 1};
constexpr terms bob{.deadline = 9s, .group = 2};

// Ann's write is refused by a gate while Bob's, given after it, runs. What becomes of Ann's.
std::string after_newer_ran(std::string_view anns, std::string_view bobs, terms of_bob = bob) {
   warm_script s;
   auto& older = s.submit(anns, ann);
   s.submit(bobs, of_bob);
   s.accept();
   s.answer(no_replicas + ok);
   s.advance(2s);
   const std::string again = s.accept();
   return older.done() ? older.says() : "sent again: " + again;
}

TEST(order_groups, write_refused_by_a_gate_is_resent_though_anothers_has_run) {
   EXPECT_EQ(after_newer_ran("SET a 1", "SET b 1"), "sent again: SET a 1");
   EXPECT_EQ(after_newer_ran("SET a 1", "SET a 2"), "not_executed, server_error") << "the same key";
   EXPECT_EQ(after_newer_ran("SET a 1", "DEL b a"), "not_executed, server_error");
   EXPECT_EQ(after_newer_ran("SET a 1", "FLUSHALL"), "not_executed, server_error");
   EXPECT_EQ(after_newer_ran("ZUNIONSTORE a 1 b", "SET c 1"), "not_executed, server_error") << "any keys";
   EXPECT_EQ(after_newer_ran("SET a 1", "PUBLISH c x"), "sent again: SET a 1");
   EXPECT_EQ(after_newer_ran("SET a 1", "SET b 1", ann), "not_executed, server_error") << "its own group";
   EXPECT_EQ(after_newer_ran("SET a 1", "PUBLISH c x", ann), "not_executed, server_error");
}

TEST(order_groups, script_without_keys_conflicts_within_its_group_alone) {
   EXPECT_EQ(after_newer_ran("SET a 1", "EVAL s 0"), "sent again: SET a 1");
   EXPECT_EQ(after_newer_ran("SET a 1", "EVAL s 1 b"), "sent again: SET a 1");
   EXPECT_EQ(after_newer_ran("SET a 1", "FCALL f 2 b a"), "not_executed, server_error") << "it declares the key";
   EXPECT_EQ(after_newer_ran("SET a 1", "MODULE.COMMAND a"), "sent again: SET a 1");
   EXPECT_EQ(after_newer_ran("SET a 1", "EVAL s 1 b", ann), "not_executed, server_error");
   EXPECT_EQ(after_newer_ran("EVAL s 1 a", "SET a 1"), "not_executed, server_error");
   EXPECT_EQ(after_newer_ran("EVAL s 1 a", "SET b 1"), "sent again: EVAL s 1 a");
}

TEST(order_groups, transaction_has_the_keys_of_its_members) {
   for (const bool same : {true, false}) {
      warm_script s;
      auto& older = s.submit("SET a 1", ann);
      s.send_unit({"MULTI", "SET b 1", same ? "SET a 2" : "SET c 2", "EXEC"}, bob);
      s.answer(no_replicas + ok + queued + queued + "*2\r\n" + ok + ok);
      EXPECT_EQ(older.says(), same ? "not_executed, server_error" : "waiting");
   }
}

// The abandoned write may have run. It conflicts for its own keys alone.
TEST(order_groups, abandoned_write_makes_nobody_elses_outcome_unknown) {
   for (const bool lost : {false, true}) {
      warm_script s;
      auto& others = s.submit("SET a 1", ann);
      auto& on_its_key = s.submit("SET k 1", ann);
      auto& abandoned = s.send("INCR k", bob);
      s.cancel(abandoned);
      if (lost) {
         s.reconnects();
         EXPECT_EQ(on_its_key.says(), "unknown, connection_lost");
      } else {
         s.answer(no_replicas + no_replicas + number(1));
         s.advance(2s);
         EXPECT_EQ(on_its_key.says(), "not_executed, server_error");
      }
      s.expect_sent(others, ok);
   }
}

using callers = warm_lane;

TEST_F(callers, read_waits_behind_a_write_of_its_key_whoever_gave_it) {
   auto& write = s.refused("SET k new", no_replicas, ann);
   auto& same = s.submit("GET k", bob);
   auto& other = s.submit("GET j", bob);
   s.serve("GET j", bulk("x"));  // though the gate is closed
   EXPECT_EQ(other.says(), "x");
   EXPECT_EQ(s.sent_after(2s), "SET k new");
   auto& later = s.submit("GET i", bob);
   s.serve("GET i", ok + bulk("y"));  // though the probe is not answered
   EXPECT_EQ(write.says(), "OK");
   EXPECT_EQ(later.says(), "y");
   EXPECT_EQ(s.accept(), "GET k");
   EXPECT_EQ(same.says(), "waiting");
}

TEST_F(callers, reply_to_a_read_is_dropped_where_a_write_of_its_key_waits) {
   s.submit("SET k new", ann);
   auto& same = s.submit("GET k", bob);
   auto& other = s.submit("GET j", bob);
   auto& undeclared = s.refused("EVAL_RO s 0", no_replicas + bulk("old") + bulk("x") + bulk("y"), bob);
   EXPECT_EQ(same.says(), "waiting");
   EXPECT_EQ(other.says(), "x");
   EXPECT_EQ(undeclared.says(), "y");
   EXPECT_EQ(s.sent_after(2s), "SET k new");
   s.answer(ok);
   s.expect_sent(same, bulk("new"));
}

// A server that answers at once, and is out of memory.
void serve(script& s) {
   for (std::string arrived = s.accept(); !arrived.empty(); arrived = s.accept()) {
      std::string replies;
      for (std::size_t at = 0; at != std::string::npos; at = arrived.find("; ", at + 1))
         replies += arrived.substr(at == 0 ? 0 : at + 2).starts_with("SET") ? oom : bulk("1");
      s.answer(replies);
   }
}

TEST_F(callers, oom_every_100_ms_delays_reads_of_others_by_nothing) {
   std::size_t refused = 0;
   for (int i = 0; i < 100; ++i) {
      auto& set = s.submit("SET k" + std::to_string(i) + " 1", {.deadline = 50ms, .group = 1});
      serve(s);
      for (int n = 0; n < 100; ++n) {
         s.advance(1ms);
         serve(s);
         auto& get = s.submit("GET j", bob);
         serve(s);
         ASSERT_EQ(get.says(), "1") << i << ' ' << n;
      }
      if (set.done() && !set.results[0]) ++refused;
   }
   EXPECT_EQ(refused, 100U);
}

TEST(order_groups, connection_of_many_callers_is_changed_by_none) {
   warm_script s(with(&settings::use, lane_use::shared));
   for (const char* line :
        {"SELECT 1", "AUTH secret", "HELLO 3", "CLIENT SETNAME x", "CLIENT NO-EVICT on", "READONLY"}) {
      const auto& refused = s.submit(line, ann);
      EXPECT_EQ(refused.says(), "not_executed, not_supported") << line;
      EXPECT_TRUE(refused.has_cause("use a client of its own")) << line;
      EXPECT_EQ(s.submit_unit({"MULTI", line, "EXEC"}, ann).says(), "not_executed, not_supported") << line;
   }
   EXPECT_EQ(s.accept(), "");
}

// All pairs of a few commands, in one group and in two: whether a write that waits must end behind one that has run.
// The marks must say what the rule says.
struct sample {
   const char* line;
   reach its;
   std::vector<std::string> keys;
};
const std::vector<sample> samples{
   {"SET a 1", reach::keys, {"a"}},
   {"SET b 1", reach::keys, {"b"}},
   {"MSET a 1 b 1", reach::keys, {"a", "b"}},
   {"FLUSHALL", reach::everything, {}},
   {"EVAL s 0", reach::undeclared, {}},
   {"EVAL s 1 a", reach::undeclared, {"a"}},
   {"X.SET a", reach::undeclared, {}},
   {"PUBLISH a 1", reach::nothing, {}},
   {"ZUNIONSTORE a 1 b", reach::everything, {}},
};
bool about_the_same(const sample& a, const sample& b, bool one_group) {
   if (a.its == reach::nothing || b.its == reach::nothing) return false;
   if (a.its == reach::everything || b.its == reach::everything) return true;
   if (one_group && (a.its == reach::undeclared || b.its == reach::undeclared)) return true;
   return std::any_of(a.keys.begin(), a.keys.end(),
                      [&](const auto& k) { return std::count(b.keys.begin(), b.keys.end(), k) != 0; });
}

TEST(order_groups, marks_find_each_conflict) {
   for (const auto& older : samples) {
      if (older.line == std::string_view("FLUSHALL")) continue;  // never sent twice
      for (const auto& newer : samples) {
         for (const bool one_group : {true, false}) {
            const bool overtaken = one_group || about_the_same(older, newer, false);
            const std::string becomes = after_newer_ran(older.line, newer.line, one_group ? ann : bob);
            EXPECT_EQ(becomes.starts_with("sent again"), !overtaken)
               << becomes << ": " << older.line << ", then " << newer.line << (one_group ? " of its group" : "");
         }
      }
   }
}

// All of them wait, of two groups each; each has run behind them, or has gone.
TEST(order_groups, marks_find_all_that_conflict) {
   const std::size_t n = samples.size();
   std::deque<command> commands;
   std::deque<operation> all(2 * n + 1);
   for (std::size_t i = 0; i < n; ++i) commands.push_back(words(samples[i].line));
   const auto prepare = [&](operation& op, std::size_t i, std::uint64_t group) {
      op.commands = {&commands[i], 1};
      op.entry = find_command(commands[i]);
      op.group = group;
      op.last = error(errc::server_error, outcome::not_executed);
   };
   for (std::size_t i = 0; i < 2 * n; ++i) prepare(all[i], i % n, i / n);
   for (std::size_t i = 0; i <= 2 * n; ++i) all[i].sequence = i + 1;
   operation& newest = all.back();
   for (std::size_t i = 0; i < 2 * n; ++i) {
      prepare(newest, i % n, i / n);
      resend_order order;
      std::vector<operation*> overtaken;
      std::vector<operation*> behind_gone;
      for (std::size_t k = 0; k < 2 * n; ++k) {
         order.add(all[k]);
         const bool one_group = k / n == i / n;
         const bool conflicts = about_the_same(samples[k % n], samples[i % n], one_group);
         if (conflicts || one_group) overtaken.push_back(&all[k]);
         if (conflicts) behind_gone.insert(behind_gone.begin(), &all[k]);
      }
      EXPECT_EQ(order.overtaken_by(footprint_of(newest), newest.sequence), overtaken) << samples[i % n].line;
      EXPECT_EQ(order.forbid_behind({&newest}, {}, nullptr), behind_gone) << samples[i % n].line;
      for (std::size_t k = 0; k < 2 * n; ++k) order.remove(all[k]);
      EXPECT_TRUE(order.empty());
   }
}

// The cost of many callers' writes while some wait: a logarithm for each key, not a walk through all that waits.
TEST(order_groups, each_reply_is_about_its_own_keys) {
   constexpr std::size_t n = 5'000;
   std::deque<command> commands;
   std::deque<operation> all(n);
   resend_order order;
   for (std::size_t i = 0; i < n; ++i) {
      commands.push_back(words("SET key:" + std::to_string(i) + " v"));
      operation& op = all[i];
      op.commands = {&commands.back(), 1};
      op.entry = find_command(commands.back());
      op.sequence = i + 1;
      op.group = i;
      order.add(op);
   }
   std::size_t found = 0;
   for (std::size_t i = 0; i < n; ++i) {
      footprint ran = footprint_of(all[i]);
      ran.group = n + i;
      found += order.overtaken_by(ran, n + 1).size();
   }
   EXPECT_EQ(found, n) << "each the one of its key";
   EXPECT_LE(order.steps(), 4 * n);
   for (operation& op : all) order.remove(op);
   EXPECT_TRUE(order.empty());
}

// A gate holds back for the sake of what waits: once its probe is gone, nothing waits.
TEST(gate_passed, probe_whose_caller_has_left_holds_nothing_back) {
   for (const bool is_written : {true, false}) {
      warm_script s;
      auto& set = s.refused("SET k 1", no_replicas);
      s.advance(2s);
      EXPECT_EQ(is_written ? s.accept() : "SET k 1", "SET k 1");
      s.cancel(set);
      if (is_written) s.answer(no_replicas);
      s.submit("GET k");
      EXPECT_EQ(s.accept(), "GET k") << is_written;
   }
}

using passed_gate = warm_lane;

TEST_F(passed_gate, probe_that_was_lost_holds_nothing_back) {
   s.refused("INCR k", no_replicas);
   EXPECT_EQ(s.sent_after(2s), "INCR k");
   s.lose();
   s.submit("GET k");
   s.connect(8);
   EXPECT_EQ(s.accept(), "GET k");
}

TEST_F(passed_gate, select_whose_caller_has_left_holds_nothing_back) {
   auto& select = s.refused("SELECT 1", refuses("BUSY Redis is busy running a script."));
   EXPECT_EQ(s.sent_after(1s), "SELECT 1");
   s.cancel(select);
   s.answer(refuses("BUSY Redis is busy running a script."));
   s.submit("GET k");
   EXPECT_EQ(s.sent_after(1s), "GET k");
}

// Found by `holdfast sim` (world 47598).
TEST_F(passed_gate, kept_answer_of_a_read_that_may_run_once_is_final) {
   auto& set = s.submit("SET k 1");
   auto& get = s.refused("GET k", no_replicas + bulk("old"), {.delivery = delivery::at_most_once});
   EXPECT_EQ(s.sent_after(2s), "SET k 1");
   EXPECT_EQ(get.says(), "waiting");
   s.cancel(set);
   s.answer(no_replicas);
   EXPECT_EQ(get.says(), "old");
   EXPECT_EQ(s.accept(), "");
}

TEST_F(passed_gate, next_one_goes_as_the_probe_where_the_oldest_ends_instead) {
   s.send("SCAN 0");
   s.answer("*2\r\n" + bulk("17") + "*0\r\n");
   s.watch.name(node_b, 6);
   s.lose();
   auto& first = s.submit("GET a");
   s.connect(8);
   s.serve("GET a", loading);
   auto& scan = s.submit("SCAN 17");
   s.submit("GET j");
   s.cancel(first);
   s.advance(2s);
   EXPECT_EQ(scan.says(), "not_executed, invalid_argument");
   EXPECT_EQ(s.accept(), "GET j");
}

}  // namespace
}  // namespace holdfast::impl::test::order_groups_test

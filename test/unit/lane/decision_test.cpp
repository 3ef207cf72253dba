// `decide` over the whole product of its arguments: against the table of decision_rules.hpp, row by row, and against
// what must hold whatever the table says.
#include "lane/decision.hpp"

#include "unit/lane/decision_rules.hpp"
#include "unit/lane/situations.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

namespace holdfast::impl::test::decision_test {
namespace {

// The first few of what went wrong: the product has more than a million members.
class findings {
 public:
   void add(const situation_name& n, const std::string& what) {
      if (++count_ > 5) return;
      std::ostringstream line;
      line << n << "\n   " << what << "\n";
      text_ += line.str();
   }
   ~findings() { EXPECT_EQ(count_, 0U) << text_; }

 private:
   std::size_t count_ = 0;
   std::string text_;
};

// The rows that match, in order: the first, and the first behind it that expects something else.
struct matched {
   const rule* first = nullptr;
   bool next_expects_another = false;
};
matched match(const situation_name& n) {
   matched m;
   for (const rule& r : rules()) {
      if (!r.matches(n)) continue;
      if (m.first == nullptr) {
         m.first = &r;
         continue;
      }
      m.next_expects_another = r.then.in(n.s) != m.first->then.in(n.s);
      return m;
   }
   m.next_expects_another = true;
   return m;
}

TEST(decision, follows_its_table_in_every_situation) {
   findings wrong;
   std::size_t situations = 0;
   for_each_situation([&](const situation_name& n) {
      ++situations;
      const matched m = match(n);
      if (m.first == nullptr) return wrong.add(n, "no row matches");
      const decision got = decide(n.s);
      const decision expected = m.first->then.in(n.s);
      if (got == expected) return;
      wrong.add(n, "\"" + std::string(m.first->because) + "\" expects: " + to_string(expected) +
                      "; decided: " + to_string(got));
   });
   EXPECT_EQ(situations, (6U + 26 * 3) * 6 * 4 * 4 * 4 * 2 * 2 * 2 * 2 * 4);
}

TEST(decision, needs_every_row_of_its_table) {
   std::vector<bool> needed(rules().size());
   for_each_situation([&](const situation_name& n) {
      const matched m = match(n);
      if (m.first != nullptr && m.next_expects_another)
         needed[static_cast<std::size_t>(m.first - rules().data())] = true;
   });
   for (std::size_t i = 0; i < needed.size(); ++i) {
      EXPECT_TRUE(needed[i]) << "without this row nothing would be decided otherwise: " << rules()[i].because;
   }
}

// What was written no longer counts once it was answered.
TEST(decision, of_a_reply_does_not_depend_on_what_was_written) {
   findings wrong;
   for_each_situation([&](const situation_name& n) {
      if (!n.answered()) return;
      situation other = n.s;
      other.whole = false;
      if (decide(other) != decide(n.s)) wrong.add(n, "another decision if it was not written whole");
   });
}

// ---- what must hold whatever the table says ------------------------------------------------------------------------

// Checks one sentence over the whole product.
template <class Holds>
void always(Holds&& holds) {
   findings wrong;
   for_each_situation([&](const situation_name& n) {
      const decision d = decide(n.s);
      if (!holds(n, d)) wrong.add(n, "decided: " + to_string(d));
   });
}

bool unanswered(const situation_name& n) { return !n.answered() && n.s.whole && n.what != seen::too_large; }
TEST(decision, never_says_not_executed_of_what_was_written_and_unanswered) {
   always([](const auto& n, const decision& d) { return !unanswered(n) || d.outcome == outcome::unknown; });
}
TEST(decision, says_not_executed_of_what_was_not_written_whole) {
   always(
      [](const auto& n, const decision& d) { return n.answered() || n.s.whole || d.outcome == outcome::not_executed; });
}
TEST(decision, says_of_a_reply_what_the_reply_proves) {
   always([](const auto& n, const decision& d) { return !n.answered() || d.outcome == n.s.reply.ran; });
}
TEST(decision, parks_what_was_not_written_whole_and_nothing_else) {
   always([](const auto& n, const decision& d) {
      const bool waits = !n.answered() && !n.s.whole && n.s.now < n.s.deadline && !n.s.pinned;
      return waits == (d.next_step == next_step::park);
   });
}
TEST(decision, parks_whatever_budget_resends_delivery_class_or_fence_are) {
   always([](const auto& n, const decision& d) {
      if (d.next_step != next_step::park) return true;
      situation bare = n.s;
      bare.budget = false, bare.max_resends = 0, bare.attempts = 9, bare.delivery = delivery::at_most_once;
      bare.repeats = repeat_class::never, bare.fence_impossible = true;
      return decide(bare) == d;
   });
}
TEST(decision, sends_nothing_again_after_the_deadline) {
   always([](const auto& n, const decision& d) { return !sends_again(d) || n.s.now < n.s.deadline; });
}
TEST(decision, sends_nothing_again_without_budget) {
   always([](const auto& n, const decision& d) { return !sends_again(d) || n.s.budget; });
}
TEST(decision, sends_nothing_again_more_often_than_allowed) {
   always([](const auto& n, const decision& d) {
      return !sends_again(d) || !n.s.max_resends || n.s.attempts <= *n.s.max_resends;
   });
}
TEST(decision, sends_again_by_itself_only_reads_and_what_repeats_the_same) {
   always([](const auto& n, const decision& d) {
      if (!unanswered(n) || !sends_again(d) || n.s.delivery != delivery::automatic) return true;
      return n.s.repeats == repeat_class::readonly || n.s.repeats == repeat_class::same;
   });
}
TEST(decision, never_sends_class_x_again_once_it_was_written_whole) {
   always([](const auto& n, const decision& d) {
      return n.s.repeats != repeat_class::never || !n.s.whole || !sends_again(d);
   });
}
TEST(decision, at_most_once_sends_again_only_what_certainly_did_not_run) {
   always([](const auto& n, const decision& d) {
      return n.s.delivery != delivery::at_most_once || !sends_again(d) || d.outcome == outcome::not_executed;
   });
}
TEST(decision, after_an_error_resends_only_what_is_proven_not_to_have_run) {
   always([](const auto& n, const decision& d) {
      return !n.answered() || !sends_again(d) || n.s.reply.ran == outcome::not_executed;
   });
}
TEST(decision, behind_a_fence_that_cannot_be_sends_only_reads_again) {
   always([](const auto& n, const decision& d) {
      const bool nothing_left = n.s.repeats == repeat_class::readonly || n.answered();
      return !n.s.fence_impossible || !sends_again(d) || nothing_left;
   });
}
TEST(decision, after_a_loss_asks_again_where_the_master_is) {
   always([](const auto& n, const decision& d) { return n.answered() || d.next_step != next_step::resend; });
}
TEST(decision, leaves_a_node_that_is_no_master_or_will_not_stay_one) {
   using enum reply_class;
   always([](const auto& n, const decision& d) {
      const auto c = n.s.reply.cls;
      const bool to_leave = c == readonly || c == master_down || c == demoted || c == misconf;
      return !n.answered() || !sends_again(d) || !to_leave || d.next_step == next_step::rediscover_then_resend;
   });
}
TEST(decision, pauses_between_gate_replies_grow_and_are_capped) {
   always([](const auto& n, const decision& d) {
      if (!n.answered() || !sends_again(d)) return d.pause == pause{};
      return d.pause.cap >= std::chrono::milliseconds(500) && d.pause.base < d.pause.cap;
   });
}

TEST(may_repeat, is_the_table_of_deliveries) {
   struct row {
      repeat_class repeats;
      bool automatic, at_most_once, at_least_once;
   };
   const row table[] = {
      {repeat_class::readonly, true, false, true},        {repeat_class::same, true, false, true},
      {repeat_class::same_state, false, false, true},     {repeat_class::result_lost, false, false, true},
      {repeat_class::not_repeatable, false, false, true}, {repeat_class::never, false, false, false},
   };
   for (const auto& r : table) {
      EXPECT_EQ(may_repeat(r.repeats, delivery::automatic), r.automatic) << r.repeats;
      EXPECT_EQ(may_repeat(r.repeats, delivery::at_most_once), r.at_most_once) << r.repeats;
      EXPECT_EQ(may_repeat(r.repeats, delivery::at_least_once), r.at_least_once) << r.repeats;
   }
}

}  // namespace
}  // namespace holdfast::impl::test::decision_test

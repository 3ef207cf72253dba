#include "topology/sentinel/answer_patience.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::answer_patience_test {
namespace {

using namespace std::chrono_literals;
constexpr time_point start{1000s};

TEST(answer_patience, connect_is_overdue_after_the_timeout_and_then_twice_that) {
   answer_patience p(100ms, 350ms);
   p.on_dial(start);
   EXPECT_EQ(p.take_overdue(start + 99ms, false), std::nullopt);
   EXPECT_EQ(p.take_overdue(start + 100ms, false), 100ms);
   p.on_closed();
   EXPECT_EQ(p.give_up_at(), never);
   p.on_dial(start);
   EXPECT_EQ(p.give_up_at(), start + 200ms);
   EXPECT_EQ(p.take_overdue(start + 200ms, false), 200ms);
   EXPECT_EQ(p.current(), 350ms) << "at most";
}

TEST(answer_patience, late_look_grants_the_time_once_more) {
   answer_patience p(100ms, 100ms);
   p.on_opened(start, 1ms);
   p.on_asked(2, start);
   EXPECT_EQ(p.take_overdue(start + 5s, true), std::nullopt);
   EXPECT_EQ(p.give_up_at(), start + 5100ms);
   EXPECT_EQ(p.take_overdue(start + 6s, true), 100ms) << "once, until something is heard";
   p.on_heard(start + 6s, false);
   EXPECT_EQ(p.take_overdue(start + 9s, true), std::nullopt);
}

TEST(answer_patience, question_after_an_excused_dial_has_an_excuse_of_its_own) {
   answer_patience p(100ms, 100ms);
   p.on_dial(start);
   EXPECT_EQ(p.take_overdue(start + 5s, true), std::nullopt);
   p.on_opened(start + 5s, 10ms);
   p.on_asked(1, start + 5s);
   EXPECT_EQ(p.take_overdue(start + 9s, true), std::nullopt);
   EXPECT_EQ(p.take_overdue(start + 12s, true), 100ms);
}

TEST(answer_patience, follows_what_the_first_answer_took) {
   answer_patience p(100ms, 1s);
   p.on_opened(start, 40ms);
   EXPECT_EQ(p.current(), 100ms);
   p.on_asked(2, start);
   EXPECT_EQ(p.answered(), 0U);
   p.on_heard(start + 90ms, true);
   EXPECT_EQ(p.current(), 180ms);
   EXPECT_EQ(p.give_up_at(), start + 270ms) << "the second one counts from the first";
   p.on_heard(start + 200ms, true);
   EXPECT_EQ(p.current(), 180ms) << "it may have waited behind the first";
   EXPECT_EQ(p.give_up_at(), never);
   EXPECT_EQ(p.answered(), 2U);
   EXPECT_EQ(p.heard_at(), start + 200ms);
}

}  // namespace
}  // namespace holdfast::impl::answer_patience_test

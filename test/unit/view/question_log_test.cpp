#include "view/question_log.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace holdfast::impl::question_log_test {
namespace {

auto up_to(std::uint64_t n) {
   return [n](std::uint64_t as) { return as <= n; };
}

TEST(question_log, answer_is_told_in_the_count_of_those_who_asked) {
   question_log log;
   EXPECT_TRUE(log.idle());
   log.passed_on(2, 7);
   log.passed_on(3, 9);
   log.close_answered(up_to(6));
   EXPECT_EQ(log.answered(), 0U);
   log.close_answered(up_to(8));
   EXPECT_EQ(log.answered(), 2U);
   EXPECT_FALSE(log.idle());
   log.close_answered(up_to(9));
   EXPECT_EQ(log.answered(), 3U);
   EXPECT_TRUE(log.idle());
}

TEST(question_log, answer_to_a_later_question_answers_those_before) {
   question_log log;
   log.passed_on(1, 1);
   log.passed_on(2, 2);
   log.close_answered([](auto as) { return as == 2; });
   EXPECT_EQ(log.answered(), 2U);
   EXPECT_TRUE(log.idle());
   log.close_answered(up_to(1));
   EXPECT_EQ(log.answered(), 2U) << "never less";
}

TEST(question_log, keeps_a_bounded_number_and_answers_all) {
   question_log log;
   for (std::uint64_t i = 1; i <= 1000; ++i) log.passed_on(i, i);
   std::vector<std::uint64_t> open;
   log.close_answered([&](auto as) { return open.push_back(as), false; });
   EXPECT_EQ(open, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 1000}));
   EXPECT_EQ(open.size(), question_log::most_open);
   log.close_answered(up_to(1));
   EXPECT_EQ(log.answered(), 1U) << "the oldest keep their own answer";
   log.close_answered(up_to(999));
   EXPECT_LT(log.answered(), 1000U) << "the newest is not answered before its own";
   log.close_answered(up_to(1000));
   EXPECT_EQ(log.answered(), 1000U);
}

TEST(question_log, all_can_be_answered_at_once) {
   question_log log;
   log.passed_on(1, 1);
   log.answer(5);
   EXPECT_EQ(log.answered(), 5U);
   EXPECT_TRUE(log.idle());
}

}  // namespace
}  // namespace holdfast::impl::question_log_test

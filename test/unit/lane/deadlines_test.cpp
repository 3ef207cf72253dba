// The machine alone: which deadline passes next, in whatever order they are given and taken out.
#include "lane/deadlines.hpp"

#include <holdfast/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

namespace holdfast::impl::test::deadlines_test {
namespace {

TEST(deadlines, earliest_passes_first_whatever_is_added_and_removed) {
   random_source random(5);
   std::deque<operation> all(200);
   deadlines subject;
   for (int i = 0; i < 20'000; ++i) {
      operation& op = all[random() % all.size()];
      if (op.deadline_place != 0) {
         subject.remove(op);
      } else {
         op.deadline = time_point{} + duration(random() % 100);
         ASSERT_TRUE(subject.add(op, time_point::min()));
      }
      const auto is_in = [](const operation& o) { return o.deadline_place != 0; };
      time_point earliest = never;
      for (const operation& o : all)
         if (is_in(o)) earliest = std::min(earliest, o.deadline);
      if (i % 3 == 0 && earliest != never) {
         operation* const passed = subject.take_passed(earliest);
         ASSERT_TRUE(passed != nullptr && passed->deadline == earliest);
      } else {
         ASSERT_EQ(subject.take_passed(earliest - duration(1)), nullptr);
         ASSERT_EQ(subject.earliest(), earliest);
      }
   }
}

TEST(deadlines, operation_without_one_is_not_kept) {
   operation op;
   op.sequence = 7;
   deadlines subject;
   subject.note(op);
   EXPECT_TRUE(subject.add(op, time_point::max()));
   EXPECT_EQ(subject.take_passed(time_point::max()), nullptr);
   EXPECT_EQ(subject.newest(), 7U);
   subject.remove(op);
}

TEST(deadlines, deadline_that_has_passed_already_is_not_kept) {
   operation op;
   op.sequence = 7;
   op.deadline = time_point{} + duration(5);
   deadlines subject;
   EXPECT_FALSE(subject.add(op, op.deadline));
   EXPECT_EQ(subject.newest(), 7U);
   EXPECT_EQ(subject.take_passed(op.deadline), nullptr);
   EXPECT_TRUE(subject.add(op, op.deadline - duration(1)));
   EXPECT_EQ(subject.take_passed(op.deadline), &op);
}

}  // namespace
}  // namespace holdfast::impl::test::deadlines_test

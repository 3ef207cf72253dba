// No event costs more than linear time in what it is about. Steps are counted, not time: of the walks that find a place
// in a list, and of the keys that are looked at.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

namespace holdfast::lane::test {
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

}  // namespace
}  // namespace holdfast::lane::test

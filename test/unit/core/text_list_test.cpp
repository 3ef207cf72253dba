// A vector of texts to its readers, of which copies share what is in it.
#include <holdfast/text_list.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast::text_list_test {
namespace {

TEST(text_list, reads_like_a_vector) {
   text_list list{"one", "two"};
   list.push_back("three");
   list.emplace_back(3U, 'x');
   EXPECT_EQ(list, (std::vector<std::string>{"one", "two", "three", "xxx"}));
   EXPECT_EQ(list.size(), 4U);
   EXPECT_EQ(list[1] + list.front() + list.back(), "twoonexxx");
   EXPECT_EQ(std::count(list.begin(), list.end(), "two"), 1);
   EXPECT_EQ(list.end() - list.begin(), 4);
   EXPECT_EQ(*(list.begin() + 2), "three");
   EXPECT_THROW((void)list.at(4), std::out_of_range);
   EXPECT_THROW((void)text_list{}.at(0), std::out_of_range);
   const std::vector<std::string> taken = list;
   EXPECT_EQ(text_list(taken), list);
   list.assign(std::next(list.begin()), list.end());
   EXPECT_EQ(list.front(), "two");
   list.clear();
   EXPECT_TRUE(list.empty() && list.begin() == list.end());
}

TEST(text_list, a_copy_shares_each_text_and_adds_for_itself) {
   const text_list first{std::string(1000, 'x')};
   text_list second = first;
   second.push_back("own");
   EXPECT_EQ(first.size(), 1U);
   EXPECT_EQ(&first[0], &second[0]) << "kept once";
   text_list third;
   third.append(second);
   third.append(first);
   third.append(third);
   EXPECT_EQ(third.size(), 6U);
   EXPECT_EQ(&third[2], &first[0]);
   EXPECT_EQ(second.size(), 2U);
}

// What the thread sanitizer sees: a reader lets go, and without another word the other one adds in place.
TEST(text_list, copies_in_two_threads_do_not_race) {
   for (int round = 0; round < 200; ++round) {
      text_list mine{"one"};
      text_list theirs = mine;
      std::size_t read = 0;
      std::thread other([&] {
         read = theirs.front().size() + theirs.size();
         theirs.clear();
      });
      for (int i = 0; i < 50; ++i) mine.push_back("more");
      other.join();
      EXPECT_EQ(read, 4U);
      EXPECT_EQ(mine.size(), 51U);
   }
}

TEST(text_list, is_copied_moved_and_assigned_to_itself) {
   text_list list{"one", "two"};
   const text_list& same = list;
   list = same;
   EXPECT_EQ(list.size(), 2U);
   text_list moved = std::move(list);
   list = moved;
   moved = {};
   EXPECT_TRUE(moved.empty());
   EXPECT_EQ(list, (text_list{"one", "two"}));
   list = {"three"};
   EXPECT_EQ(list.front(), "three");
}

}  // namespace
}  // namespace holdfast::text_list_test

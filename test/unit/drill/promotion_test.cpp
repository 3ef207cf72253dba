#include "lab/promotion.hpp"

#include <gtest/gtest.h>

namespace holdfast::lab::promotion_test {
namespace {

clock::time_point at(int ms) { return clock::time_point(milliseconds(ms)); }
const endpoint first = {"127.0.0.1", 1};
const endpoint second = {"127.0.0.1", 2};

TEST(LastExpected, IsTheLastOfThoseThatAFaultBringsAboutAndTheNamingOfIt) {
   const std::vector<promotion> promotions = {{.node = first, .at = at(10)}, {.node = second, .at = at(50)}};
   const std::vector<naming> namings = {{0, first, at(20)}, {1, first, at(60)}, {0, second, at(70)}};
   const auto one = last_expected(promotions, namings, 1);
   ASSERT_TRUE(one);
   EXPECT_EQ(one->promoted.at, at(10));
   EXPECT_EQ(one->named_at, at(20));
   const auto two = last_expected(promotions, namings, 2);
   ASSERT_TRUE(two);
   EXPECT_EQ(two->promoted.at, at(50));
   EXPECT_EQ(two->named_at, at(70)) << "what is named before is the first";
   EXPECT_FALSE(last_expected(promotions, namings, 3));
   EXPECT_EQ(last_expected(promotions, {}, 1)->named_at, std::nullopt);
}

}  // namespace
}  // namespace holdfast::lab::promotion_test

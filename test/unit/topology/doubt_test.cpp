#include "topology/sentinel/doubt.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::doubt_test {
namespace {

using namespace std::chrono_literals;

class doubt_test : public testing::Test {
 protected:
   sentinel_settings settings;
   doubt d{settings};
   rounds asked;
   time_point now = time_point{} + 1h;

   bool raise(std::size_t by) { return d.raise(by, asked.last() + 1, 7, 300ms, now); }
};

TEST_F(doubt_test, answer_ends_it) {
   EXPECT_EQ(d.deadline(), never);
   EXPECT_TRUE(raise(0));
   EXPECT_EQ(d.deadline(), now + 300ms);
   const auto r = asked.begin(now);
   d.review(asked, 7, now);
   EXPECT_TRUE(d.is_raised());
   asked.finish(r);
   d.review(asked, 7, now);
   EXPECT_FALSE(d.is_raised());
}

TEST_F(doubt_test, time_ends_it) {
   raise(0);
   d.review(asked, 7, now + 299ms);
   EXPECT_TRUE(d.is_raised());
   d.review(asked, 7, now + 300ms);
   EXPECT_FALSE(d.is_raised());
}

TEST_F(doubt_test, change_of_the_target_ends_it_and_was_not_in_vain) {
   raise(0);
   d.review(asked, 8, now);
   EXPECT_FALSE(d.is_raised());
   EXPECT_TRUE(raise(0));
}

TEST_F(doubt_test, sentinel_that_raised_it_in_vain_is_not_heard_for_a_while) {
   raise(0);
   raise(2);
   d.review(asked, 7, now += 300ms);
   EXPECT_FALSE(raise(0));
   EXPECT_FALSE(raise(2));
   EXPECT_FALSE(d.is_raised());
   EXPECT_TRUE(raise(1)) << "another one is";
   d.review(asked, 8, now += settings.doubt_pause);
   EXPECT_TRUE(raise(0));
}

TEST_F(doubt_test, second_sentinel_asks_anew_but_prolongs_nothing) {
   EXPECT_TRUE(raise(0));
   EXPECT_FALSE(raise(0)) << "it has its part";
   const auto first = asked.begin(now);
   now += 100ms;
   EXPECT_TRUE(raise(1));
   EXPECT_EQ(d.deadline(), now + 200ms);
   asked.finish(first);
   d.review(asked, 7, now);
   EXPECT_TRUE(d.is_raised()) << "the second question is not answered";
}

}  // namespace
}  // namespace holdfast::impl::doubt_test

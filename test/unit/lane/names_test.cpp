// How the lane's decision reads where a test fails. Each enumerator has a word of its own.
#include "lane/decision.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

namespace holdfast::impl::test {
namespace {

template <class Enum>
void expect_a_word_each(std::initializer_list<Enum> all) {
   std::set<std::string_view> words;
   for (const Enum e : all) {
      EXPECT_NE(to_string(e), "?");
      EXPECT_TRUE(words.insert(to_string(e)).second) << to_string(e);
   }
}

TEST(DecisionNames, HaveAWordForEachEnumerator) {
   expect_a_word_each({next_step::park, next_step::resend, next_step::rediscover_then_resend, next_step::complete});
   expect_a_word_each({fault::connection_lost, fault::reply_too_large, fault::broken_protocol, fault::error_reply});
   expect_a_word_each({written::nothing, written::partly, written::whole});
   expect_a_word_each({fence::pending, fence::done, fence::impossible});
}

TEST(DecisionNames, TellTheErrorOnlyWhereTheCallerGetsIt) {
   const decision parked{next_step::park, outcome::not_executed, errc::connection_lost, {}};
   EXPECT_EQ(to_string(parked), "park, not_executed");
   const decision ended{next_step::complete, outcome::unknown, errc::deadline_exceeded, {}};
   EXPECT_EQ(to_string(ended), "complete, unknown, deadline exceeded");
}

}  // namespace
}  // namespace holdfast::impl::test

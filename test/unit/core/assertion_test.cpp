// A user's NDEBUG, in place before the header is seen: it changes nothing.
#undef NDEBUG
#define NDEBUG

#include "core/assertion.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace holdfast::impl::assertion_test {
namespace {

TEST(assertion, true_condition_is_evaluated_once) {
   int evaluated = 0;
   HOLDFAST_ASSERT(++evaluated == 1);
   EXPECT_EQ(evaluated, 1);
}

TEST(assertion, false_condition_aborts_despite_ndebug) {
   EXPECT_EXIT(HOLDFAST_ASSERT(1 + 1 == 3), testing::KilledBySignal(SIGABRT),
               "^holdfast: assertion failed at core/assertion_test\\.cpp:[0-9]+: 1 \\+ 1 == 3\n$");
}

TEST(assertion, short_name_keeps_folder_and_file) {
   EXPECT_STREQ(short_name("/any/where/src/lane/lane.cpp").data(), "lane/lane.cpp");
   EXPECT_STREQ(short_name("../src/runtime/poll/loop.cpp").data(), "poll/loop.cpp");
   EXPECT_STREQ(short_name("lane/lane.cpp").data(), "lane/lane.cpp");
   EXPECT_STREQ(short_name("/lane.cpp").data(), "/lane.cpp");
   EXPECT_STREQ(short_name("lane.cpp").data(), "lane.cpp");
   EXPECT_STREQ(short_name("").data(), "");
}

}  // namespace
}  // namespace holdfast::impl::assertion_test

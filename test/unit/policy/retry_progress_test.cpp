#include <holdfast/policy/retry_progress.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::retry_progress_test {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point(std::chrono::hours(1));

// The waits of a caller whose every try takes `each`, and fails.
std::vector<duration> waits_of(retry_progress progress, duration each) {
   random_source random(1);
   std::vector<duration> waits;
   time_point now = start + each;
   while (!progress.spent(now) && waits.size() < 50) {
      waits.push_back(progress.next_wait(now, random));
      now += waits.back() + each;
   }
   return waits;
}

using waits = std::vector<duration>;

TEST(RetryProgress, TheCountBoundsTheWaits) {
   EXPECT_EQ(waits_of(retry_progress(fixed_backoff(5s), 3), 1s), (waits{5s, 5s, 5s}));
   EXPECT_EQ(waits_of(retry_progress(fixed_backoff(5s), 0), 1s), waits{});
   EXPECT_EQ(waits_of(retry_progress(fixed_backoff(5s)), 1s).size(), 50U);
}

TEST(RetryProgress, TheLastWaitIsCutToTheDeadline) {
   const auto with = [](duration d) { return retry_progress(fixed_backoff(5s), {}, deadline::in(start, d)); };
   EXPECT_EQ(waits_of(with(12s), 0s), (waits{5s, 5s, 2s}));
   EXPECT_EQ(waits_of(with(11s), 1s), (waits{5s, 4s}));
   EXPECT_EQ(waits_of(with(3s), 1s), (waits{2s}));
   EXPECT_EQ(waits_of(with(0s), 0s), waits{});
   EXPECT_EQ(waits_of(with(3s), 4s), waits{});
}

TEST(RetryProgress, AWaitThatEndsAtTheDeadlineIsFollowedByOneTry) {
   EXPECT_EQ(waits_of(retry_progress(fixed_backoff(5s), {}, deadline::in(start, 10s)), 0s), (waits{5s, 5s}));
}

TEST(RetryProgress, AfterACutWaitOneTryIsLeftHoweverEarlyTheCallerIsBack) {
   random_source random(1);
   retry_progress progress(fixed_backoff(5s), {}, deadline::in(start, 3s));
   ASSERT_FALSE(progress.spent(start));
   EXPECT_EQ(progress.next_wait(start, random), 3s);
   EXPECT_TRUE(progress.spent(start));
}

TEST(RetryProgress, CountAndDeadlineBoundTogether) {
   EXPECT_EQ(waits_of(retry_progress(fixed_backoff(5s), 1, deadline::in(start, 60s)), 0s), (waits{5s}));
   EXPECT_EQ(waits_of(retry_progress(fixed_backoff(5s), 9, deadline::in(start, 7s)), 0s), (waits{5s, 2s}));
}

}  // namespace
}  // namespace holdfast::retry_progress_test

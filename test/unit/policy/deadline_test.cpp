#include <holdfast/policy/deadline.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::deadline_test {
namespace {

using namespace std::chrono_literals;

constexpr time_point noon = time_point(std::chrono::hours(12));

TEST(Deadline, NeverDoesNotExpireAndCutsNothing) {
   for (const deadline d : {deadline(), deadline::never(), deadline(never), deadline::in(noon, duration::max()),
                            deadline::in(never, 1s)}) {
      EXPECT_TRUE(d.is_never());
      EXPECT_FALSE(d.expired(noon));
      EXPECT_FALSE(d.expired(never));
      EXPECT_EQ(d.remaining(noon), duration::max());
      EXPECT_EQ(d.cut(5s, noon), 5s);
   }
}

TEST(Deadline, ExpiresAtItsTimeAndNotBefore) {
   const deadline d = deadline::in(noon, 2s);
   EXPECT_EQ(d.at(), noon + 2s);
   EXPECT_FALSE(d.expired(noon));
   EXPECT_FALSE(d.expired(noon + 2s - 1ns));
   EXPECT_TRUE(d.expired(noon + 2s));
   EXPECT_TRUE(d.expired(noon + 1h));
   EXPECT_TRUE(d.expired(never));
}

TEST(Deadline, RemainingCountsDownToZeroAndStaysThere) {
   const deadline d = deadline::in(noon, 2s);
   EXPECT_EQ(d.remaining(noon), 2s);
   EXPECT_EQ(d.remaining(noon + 1500ms), 500ms);
   EXPECT_EQ(d.remaining(noon + 2s), 0s);
   EXPECT_EQ(d.remaining(noon + 3s), 0s);
   EXPECT_EQ(d.remaining(noon - 1s), 3s);
}

TEST(Deadline, ADelayIsCutToWhatRemains) {
   const deadline d = deadline::in(noon, 2s);
   EXPECT_EQ(d.cut(1s, noon), 1s);
   EXPECT_EQ(d.cut(2s, noon), 2s);
   EXPECT_EQ(d.cut(5s, noon), 2s);
   EXPECT_EQ(d.cut(5s, noon + 3s), 0s);
}

TEST(Deadline, ANegativeTimeIsNow) {
   EXPECT_TRUE(deadline::in(noon, -1s).expired(noon));
   EXPECT_EQ(deadline::in(noon, duration::min()).at(), noon);
}

TEST(Deadline, TheEarliestOfTwoHoldsAndNeverIsTheLatest) {
   const deadline soon = deadline::in(noon, 1s), late = deadline::in(noon, 2s);
   EXPECT_EQ(earliest(soon, late), soon);
   EXPECT_EQ(earliest(late, soon), soon);
   EXPECT_EQ(earliest(deadline::never(), late), late);
   EXPECT_LT(late, deadline::never());
}

TEST(Deadline, NoPairOfTimesOverflows) {
   const std::vector<time_point> times = {
      time_point::min(),       time_point::min() + 1ns, time_point{} - 1ns, time_point{}, noon,
      time_point::max() - 1ns, time_point::max()};
   for (const time_point at : times)
      for (const time_point now : times) {
         const deadline d(at);
         ASSERT_GE(d.remaining(now), 0ns);
         ASSERT_EQ(d.remaining(now) == 0ns, d.expired(now));
         ASSERT_LE(d.cut(1s, now), 1s);
         ASSERT_GE(deadline::in(now, 1s).at(), now);
      }
}

}  // namespace
}  // namespace holdfast::deadline_test

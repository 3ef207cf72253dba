#include <holdfast/policy/circuit_breaker.hpp>
#include <holdfast/random.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <vector>

namespace holdfast::circuit_breaker_test {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point(std::chrono::hours(1));
constexpr auto closed = circuit_state::closed;
constexpr auto open = circuit_state::open;
constexpr auto half_open = circuit_state::half_open;

void fail(circuit_breaker& b, time_point now, unsigned times = 1) {
   for (unsigned i = 0; i < times; ++i) b.failed(b.allow(now).value(), now);
}
void succeed(circuit_breaker& b, time_point now, unsigned times = 1) {
   for (unsigned i = 0; i < times; ++i) b.succeeded(b.allow(now).value(), now);
}
circuit_breaker opened(const circuit_breaker_settings& settings = {}) {
   circuit_breaker b(settings);
   fail(b, start, 5);
   EXPECT_EQ(b.state(start), open);
   return b;
}

TEST(CircuitBreaker, StartsClosedAndLetsEverythingThrough) {
   circuit_breaker b;
   EXPECT_EQ(b.state(start), closed);
   for (int i = 0; i < 1000; ++i) EXPECT_TRUE(b.allow(start));
}

TEST(CircuitBreaker, TheFifthFailureInARowOpensIt) {
   circuit_breaker b;
   fail(b, start, 4);
   EXPECT_EQ(b.state(start), closed);
   fail(b, start + 1h);  // "in a row" knows no time
   EXPECT_EQ(b.state(start + 1h), open);
   EXPECT_FALSE(b.allow(start + 1h));
}

TEST(CircuitBreaker, ASuccessBreaksTheRow) {
   circuit_breaker b({.minimum_calls = 0});
   for (int i = 0; i < 100; ++i) {
      fail(b, start, 4);
      succeed(b, start);
   }
   EXPECT_EQ(b.state(start), closed);
}

TEST(CircuitBreaker, TheFailureRatioOpensItOnlyAboveTheMinimumOfCalls) {
   struct row {
      unsigned successes, failures;
      circuit_state then;
   };
   // Failures come last. A half of twenty is enough; nineteen calls are too few.
   const row table[] = {{10, 10, open},  {11, 10, closed}, {9, 10, closed},    {10, 11, open},
                        {0, 19, closed}, {0, 20, open},    {500, 499, closed}, {500, 500, open}};
   for (const row& r : table) {
      circuit_breaker b({.consecutive_failures = 0});
      succeed(b, start, r.successes);
      for (unsigned i = 0; i < r.failures; ++i)
         if (const auto a = b.allow(start)) b.failed(*a, start);
      EXPECT_EQ(b.state(start), r.then) << r.successes << " successes, " << r.failures << " failures";
   }
}

TEST(CircuitBreaker, WhatLeftTheWindowNoLongerCounts) {
   circuit_breaker b({.consecutive_failures = 0, .window = 2s});
   succeed(b, start, 100);
   fail(b, start + 1900ms, 19);
   EXPECT_EQ(b.state(start + 1900ms), closed);  // 19 of 119
   fail(b, start + 2s);                         // the successes are two seconds old: 20 of 20
   EXPECT_EQ(b.state(start + 2s), open);
}

TEST(CircuitBreaker, FailuresOfLongAgoDoNotAddUp) {
   circuit_breaker b({.consecutive_failures = 0, .window = 2s});
   for (int i = 0; i < 50; ++i) fail(b, start + i * 1s, 9);  // never more than 18 or so in two seconds
   EXPECT_EQ(b.state(start + 50s), closed);
}

TEST(CircuitBreaker, RefusesUntilItsTimeIsOverAndThenLetsOneProbeThrough) {
   circuit_breaker b = opened();
   EXPECT_EQ(b.open_until(), start + 1s);
   EXPECT_FALSE(b.allow(start + 1s - 1ns));
   EXPECT_EQ(b.state(start + 1s), half_open);
   EXPECT_TRUE(b.allow(start + 1s));
   EXPECT_FALSE(b.allow(start + 1s));
   EXPECT_FALSE(b.allow(start + 2s));
   EXPECT_EQ(b.state(start + 2s), half_open);
}

TEST(CircuitBreaker, AProbeThatSucceedsClosesIt) {
   circuit_breaker b = opened();
   succeed(b, start + 1s);
   EXPECT_EQ(b.state(start + 1s), closed);
   fail(b, start + 1s, 4);
   EXPECT_EQ(b.state(start + 1s), closed) << "the failures before it opened are forgotten";
}

TEST(CircuitBreaker, AProbeThatFailsOpensItForTheWholeTimeAgain) {
   circuit_breaker b = opened();
   fail(b, start + 1500ms);
   EXPECT_EQ(b.state(start + 1500ms), open);
   EXPECT_FALSE(b.allow(start + 2499ms));
   EXPECT_TRUE(b.allow(start + 2500ms));
}

TEST(CircuitBreaker, AStuckProbeDoesNotWedgeIt) {
   circuit_breaker b = opened({.probe_timeout = 2s});
   const auto stuck = b.allow(start + 1s);
   ASSERT_TRUE(stuck);
   EXPECT_FALSE(b.allow(start + 3s - 1ns));
   const auto second = b.allow(start + 3s);
   ASSERT_TRUE(second);
   EXPECT_FALSE(b.allow(start + 3s));
   b.succeeded(*second, start + 3s);
   EXPECT_EQ(b.state(start + 3s), closed);
   b.failed(*stuck, start + 4s);
   EXPECT_EQ(b.state(start + 4s), closed) << "the stuck one belongs to another time";
}

TEST(CircuitBreaker, ASlowProbeStillCountsWhenItComesBackWhileHalfOpen) {
   circuit_breaker b = opened({.probe_timeout = 2s});
   const auto slow = b.allow(start + 1s);
   ASSERT_TRUE(b.allow(start + 3s));
   b.succeeded(slow.value(), start + 4s);
   EXPECT_EQ(b.state(start + 4s), closed);
}

TEST(CircuitBreaker, AnAbandonedProbeMakesRoomForAnother) {
   circuit_breaker b = opened();
   b.abandoned(b.allow(start + 1s).value(), start + 1s);
   EXPECT_EQ(b.state(start + 1s), half_open);
   EXPECT_TRUE(b.allow(start + 1s));
   EXPECT_FALSE(b.allow(start + 1s));
}

TEST(CircuitBreaker, SeveralProbesMustAllSucceed) {
   circuit_breaker b = opened({.probes = 3});
   const auto one = b.allow(start + 1s), two = b.allow(start + 1s), three = b.allow(start + 1s);
   ASSERT_TRUE(one && two && three);
   EXPECT_FALSE(b.allow(start + 1s));
   b.succeeded(*one, start + 1s);
   b.succeeded(*two, start + 1s);
   EXPECT_EQ(b.state(start + 1s), half_open);
   b.succeeded(*three, start + 1s);
   EXPECT_EQ(b.state(start + 1s), closed);
}

TEST(CircuitBreaker, OneOfSeveralProbesThatFailsOpensIt) {
   circuit_breaker b = opened({.probes = 3});
   const auto one = b.allow(start + 1s), two = b.allow(start + 1s);
   b.succeeded(one.value(), start + 1s);
   b.failed(two.value(), start + 1s);
   EXPECT_EQ(b.state(start + 1s), open);
}

TEST(CircuitBreaker, WhatWasAdmittedInAnotherStateSaysNothing) {
   circuit_breaker b;
   const auto before = b.allow(start), also_before = b.allow(start);
   fail(b, start, 5);
   b.succeeded(before.value(), start + 1ms);
   EXPECT_EQ(b.state(start + 1ms), open) << "a late success must not close it";
   ASSERT_TRUE(b.allow(start + 1s));
   b.failed(also_before.value(), start + 1s);
   EXPECT_EQ(b.state(start + 1s), half_open) << "a late failure is not the probe's";
}

TEST(CircuitBreaker, ResetClosesAndForgets) {
   circuit_breaker b = opened();
   b.reset(start + 1ms);
   EXPECT_EQ(b.state(start + 1ms), closed);
   fail(b, start + 1ms, 4);
   EXPECT_EQ(b.state(start + 1ms), closed);
   const auto old = b.allow(start + 1ms);
   b.reset(start + 1ms);
   fail(b, start + 1ms, 4);
   b.failed(old.value(), start + 1ms);
   EXPECT_EQ(b.state(start + 1ms), closed) << "the old master's failures are not the new one's";
}

TEST(CircuitBreaker, BothConditionsOffNeverOpen) {
   circuit_breaker b({.consecutive_failures = 0, .minimum_calls = 0});
   fail(b, start, 10'000);
   EXPECT_EQ(b.state(start), closed);
}

TEST(CircuitBreaker, TimeThatRunsBackwardsStandsStill) {
   circuit_breaker b({.consecutive_failures = 0, .minimum_calls = 4});
   fail(b, start, 2);
   fail(b, start - 1h);
   fail(b, time_point::min());
   EXPECT_EQ(b.state(start), open);
}

TEST(CircuitBreaker, StatesHaveNames) {
   EXPECT_EQ(to_string(closed), "closed");
   EXPECT_EQ(to_string(open), "open");
   EXPECT_EQ(to_string(half_open), "half-open");
}

// Whatever happens: from any state, a guarded thing that works again is found out within open_for and probe_timeout.
TEST(CircuitBreaker, NoHistoryWedgesIt) {
   for (std::uint64_t seed = 0; seed < 300; ++seed) {
      random_source random(seed);
      circuit_breaker b({.consecutive_failures = static_cast<unsigned>(random() % 7),
                         .failure_ratio = random.unit(),
                         .minimum_calls = static_cast<unsigned>(random() % 10),
                         .window = random.between(0s, 3s),
                         .open_for = random.between(0s, 2s),
                         .probes = static_cast<unsigned>(random() % 4),
                         .probe_timeout = random.between(0s, 2s)});
      std::vector<circuit_breaker::admission> calls;
      time_point now = start;
      for (int i = 0; i < 200; ++i) {
         now += random.between(0s, 300ms);
         if (const auto a = b.allow(now)) calls.push_back(*a);
         if (calls.empty()) continue;
         const auto which = static_cast<std::size_t>(random() % calls.size());
         const double what = random.unit();
         if (what < 0.3) b.failed(calls[which], now);
         if (what > 0.6) b.succeeded(calls[which], now);
         if (what > 0.5 && what < 0.6) b.abandoned(calls[which], now);
         if (random.unit() < 0.3) calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(which));  // or never again
      }
      now += 5s;
      for (int i = 0; i < 4 && b.state(now) != closed; ++i) {
         const auto probe = b.allow(now);
         ASSERT_TRUE(probe) << "seed " << seed;
         b.succeeded(*probe, now);
      }
      ASSERT_EQ(b.state(now), closed) << "seed " << seed;
   }
}

TEST(CircuitBreaker, SettingsOutOfRangeAreBroughtIntoIt) {
   const double nan = std::numeric_limits<double>::quiet_NaN();
   for (const double ratio : {-1.0, 2.0, nan})
      for (const duration d : {duration::min(), duration(0), duration(1), duration::max()}) {
         circuit_breaker b({.failure_ratio = ratio, .window = d, .open_for = d, .probes = 0, .probe_timeout = d});
         for (const time_point now : {time_point::min(), start, start + 1s, never})
            if (const auto a = b.allow(now)) b.failed(*a, now);
         b.reset(never);
         EXPECT_TRUE(b.allow(never));
      }
}

}  // namespace
}  // namespace holdfast::circuit_breaker_test

#include <holdfast/policy/backoff.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <tuple>
#include <vector>

namespace holdfast::backoff_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::hours;

constexpr unsigned last_attempt = std::numeric_limits<unsigned>::max();

TEST(Backoff, TheDefaultIsNotToWait) {
   random_source random(1);
   for (const unsigned attempt : {0U, 1U, last_attempt}) {
      EXPECT_EQ(backoff().delay(attempt, random), 0s);
      EXPECT_EQ(no_backoff().delay(attempt, random), 0s);
   }
}

TEST(Backoff, AFixedDelayIsTheSameForEveryAttempt) {
   random_source random(1);
   for (const unsigned attempt : {0U, 1U, 7U, last_attempt}) EXPECT_EQ(fixed_backoff(5s).delay(attempt, random), 5s);
}

TEST(Backoff, AFixedDelayCanBeSpread) {
   random_source random(1);
   bool differs = false;
   for (unsigned attempt = 0; attempt < 100; ++attempt) {
      const duration d = fixed_backoff(1s, jitter::equal).delay(attempt, random);
      EXPECT_GE(d, 500ms);
      EXPECT_LT(d, 1s);
      differs |= d != fixed_backoff(1s, jitter::equal).delay(attempt, random);
   }
   EXPECT_TRUE(differs);
}

TEST(Backoff, ExponentialDelaysGrowByTheFactorUpToTheCap) {
   struct row {
      exponential_backoff_settings settings;
      std::vector<duration> delays;
   };
   const row table[] = {
      {{.base = 20ms, .factor = 2, .cap = 1s, .jitter = jitter::none},
       {20ms, 40ms, 80ms, 160ms, 320ms, 640ms, 1s, 1s, 1s}},
      {{.base = 1s, .factor = 1, .cap = 9s, .jitter = jitter::none}, {1s, 1s, 1s}},
      {{.base = 100ms, .factor = 1.5, .cap = 1s, .jitter = jitter::none}, {100ms, 150ms, 225ms}},
      {{.base = 5s, .factor = 2, .cap = 1s, .jitter = jitter::none}, {1s, 1s}},
      {{.base = 0s, .factor = 2, .cap = 1s, .jitter = jitter::none}, {0s, 0s, 0s}},
   };
   random_source random(1);
   for (const row& r : table)
      for (unsigned attempt = 0; attempt < r.delays.size(); ++attempt)
         EXPECT_EQ(exponential_backoff(r.settings).delay(attempt, random), r.delays[attempt]) << attempt;
}

TEST(Backoff, NoAttemptNumberAndNoSettingOverflows) {
   const duration times[] = {duration::min(), -1ns, 0ns, 1ns, 20ms, hours(24 * 365), duration::max()};
   const double factors[] = {-1,
                             0,
                             0.5,
                             1,
                             2,
                             std::numeric_limits<double>::max(),
                             1e9,
                             1e-9,
                             std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()};
   const unsigned attempts[] = {0, 1, 2, 31, 32, 63, 64, 1023, 1024, 100'000, last_attempt};
   random_source random(7);
   for (const duration base : times)
      for (const duration cap : times)
         for (const double factor : factors)
            for (const jitter j : {jitter::none, jitter::full, jitter::equal, jitter::decorrelated})
               for (const unsigned attempt : attempts)
                  for (const duration previous : times) {
                     const backoff rule =
                        exponential_backoff({.base = base, .factor = factor, .cap = cap, .jitter = j});
                     const duration d = rule.delay(attempt, random, previous);
                     ASSERT_GE(d, 0ns) << to_string(j) << ' ' << attempt;
                     ASSERT_LE(d, std::max(cap, duration::zero())) << to_string(j) << ' ' << attempt;
                  }
}

// What a thousand draws at one attempt number span.
std::tuple<duration, duration, duration> span_of(jitter j, unsigned attempt, duration previous) {
   const backoff rule = exponential_backoff({.base = 20ms, .factor = 2, .cap = 1s, .jitter = j});
   random_source random(42);
   duration low = duration::max(), high = {}, sum = {};
   for (int i = 0; i < 1000; ++i) {
      const duration d = rule.delay(attempt, random, previous);
      low = std::min(low, d);
      high = std::max(high, d);
      sum += d;
   }
   return {low, high, sum / 1000};
}

TEST(Backoff, JitterDrawsFromTheWholeRangeThatItsKindNames) {
   struct row {
      jitter kind;
      unsigned attempt;
      duration previous, low, high;
   };
   const row table[] = {
      {jitter::none, 3, 0s, 160ms, 160ms},
      {jitter::full, 0, 0s, 0ms, 20ms},
      {jitter::full, 3, 0s, 0ms, 160ms},
      {jitter::equal, 0, 0s, 10ms, 20ms},
      {jitter::equal, 3, 0s, 80ms, 160ms},
      {jitter::decorrelated, 0, 0s, 20ms, 60ms},
      {jitter::decorrelated, 1, 100ms, 20ms, 300ms},
      {jitter::decorrelated, 1, 1ms, 20ms, 60ms},
      // At the cap, and far beyond it, there is as much jitter as before.
      {jitter::none, 50, 1s, 1s, 1s},
      {jitter::full, 50, 1s, 0s, 1s},
      {jitter::equal, 50, 1s, 500ms, 1s},
      {jitter::decorrelated, 50, 1s, 20ms, 1s},
      {jitter::decorrelated, 50, hours(1), 20ms, 1s},
   };
   for (const row& r : table) {
      const auto [low, high, mean] = span_of(r.kind, r.attempt, r.previous);
      const duration width = r.high - r.low;
      EXPECT_GE(low, r.low) << to_string(r.kind) << ' ' << r.attempt;
      EXPECT_LE(high, r.high) << to_string(r.kind) << ' ' << r.attempt;
      EXPECT_LE(low, r.low + width / 50) << to_string(r.kind) << ' ' << r.attempt;
      EXPECT_GE(high, r.high - width / 50) << to_string(r.kind) << ' ' << r.attempt;
      EXPECT_NEAR(static_cast<double>((mean - r.low).count()), static_cast<double>(width.count()) / 2,
                  static_cast<double>(width.count()) / 20)
         << to_string(r.kind) << ' ' << r.attempt;
   }
}

TEST(Backoff, TheSameSeedGivesTheSameDelays) {
   for (const jitter j : {jitter::full, jitter::equal, jitter::decorrelated}) {
      random_source one(5), other(5);
      backoff_sequence a(exponential_backoff({.jitter = j})), b(exponential_backoff({.jitter = j}));
      for (int i = 0; i < 20; ++i) EXPECT_EQ(a.next(one), b.next(other));
   }
}

TEST(Backoff, ACallableIsARule) {
   random_source random(1);
   const backoff by_attempt = [](unsigned attempt) { return attempt * 10ms; };
   EXPECT_EQ(by_attempt.delay(0, random), 0ms);
   EXPECT_EQ(by_attempt.delay(7, random), 70ms);

   const backoff with_random = [](unsigned, random_source& r) { return r.between(1s, 2s); };
   EXPECT_GE(with_random.delay(0, random), 1s);

   const backoff negative = [](unsigned) { return -1s; };
   EXPECT_EQ(negative.delay(0, random), 0s);
}

TEST(Backoff, ACopyKeepsTheRule) {
   random_source random(1);
   const backoff rule = [](unsigned attempt) { return attempt * 1s; };
   backoff copy = rule;
   EXPECT_EQ(copy.delay(3, random), 3s);
   copy = fixed_backoff(5s);
   EXPECT_EQ(copy.delay(3, random), 5s);
   EXPECT_EQ(rule.delay(3, random), 3s);
}

TEST(BackoffSequence, CountsItsDelaysAndStartsOverAfterASuccess) {
   random_source random(1);
   backoff_sequence waits(exponential_backoff({.base = 10ms, .factor = 2, .cap = 1s, .jitter = jitter::none}));
   EXPECT_EQ(waits.attempts(), 0U);
   EXPECT_EQ(waits.next(random), 10ms);
   EXPECT_EQ(waits.next(random), 20ms);
   EXPECT_EQ(waits.next(random), 40ms);
   EXPECT_EQ(waits.attempts(), 3U);
   waits.reset();
   EXPECT_EQ(waits.attempts(), 0U);
   EXPECT_EQ(waits.next(random), 10ms);
}

TEST(BackoffSequence, ADecorrelatedDelayIsAtMostThreeTimesTheOneBefore) {
   random_source random(3);
   backoff_sequence waits(exponential_backoff({.base = 20ms, .cap = 1s, .jitter = jitter::decorrelated}));
   duration before = 20ms;
   duration longest = {};
   for (int i = 0; i < 1000; ++i) {
      const duration d = waits.next(random);
      ASSERT_GE(d, 20ms);
      ASSERT_LE(d, std::min<duration>(1s, before * 3));
      before = d;
      longest = std::max(longest, d);
   }
   EXPECT_GT(longest, 900ms);
}

}  // namespace
}  // namespace holdfast::backoff_test

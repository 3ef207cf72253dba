#include <holdfast/policy/retry_budget.hpp>
#include <holdfast/random.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace holdfast::retry_budget_test {
namespace {

using namespace std::chrono_literals;

constexpr time_point start = time_point(std::chrono::hours(1));

unsigned granted(retry_budget& budget, time_point now, unsigned asked) {
   unsigned n = 0;
   for (unsigned i = 0; i < asked; ++i) n += budget.withdraw(now) ? 1U : 0U;
   return n;
}

void deposit(retry_budget& budget, time_point now, unsigned requests) {
   for (unsigned i = 0; i < requests; ++i) budget.deposit(now);
}

TEST(RetryBudget, WithoutRequestsTheReserveAloneIsGranted) {
   retry_budget budget;
   EXPECT_EQ(budget.available(start), 100U);
   EXPECT_EQ(granted(budget, start, 500), 100U);
   EXPECT_EQ(budget.available(start), 0U);
}

TEST(RetryBudget, OneRetryIsGrantedForFiveRequestsBesides) {
   retry_budget budget;
   deposit(budget, start, 1000);
   EXPECT_EQ(granted(budget, start, 5000), 100U + 200U);
}

TEST(RetryBudget, FourRequestsDoNotMakeARetry) {
   retry_budget budget({.per_second = 0});
   deposit(budget, start, 4);
   EXPECT_FALSE(budget.withdraw(start));
   budget.deposit(start);
   EXPECT_TRUE(budget.withdraw(start));
   EXPECT_FALSE(budget.withdraw(start));
}

TEST(RetryBudget, RequestsCountForTheWindowAndNoLonger) {
   retry_budget budget({.ratio = 1, .per_second = 0, .window = 10s});
   deposit(budget, start, 7);
   EXPECT_EQ(budget.available(start + 9s), 7U);
   EXPECT_EQ(budget.available(start + 10s), 0U);
   EXPECT_FALSE(budget.withdraw(start + 10s));
}

TEST(RetryBudget, RetriesCountForTheWindowAndNoLonger) {
   retry_budget budget;
   EXPECT_EQ(granted(budget, start, 500), 100U);
   EXPECT_EQ(granted(budget, start + 9s, 500), 0U);
   EXPECT_EQ(granted(budget, start + 10s, 500), 100U);
}

TEST(RetryBudget, IdlingGathersNothingBeyondTheReserve) {
   retry_budget budget;
   deposit(budget, start, 1'000'000);
   EXPECT_EQ(granted(budget, start + 24h, 500), 100U);
}

TEST(RetryBudget, UnlimitedGrantsEverything) {
   for (retry_budget budget :
        {retry_budget::unlimited(), retry_budget({.ratio = 0, .per_second = 0, .unlimited = true})})
      EXPECT_EQ(granted(budget, start, 10'000), 10'000U);
}

TEST(RetryBudget, NothingGrantsNothing) {
   retry_budget budget({.ratio = 0, .per_second = 0});
   deposit(budget, start, 1000);
   EXPECT_FALSE(budget.withdraw(start));
}

TEST(RetryBudget, TimeThatRunsBackwardsStandsStill) {
   retry_budget budget({.ratio = 1, .per_second = 0, .window = 10s});
   deposit(budget, start, 2);
   EXPECT_TRUE(budget.withdraw(start - 1h));
   EXPECT_TRUE(budget.withdraw(time_point::min()));
   EXPECT_FALSE(budget.withdraw(start));
}

TEST(RetryBudget, SettingsOutOfRangeAreBroughtIntoIt) {
   const double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
   for (const double ratio : {-1.0, nan, infinite, 1e300})
      for (const double rate : {-1.0, nan, infinite, 1e300})
         for (const duration window : {duration::min(), duration(-1), duration(0), duration(1), duration::max()}) {
            retry_budget budget({.ratio = ratio, .per_second = rate, .window = window});
            for (const time_point now : {time_point::min(), start, start + 10ms, never}) {
               budget.deposit(now);
               const bool some = budget.available(now) > 0;
               EXPECT_EQ(budget.withdraw(now), some);
            }
         }
}

// What the budget promises, kept in the plainest way: every grant and request with its time.
struct history {
   std::vector<time_point> requests, retries;
   static double since(const std::vector<time_point>& times, time_point from) {
      double n = 0;
      for (const time_point t : times) n += t > from ? 1 : 0;
      return n;
   }
};

TEST(RetryBudget, InNoWindowAreMoreRetriesGrantedThanItPromises) {
   for (std::uint64_t seed = 0; seed < 50; ++seed) {
      random_source random(seed);
      const retry_budget_settings settings = {
         .ratio = random.unit(), .per_second = random.unit() * 20, .window = random.between(100ms, 20s)};
      retry_budget budget(settings);
      history seen;
      time_point now = start;
      for (int i = 0; i < 400; ++i) {
         now += random.between(0s, settings.window / 40);
         if (random.unit() < 0.5) {
            budget.deposit(now);
            seen.requests.push_back(now);
         } else if (budget.withdraw(now)) {
            seen.retries.push_back(now);
         }
         // Nine tenths are always wholly inside; what was asked may count for a whole window.
         const double retries = history::since(seen.retries, now - settings.window * 9 / 10);
         const double requests = history::since(seen.requests, now - settings.window * 2);
         const double seconds = std::chrono::duration<double>(settings.window).count();
         ASSERT_LE(retries, settings.ratio * requests + settings.per_second * seconds + 1e-3) << "seed " << seed;
      }
   }
}

TEST(RetryBudget, AtASteadyPaceTheShareIsWhatTheRatioSays) {
   retry_budget budget({.ratio = 0.2, .per_second = 0});
   time_point now = start;
   unsigned retries = 0;
   for (int i = 0; i < 100'000; ++i) {
      now += 1ms;
      budget.deposit(now);
      if (budget.withdraw(now)) ++retries;
   }
   EXPECT_NEAR(retries, 20'000, 2'500);
}

}  // namespace
}  // namespace holdfast::retry_budget_test

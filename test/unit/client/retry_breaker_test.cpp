// retry with a circuit breaker and a budget that others share.
#include <holdfast/retry.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace holdfast::retry_breaker_test {
namespace {

using namespace std::chrono_literals;

std::system_error refused() { return std::system_error(std::make_error_code(std::errc::connection_refused)); }
const auto no_sleep = [](duration) {};

circuit_state state_of(shared_circuit_breaker& breaker) {
   const time_point now(std::chrono::steady_clock::now().time_since_epoch());
   return breaker.with([&](const circuit_breaker& b) { return b.state(now); });
}
constexpr circuit_breaker_settings stays_open = {.consecutive_failures = 2, .open_for = std::chrono::hours(1)};

void fail_twice(shared_circuit_breaker& breaker) {
   for (int i = 0; i < 2; ++i)
      EXPECT_THROW(retry({.max_retries = 0, .breaker = &breaker}, [] { throw refused(); }), std::system_error);
   EXPECT_EQ(state_of(breaker), circuit_state::open);
}

TEST(RetryBreaker, AnOpenBreakerFailsAtOnceWithoutACall) {
   shared_circuit_breaker breaker(stays_open);
   fail_twice(breaker);
   int calls = 0, slept = 0;
   const retry_policy policy{.breaker = &breaker, .sleep = [&](duration) { ++slept; }};
   try {
      retry(policy, [&] { ++calls; });
      FAIL();
   } catch (const failure& f) {
      EXPECT_EQ(f.error().code(), errc::circuit_open);
      EXPECT_EQ(f.error().outcome, outcome::not_executed);
   }
   const result<int> r = retry(policy, [&]() -> result<int> { return ++calls; });
   ASSERT_FALSE(r);
   EXPECT_EQ(r.error().code(), errc::circuit_open);
   EXPECT_EQ(r.error().outcome, outcome::not_executed);
   EXPECT_EQ(calls, 0);
   EXPECT_EQ(slept, 0);
}

TEST(RetryBreaker, AFailureThatWasRiddenOutDoesNotCount) {
   shared_circuit_breaker breaker(stays_open);
   for (int i = 0; i < 10; ++i) {
      int calls = 0;
      retry({.breaker = &breaker, .sleep = no_sleep}, [&] {
         if (calls++ < 3) throw refused();
      });
   }
   EXPECT_EQ(state_of(breaker), circuit_state::closed);
}

TEST(RetryBreaker, AProbeThatSucceedsClosesIt) {
   shared_circuit_breaker breaker({.consecutive_failures = 2, .open_for = 0s});
   for (int i = 0; i < 2; ++i)
      EXPECT_THROW(retry({.max_retries = 0, .breaker = &breaker}, [] { throw refused(); }), std::system_error);
   EXPECT_EQ(state_of(breaker), circuit_state::half_open);
   EXPECT_EQ(retry({.breaker = &breaker}, [] { return 1; }), 1);
   EXPECT_EQ(state_of(breaker), circuit_state::closed);
}

TEST(RetryBreaker, AnOpenInnerBreakerIsNotRetriedWhateverThePredicateSays) {
   shared_circuit_breaker inner(stays_open), outer(stays_open);
   fail_twice(inner);
   int calls = 0, slept = 0;
   const retry_policy everything{.max_retries = 9,
                                 .retry_if = [](const std::exception_ptr&) { return true; },
                                 .breaker = &outer,
                                 .sleep = [&](duration) { ++slept; }};
   EXPECT_THROW(retry(everything, [&] { return ++calls, retry({.breaker = &inner}, [] { return 1; }); }), failure);
   EXPECT_EQ(calls, 1);
   EXPECT_FALSE(retry(everything, [&]() -> result<int> {
      return ++calls, retry({.breaker = &inner}, []() -> result<int> { return 1; });
   }));
   EXPECT_EQ(calls, 2);
   EXPECT_EQ(slept, 0);
   EXPECT_EQ(state_of(outer), circuit_state::closed);
}

TEST(RetryBreaker, ALostConnectionCountsThoughItIsNotRetried) {
   shared_circuit_breaker breaker(stays_open);
   int calls = 0;
   for (int i = 0; i < 2; ++i)
      EXPECT_FALSE(retry({.breaker = &breaker},
                         [&]() -> result<int> { return ++calls, error(errc::connection_lost, outcome::unknown); }));
   EXPECT_EQ(calls, 2);
   EXPECT_EQ(state_of(breaker), circuit_state::open);
}

TEST(RetryBreaker, AnAnswerThatIsAnErrorDoesNotCount) {
   shared_circuit_breaker breaker(stays_open);
   for (int i = 0; i < 10; ++i) {
      EXPECT_THROW(retry({.breaker = &breaker}, [] { throw std::runtime_error("no such user"); }), std::runtime_error);
      EXPECT_FALSE(retry({.breaker = &breaker},
                         []() -> result<int> { return error(errc::server_error, outcome::not_executed); }));
   }
   EXPECT_EQ(state_of(breaker), circuit_state::closed);
}

TEST(RetryBreaker, AnInterruptedWaitGivesTheProbesPlaceBack) {
   shared_circuit_breaker breaker({.consecutive_failures = 1, .open_for = 0s, .probe_timeout = std::chrono::hours(1)});
   EXPECT_THROW(retry({.max_retries = 0, .breaker = &breaker}, [] { throw refused(); }), std::system_error);
   const retry_policy interrupted{.breaker = &breaker, .sleep = [](duration) { throw 42; }};
   EXPECT_THROW(retry(interrupted, [] { throw refused(); }), int);
   EXPECT_EQ(retry({.breaker = &breaker}, [] { return 1; }), 1);
}

TEST(RetryBudget, WhenItIsSpentTheFailureInHandPassesThrough) {
   shared_retry_budget budget({.ratio = 0, .per_second = 0.2, .window = 10s});  // two retries
   int calls = 0;
   const retry_policy policy{.budget = &budget, .sleep = no_sleep};
   const auto f = [&] { ++calls, throw refused(); };
   EXPECT_THROW(retry(policy, f), std::system_error);
   EXPECT_EQ(calls, 3);
   EXPECT_THROW(retry(policy, f), std::system_error);
   EXPECT_EQ(calls, 4);
}

TEST(RetryBudget, EachCallOfRetryPaysInOnce) {
   shared_retry_budget budget({.ratio = 0.5, .per_second = 0, .window = 60s});
   for (int i = 0; i < 10; ++i) retry({.budget = &budget}, [] {});
   int calls = 0;
   EXPECT_THROW(retry({.budget = &budget, .sleep = no_sleep}, [&] { ++calls, throw refused(); }), std::system_error);
   EXPECT_EQ(calls, 1 + 5);
}

TEST(RetryBreaker, ThreadsShareABreakerAndABudget) {
   shared_circuit_breaker breaker;
   shared_retry_budget budget({.ratio = 0, .per_second = 10, .window = 10s});  // a hundred
   std::atomic<int> calls = 0;
   std::vector<std::thread> threads;
   for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
         const retry_policy policy{.retry_if = [](const std::exception_ptr&) { return true; },
                                   .breaker = &breaker,
                                   .budget = &budget,
                                   .sleep = no_sleep};
         EXPECT_THROW(retry(policy, [&] { ++calls, throw refused(); }), std::system_error);
      });
   for (std::thread& t : threads) t.join();
   EXPECT_EQ(calls, 4 + 100);
}

}  // namespace
}  // namespace holdfast::retry_breaker_test

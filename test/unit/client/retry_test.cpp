#include <holdfast/retry.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace holdfast::retry_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::hours;

struct legacy_error : std::runtime_error {
   using std::runtime_error::runtime_error;
};
struct legacy_timeout : legacy_error {
   using legacy_error::legacy_error;
};

std::system_error refused() { return std::system_error(std::make_error_code(std::errc::connection_refused)); }
error transient(outcome o = outcome::not_executed) { return error(errc::no_master, o); }

// Records the waits instead of waiting.
struct recorded {
   std::vector<duration> waits;
   auto sleep() {
      return [this](duration d) { waits.push_back(d); };
   }
};
using waits = std::vector<duration>;

// Fails so many times, then answers; counts its calls.
struct flaky {
   int failures = 0;
   int calls = 0;
   int operator()() {
      if (calls++ < failures) throw refused();
      return 42;
   }
};

// ---- the recipe ----

TEST(Retry, ASuccessIsReturnedAtOnce) {
   recorded r;
   flaky f;
   EXPECT_EQ(retry({.sleep = r.sleep()}, f), 42);
   EXPECT_EQ(f.calls, 1);
   EXPECT_EQ(r.waits, waits{});
}

TEST(Retry, ThreeRetriesAreAtMostFourCallsAndThreeWaits) {
   recorded r;
   flaky f{.failures = 3};
   EXPECT_EQ(retry({.max_retries = 3, .backoff = fixed_backoff(5s), .sleep = r.sleep()}, f), 42);
   EXPECT_EQ(f.calls, 4);
   EXPECT_EQ(r.waits, (waits{5s, 5s, 5s}));

   recorded r2;
   flaky never_again{.failures = 1000};
   EXPECT_THROW(retry({.max_retries = 3, .backoff = fixed_backoff(5s), .sleep = r2.sleep()}, never_again),
                std::system_error);
   EXPECT_EQ(never_again.calls, 4);
   EXPECT_EQ(r2.waits, (waits{5s, 5s, 5s}));
}

TEST(Retry, ZeroRetriesAreOneCall) {
   recorded r;
   flaky f{.failures = 1};
   EXPECT_THROW(retry({.max_retries = 0, .sleep = r.sleep()}, f), std::system_error);
   EXPECT_EQ(f.calls, 1);
   EXPECT_EQ(r.waits, waits{});
}

TEST(Retry, WithoutABoundItGoesOnUntilItSucceeds) {
   recorded r;
   flaky f{.failures = 500};
   EXPECT_EQ(retry({.sleep = r.sleep()}, f), 42);
   EXPECT_EQ(r.waits.size(), 500U);
   for (const duration d : r.waits) EXPECT_LE(d, 1s);
}

TEST(Retry, TheLastExceptionPassesThroughAsTheSameObject) {
   std::vector<const void*> thrown;
   const auto f = [&] {
      try {
         throw legacy_error("number " + std::to_string(thrown.size()));
      } catch (const legacy_error& e) {
         thrown.push_back(&e);
         throw;
      }
   };
   try {
      retry({.max_retries = 2, .backoff = no_backoff(), .retry_if = retry_on<legacy_error>()}, f);
      FAIL();
   } catch (const legacy_error& e) {
      EXPECT_EQ(thrown.size(), 3U);
      EXPECT_EQ(&e, thrown.back());
      EXPECT_STREQ(e.what(), "number 2");
   }
}

TEST(Retry, TheLastFailedResultPassesThroughUnchanged) {
   unsigned calls = 0;
   const auto f = [&]() -> result<int> {
      error e = transient();
      e.attempts = ++calls;
      e.causes = {"call " + std::to_string(calls)};
      return e;
   };
   const result<int> r = retry({.max_retries = 2, .backoff = no_backoff()}, f);
   ASSERT_FALSE(r);
   EXPECT_EQ(r.error().attempts, 3U);
   EXPECT_EQ(r.error().causes, std::vector<std::string>{"call 3"});
}

// ---- what may be called ----

struct legacy_client {
   int failures = 0;
   int calls = 0;
   std::string get(const std::string& key) {
      if (calls++ < failures) throw refused();
      return key + "=1";
   }
   int member = 7;
};

TEST(Retry, MemberFunctionsFreeFunctionsAndMembersCanBeCalled) {
   legacy_client legacy{.failures = 2};
   EXPECT_EQ(retry({.backoff = no_backoff()}, &legacy_client::get, legacy, "foo"), "foo=1");
   EXPECT_EQ(legacy.calls, 3) << "the object itself, not a copy";
   EXPECT_EQ(retry({.backoff = no_backoff()}, &legacy_client::get, &legacy, "foo"), "foo=1");
   retry({}, &legacy_client::member, legacy) = 9;
   EXPECT_EQ(legacy.member, 9);
   EXPECT_EQ(retry({}, +[](int a, int b) { return a + b; }, 2, 3), 5);
}

TEST(Retry, ArgumentsAreTheSameLvaluesInEachCall) {
   std::vector<const void*> seen;
   int calls = 0;
   const auto f = [&](std::string& text, const int& number) {
      seen.push_back(&text);
      seen.push_back(&number);
      if (calls++ == 0) throw refused();
      return text;
   };
   EXPECT_EQ(retry({.backoff = no_backoff()}, f, std::string("still whole"), 5), "still whole");
   ASSERT_EQ(seen.size(), 4U);
   EXPECT_EQ(seen[0], seen[2]);
   EXPECT_EQ(seen[1], seen[3]);
}

TEST(Retry, AnythingCanBeReturned) {
   struct pinned {
      explicit pinned(int v) : value(v) {}
      pinned(pinned&&) = delete;
      int value;
   };
   int x = 1;
   static_assert(std::is_same_v<decltype(retry({}, [&]() -> int& { return x; })), int&>);
   static_assert(std::is_same_v<decltype(retry({}, [&]() -> int&& { return std::move(x); })), int&&>);
   static_assert(std::is_same_v<decltype(retry({}, [] {})), void>);
   retry({}, [&]() -> int& { return x; }) = 2;
   EXPECT_EQ(x, 2);
   EXPECT_EQ(*retry({}, [] { return std::make_unique<int>(3); }), 3);
   EXPECT_EQ(retry({}, [] { return pinned(4); }).value, 4);
   EXPECT_EQ(**retry({}, [] { return result<std::unique_ptr<int>>(std::make_unique<int>(5)); }), 5);
   EXPECT_TRUE(retry({}, []() -> result<void> { return {}; }));
   int calls = 0;
   retry({.backoff = no_backoff()}, [&] {
      if (calls++ == 0) throw refused();
   });
   EXPECT_EQ(calls, 2);
}

// ---- what is transient ----

template <class F>
int calls_of(F fail, retry_policy policy = {}) {
   policy.max_retries = 1;
   policy.sleep = [](duration) {};
   int calls = 0;
   try {
      retry(policy, [&] { ++calls, fail(); });
   } catch (...) {
   }
   return calls;
}
int calls_returning(const error& e, retry_policy policy = {}) {
   policy.max_retries = 1;
   policy.sleep = [](duration) {};
   int calls = 0;
   const result<int> r = retry(policy, [&]() -> result<int> { return ++calls, e; });
   EXPECT_EQ(r.error().code(), e.code());
   EXPECT_EQ(r.error().outcome, e.outcome);
   return calls;
}

TEST(Retry, ByDefaultSystemErrorsOfTheNetworkAreTransientAndOthersAreNot) {
   for (const auto code : {ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE, ENOTCONN, ENETDOWN, ENETUNREACH, ENETRESET,
                           EHOSTUNREACH, ETIMEDOUT})
      EXPECT_EQ(calls_of([&] { throw std::system_error(code, std::system_category()); }), 2) << code;
   for (const auto code : {EINVAL, ENOENT, EACCES, ENOMEM, EBADF})
      EXPECT_EQ(calls_of([&] { throw std::system_error(code, std::system_category()); }), 1) << code;
   EXPECT_EQ(calls_of([] { throw std::runtime_error("?"); }), 1);
   EXPECT_EQ(calls_of([] { throw 42; }), 1);
}

TEST(Retry, ByDefaultAFailureIsTransientOnlyWhereItCertainlyDidNotRun) {
   struct row {
      errc code;
      bool transient;
   };
   const row table[] = {
      {errc::deadline_exceeded, true}, {errc::connection_lost, true},
      {errc::no_sentinel, true},       {errc::unknown_master, false},
      {errc::no_master, true},         {errc::refused, true},
      {errc::queue_full, true},        {errc::authentication_failed, false},
      {errc::server_error, false},     {errc::protocol_error, false},
      {errc::limit_exceeded, false},   {errc::circuit_open, false},
      {errc::cancelled, false},        {errc::retry_budget_exhausted, false},
      {errc::not_durable, false},      {errc::not_supported, false},
      {errc::type_mismatch, false},    {errc::invalid_argument, false},
   };
   for (const row& r : table)
      for (const outcome o : {outcome::not_executed, outcome::unknown, outcome::executed}) {
         const int expected = r.transient && o == outcome::not_executed ? 2 : 1;
         const error e(r.code, o);
         EXPECT_EQ(calls_returning(e), expected) << e.what();
         EXPECT_EQ(calls_of([&] { throw failure(e); }), expected) << e.what();
      }
   EXPECT_EQ(calls_returning(error(std::make_error_code(std::errc::timed_out), outcome::not_executed)), 2);
   EXPECT_EQ(calls_returning(error(std::make_error_code(std::errc::timed_out), outcome::unknown)), 1);
}

TEST(Retry, ByDefaultAServersErrorIsTransientByItsFirstWord) {
   struct row {
      const char* text;
      int calls;
   };
   const row table[] = {
      {"LOADING Redis is loading the dataset in memory", 2},
      {"READONLY You can't write against a read only replica.", 2},
      {"MASTERDOWN Link with MASTER is down", 2},
      {"NOREPLICAS Not enough good replicas to write.", 2},
      {"BUSY Redis is busy running a script.", 2},
      {"TRYAGAIN", 2},
      {"BUSYGROUP Consumer Group name already exists", 1},
      {"BUSYKEY Target key name already exists.", 1},
      {"WRONGTYPE Operation against a key holding the wrong kind of value", 1},
      {"ERR LOADING", 1},
      {"", 1},
   };
   for (const row& r : table) {
      error e(errc::server_error, outcome::not_executed);
      e.server_text = r.text;
      EXPECT_EQ(calls_returning(e), r.calls) << r.text;
   }
}

TEST(Retry, WhatIsNotTransientPassesAtOnce) {
   recorded r;
   int calls = 0;
   const auto f = [&] { ++calls, throw legacy_error("no"); };
   EXPECT_THROW(retry({.max_retries = 5, .sleep = r.sleep()}, f), legacy_error);
   EXPECT_EQ(calls, 1);
   EXPECT_EQ(r.waits, waits{});
}

TEST(Retry, RetryOnNamesExceptionTypesAndTheirDerivedOnes) {
   const auto fail_with = [](auto e) { return [e] { throw e; }; };
   EXPECT_EQ(calls_of(fail_with(legacy_error("")), {.retry_if = retry_on<legacy_error>()}), 2);
   EXPECT_EQ(calls_of(fail_with(legacy_timeout("")), {.retry_if = retry_on<legacy_error>()}), 2);
   EXPECT_EQ(calls_of(fail_with(legacy_error("")), {.retry_if = retry_on<legacy_timeout>()}), 1);
   EXPECT_EQ(calls_of(fail_with(7), {.retry_if = retry_on<legacy_timeout, int>()}), 2);
   EXPECT_EQ(calls_of(fail_with(refused()), {.retry_if = retry_on<legacy_timeout, int>()}), 1)
      << "no default beside it";
}

TEST(Retry, RetryIfAnyJoinsPredicates) {
   const retry_policy policy{.retry_if = retry_if_any(default_retry_if, retry_on<legacy_error>())};
   EXPECT_EQ(calls_of([] { throw legacy_error(""); }, policy), 2);
   EXPECT_EQ(calls_of([] { throw refused(); }, policy), 2);
   EXPECT_EQ(calls_of([] { throw 7; }, policy), 1);
}

TEST(Retry, ThePredicateSeesAFailedResultAsItsFailure) {
   const auto unknown_too = [](const std::exception_ptr& thrown) {
      try {
         std::rethrow_exception(thrown);
      } catch (const failure& f) {
         return f.error().outcome == outcome::unknown;
      }
   };
   EXPECT_EQ(calls_returning(transient(outcome::unknown), {.retry_if = unknown_too}), 2);
   EXPECT_EQ(calls_returning(transient(outcome::not_executed), {.retry_if = unknown_too}), 1);
}

// ---- waits and deadline ----

TEST(Retry, OnRetryIsToldNumberDelayAndFailureBeforeEachWait) {
   std::vector<std::string> log;
   flaky f{.failures = 2};
   retry({.backoff = [](unsigned attempt) { return (attempt + 1) * 10ms; },
          .on_retry =
             [&](unsigned attempt, duration delay, const std::exception_ptr& cause) {
                EXPECT_TRUE(default_retry_if(cause));
                log.push_back(std::to_string(attempt) + ": " + std::to_string(delay / 1ms));
             },
          .sleep = [&](duration d) { log.push_back("slept " + std::to_string(d / 1ms)); }},
         f);
   EXPECT_EQ(log, (std::vector<std::string>{"1: 10", "slept 10", "2: 20", "slept 20"}));
}

TEST(Retry, OnRetryIsToldOfAFailedResultAsItsFailure) {
   int calls = 0;
   std::string told;
   const auto f = [&]() -> result<int> {
      if (calls++ == 0) return transient();
      return 1;
   };
   const auto tell = [&](unsigned, duration, const std::exception_ptr& cause) {
      try {
         std::rethrow_exception(cause);
      } catch (const failure& e) {
         told = e.what();
      }
   };
   EXPECT_TRUE(retry({.backoff = no_backoff(), .on_retry = tell}, f));
   EXPECT_EQ(told, transient().what());
}

TEST(Retry, AWaitBeyondTheDeadlineIsCutToItAndOneLastCallIsMade) {
   recorded r;
   flaky f{.failures = 1000};
   EXPECT_THROW(retry({.backoff = fixed_backoff(hours(1)), .deadline = hours(2) + 30min, .sleep = r.sleep()}, f),
                std::system_error);
   EXPECT_EQ(f.calls, 4);
   ASSERT_EQ(r.waits.size(), 3U);
   EXPECT_EQ(r.waits[0], hours(1));
   EXPECT_EQ(r.waits[1], hours(1));
   EXPECT_LE(r.waits[2], 30min);
   EXPECT_GT(r.waits[2], 29min);
}

TEST(Retry, AfterTheDeadlineThereIsNoRetry) {
   recorded r;
   flaky f{.failures = 1000};
   EXPECT_THROW(retry({.deadline = 0s, .sleep = r.sleep()}, f), std::system_error);
   EXPECT_EQ(f.calls, 1);
   EXPECT_EQ(r.waits, waits{});
}

TEST(Retry, WithoutASleepOfOnesOwnItReallyWaits) {
   const auto before = std::chrono::steady_clock::now();
   flaky f{.failures = 1000};
   EXPECT_THROW(retry({.backoff = fixed_backoff(10s), .deadline = 30ms}, f), std::system_error);
   EXPECT_EQ(f.calls, 2);
   EXPECT_GE(std::chrono::steady_clock::now() - before, 30ms);
}

TEST(Retry, NoDelayAndNoDeadlineOverflow) {
   recorded r;
   flaky f{.failures = 5};
   EXPECT_EQ(retry({.backoff = fixed_backoff(duration::max()), .sleep = r.sleep()}, f), 42);
   EXPECT_EQ(r.waits.size(), 5U);
   flaky g{.failures = 3};
   EXPECT_EQ(retry({.backoff = fixed_backoff(hours(24)), .deadline = duration::max(), .sleep = r.sleep()}, g), 42);
}

TEST(Retry, JitterDiffersFromCallToCall) {
   std::vector<duration> first;
   for (int i = 0; i < 3; ++i) {
      recorded r;
      flaky f{.failures = 1};
      retry({.backoff = exponential_backoff({.base = 1h, .cap = 1h}), .sleep = r.sleep()}, f);
      first.push_back(r.waits.at(0));
   }
   EXPECT_FALSE(first[0] == first[1] && first[1] == first[2]);
}

TEST(Retry, WhatItsCallablesThrowPassesAtOnce) {
   flaky f{.failures = 9};
   EXPECT_THROW(retry({.sleep = [](duration) { throw legacy_error("woken"); }}, f), legacy_error);
   EXPECT_EQ(f.calls, 1);
   const auto predicate = [](const std::exception_ptr&) -> bool { throw legacy_error("undecided"); };
   EXPECT_THROW(retry({.retry_if = predicate}, f), legacy_error);
   EXPECT_EQ(f.calls, 2);
}

TEST(Retry, NoExceptionIsBeingHandledWhileItWaits) {
   flaky f{.failures = 1};
   retry({.sleep = [](duration) { EXPECT_FALSE(std::current_exception()); }}, f);
}

}  // namespace
}  // namespace holdfast::retry_test

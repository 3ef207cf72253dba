// Calls anything again until it succeeds, or until it is no longer worth it. For any callable and any client: needs
// neither Redis nor Boost, and links nothing of Holdfast.
//
// `retry_if` names the client's own exceptions that are worth another call (examples/retry_callable.cpp#first):
//
//    const int degrees = holdfast::retry(
//       {.max_retries = 3, .backoff = holdfast::fixed_backoff(20ms), .retry_if = holdfast::retry_on<out_of_reach>()},
//       &weather_service::temperature, service, "Lisbon");
//
// Without it only a std::system_error and Holdfast's own failures are retried (`default_retry_if`), as of other
// exceptions nobody here knows what they mean. A client that throws when a reply is lost may have run the command:
// retry then only what may run twice (examples/retry_hiredis.cpp).
//
// Holdfast's own clients do not need it: they know of each command whether it ran, and wait, resend and give up by
// that.
#pragma once

#include <holdfast/error.hpp>
#include <holdfast/policy/backoff.hpp>
#include <holdfast/policy/circuit_breaker.hpp>
#include <holdfast/policy/deadline.hpp>
#include <holdfast/policy/retry_budget.hpp>
#include <holdfast/policy/retry_progress.hpp>
#include <holdfast/random.hpp>
#include <holdfast/result.hpp>
#include <holdfast/time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>

#if defined(__GLIBCXX__)
#include <cxxabi.h>  // pthread_cancel unwinds by an exception that must not be swallowed
#endif

namespace holdfast {

// A circuit breaker, or a retry budget, that any number of threads share through their retry policies. It outlives the
// calls of `retry` that use it; a policy only points to it. Thread-safe. A lock is held for the arithmetic only, never
// during a call or a wait.
template <class T, class Settings>
class shared_part {
 public:
   explicit shared_part(const Settings& settings = {}) : part_(settings) {}
   // Calls f(T&) alone.
   template <class F>
   decltype(auto) with(F&& f) {
      const std::lock_guard lock(mutex_);
      return std::invoke(std::forward<F>(f), part_);
   }

 private:
   std::mutex mutex_;
   T part_;
};
using shared_circuit_breaker = shared_part<circuit_breaker, circuit_breaker_settings>;
using shared_retry_budget = shared_part<retry_budget, retry_budget_settings>;

// Whether to wait and call again, and for how long. A value: it may be kept, copied, and used by many threads at once,
// as far as the callables in it may. What these throw passes through at once.
struct retry_policy {
   // 3: at most four calls and three waits. Unset: no bound. (With neither this nor a deadline, it goes on until it
   // succeeds or fails for good.)
   std::optional<unsigned> max_retries = {};
   // The wait before each retry.
   holdfast::backoff backoff = exponential_backoff();
   // From the first call on. Unset: none. A wait that would go beyond it is cut to it, and one last call is made then.
   // It never interrupts a call, and the first call is always made.
   std::optional<time_span> deadline = {};
   // Whether a failure is transient, that is, worth another call; the exception was thrown by the call, or is the
   // `failure` that a failed result stands for. Empty: `default_retry_if`. See also `retry_on`, `retry_if_any`. An open
   // circuit (errc::circuit_open) passes at once whatever this says: to wait for it is what the breaker is to prevent.
   std::function<bool(std::exception_ptr)> retry_if = {};
   // Told before each wait: the number of the retry, from 1, the wait before it, and the failure.
   std::function<void(unsigned attempt, duration delay, std::exception_ptr)> on_retry = {};
   // Null: none. Around all the calls of one `retry` together, so that a failure ridden out never opens it. While it is
   // open `retry` calls nothing and fails with errc::circuit_open, outcome not_executed: as a failed result where `fn`
   // returns one, else by throwing `failure`. A failure counts against it that `retry_if` calls transient, or whose
   // code is (`is_transient`, whatever the outcome); other failures are the answer of something that works. A plain
   // pointer: one breaker (or budget) serves many policies and outlives them, so none can own it.
   shared_circuit_breaker* breaker = nullptr;
   // Null: none. When it is spent, the failure in hand passes through.
   shared_retry_budget* budget = nullptr;
   // Empty: std::this_thread::sleep_for. For fibers, for early waking, for tests. The time it was asked to wait counts
   // against the deadline even if it returns sooner.
   std::function<void(duration)> sleep = {};
};

// Codes of a connection that failed or of a time that ran out: of std::errc, those of the network; of errc, what may be
// otherwise a moment later. A server's error is not told by its code.
inline bool is_transient(std::error_code code) {
   if (code.category() == error_category()) {
      switch (static_cast<errc>(code.value())) {
         case errc::deadline_exceeded:
         case errc::connection_lost:
         case errc::no_sentinel:
         case errc::no_master:
         case errc::refused:
         case errc::queue_full: return true;
         default: return false;
      }
   }
   constexpr std::array network = {
      std::errc::connection_refused,  std::errc::connection_reset, std::errc::connection_aborted,
      std::errc::broken_pipe,         std::errc::not_connected,    std::errc::network_down,
      std::errc::network_unreachable, std::errc::network_reset,    std::errc::host_unreachable,
      std::errc::timed_out,
   };
   for (const std::errc condition : network)
      if (code == condition) return true;
   return false;
}

// The same for an error, with what a server says while it starts, is busy, or is no master (any longer).
inline bool is_transient(const error& e) {
   if (e.code() != errc::server_error) return is_transient(e.code());
   constexpr std::array<std::string_view, 9> moods = {"READONLY", "LOADING",     "MASTERDOWN", "NOREPLICAS", "BUSY",
                                                      "TRYAGAIN", "CLUSTERDOWN", "MISCONF",    "OOM"};
   const std::string_view text = e.server_text;
   const std::string_view first = text.substr(0, text.find(' '));
   for (const std::string_view mood : moods)
      if (first == mood) return true;
   return false;
}

namespace impl {

// A failed call, as the exception it threw or as the error in the result it returned.
class failed_call {
 public:
   explicit failed_call(std::exception_ptr thrown) : thrown_(std::move(thrown)) {}
   explicit failed_call(const error& returned) : returned_(&returned) {}

   const std::exception_ptr& as_exception() {
      if (!thrown_) thrown_ = std::make_exception_ptr(failure(*returned_));
      return thrown_;
   }
   // Asks `about_error` of an error of ours, `about_code` of a std::system_error; false for all else.
   template <class AboutError, class AboutCode>
   bool ask(AboutError about_error, AboutCode about_code) const {
      if (returned_) return about_error(*returned_);
      try {
         std::rethrow_exception(thrown_);
      } catch (const failure& f) {
         return about_error(f.error());
      } catch (const std::system_error& e) {
         return about_code(e.code());
      } catch (...) {
         return false;
      }
   }

   // As default_retry_if says.
   bool is_transient() const {
      return ask([](const error& e) { return e.outcome == outcome::not_executed && holdfast::is_transient(e); },
                 [](std::error_code code) { return holdfast::is_transient(code); });
   }

 private:
   std::exception_ptr thrown_ = nullptr;
   const error* returned_ = nullptr;
};

}  // namespace impl

// What `retry` takes for transient unless told otherwise: a std::system_error whose code is, and a `failure` (or failed
// result) that is, if its outcome is not_executed. What may have run is not run twice unasked.
inline bool default_retry_if(const std::exception_ptr& thrown) { return impl::failed_call(thrown).is_transient(); }

// A predicate for `retry_if`: exceptions of these types, or derived from them. Of redis-plus-plus, what a broken
// connection throws (TimeoutError is an IoError; ClosedError is not):
//    .retry_if = holdfast::retry_on<sw::redis::IoError, sw::redis::ClosedError>()
template <class... Exceptions>
   requires(sizeof...(Exceptions) > 0)
auto retry_on() {
   return [](const std::exception_ptr& thrown) {
      const auto is_a = [&]<class E>(std::type_identity<E>) {
         try {
            std::rethrow_exception(thrown);
         } catch (const E&) {
            return true;
         } catch (...) {
            return false;
         }
      };
      return (is_a(std::type_identity<Exceptions>{}) || ...);
   };
}

// A predicate that is true where one of these is: retry_if_any(default_retry_if, retry_on<legacy_error>()).
template <std::predicate<std::exception_ptr>... Predicates>
auto retry_if_any(Predicates... predicates) {
   return [... ask = std::move(predicates)](const std::exception_ptr& thrown) mutable {
      return (std::invoke(ask, thrown) || ...);
   };
}

namespace impl {

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<result<T>> = true;

// One call of `retry`: what it has spent so far, whether to go on, and what the breaker is told at the end.
class retry_run {
 public:
   explicit retry_run(const retry_policy& policy)
      : policy_(policy),
        progress_(policy.backoff, policy.max_retries,
                  policy.deadline ? deadline::in(clock(), *policy.deadline) : deadline::never()) {
      if (policy.breaker) {
         admission_ = policy.breaker->with([](circuit_breaker& b) { return b.allow(clock()); });
         if (!admission_) return;
      }
      if (policy.budget) policy.budget->with([](retry_budget& b) { b.deposit(clock()); });
   }
   ~retry_run() {
      if (!admission_) return;
      policy_.breaker->with([this](circuit_breaker& b) {
         if (call_result_ == call_result::succeeded) b.succeeded(*admission_, clock());
         if (call_result_ == call_result::failed) b.failed(*admission_, clock());
         if (call_result_ == call_result::none) b.abandoned(*admission_, clock());
      });
   }
   retry_run(const retry_run&) = delete;
   retry_run& operator=(const retry_run&) = delete;

   bool refused() const { return policy_.breaker && !admission_; }
   static error refusal() { return error(errc::circuit_open, outcome::not_executed); }

   void calling() { call_result_ = call_result::succeeded; }
   void ended_by_exception() { call_result_ = call_result::none; }

   // Whether to call again; if so, it has waited.
   bool again(failed_call failed) {
      const auto delay = pause(std::move(failed));
      if (!delay) return false;
      if (policy_.sleep)
         policy_.sleep(*delay);
      else
         std::this_thread::sleep_for(*delay);
      slept_ahead_ += std::max(after(paused_, *delay) - now(), duration::zero());
      return true;
   }
   // Whether to call again, and how long to wait before: whoever asks does that.
   std::optional<duration> pause(failed_call failed) {
      call_result_ = call_result::none;
      const auto open = [](const auto& e) { return code_of(e) == errc::circuit_open; };
      if (failed.ask(open, open)) return {};
      if (!worth_another(failed)) {
         const auto transient = [](const auto& e) { return is_transient(e); };
         call_result_ = failed.ask(transient, transient) ? call_result::failed : call_result::succeeded;
         return {};
      }
      if (spent()) {
         call_result_ = call_result::failed;
         return {};
      }
      if (!random_) random_.emplace(seed());
      paused_ = now();
      const duration delay = progress_.next_wait(paused_, *random_);
      if (policy_.on_retry) policy_.on_retry(progress_.retries(), delay, failed.as_exception());
      return delay;
   }

 private:
   enum class call_result { none, succeeded, failed };

   static time_point clock() {
      return time_point(std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()));
   }
   static std::error_code code_of(const error& e) { return e.code(); }
   static std::error_code code_of(std::error_code code) { return code; }
   // Differs for each call, also in processes that were forked, or started at the same moment.
   static std::uint64_t seed() {
      try {
         std::random_device entropy;
         return (std::uint64_t{entropy()} << 32) ^ entropy();
      } catch (const std::exception&) {
         return static_cast<std::uint64_t>(clock().time_since_epoch().count());
      }
   }

   time_point now() const { return after(clock(), slept_ahead_); }

   bool worth_another(failed_call& failed) const {
      return policy_.retry_if ? policy_.retry_if(failed.as_exception()) : failed.is_transient();
   }
   bool spent() {
      if (progress_.spent(now())) return true;
      return policy_.budget && !policy_.budget->with([](retry_budget& b) { return b.withdraw(clock()); });
   }
   const retry_policy& policy_;
   retry_progress progress_;
   time_point paused_ = {};
   duration slept_ahead_ = {};  // what `sleep` was asked to wait and did not
   std::optional<random_source> random_ = {};
   std::optional<circuit_breaker::admission> admission_ = {};
   call_result call_result_ = call_result::none;
};

}  // namespace impl

// Calls std::invoke(fn, args...), with the arguments as lvalues each time, until it succeeds; returns what it returns.
// If it throws, or returns a `result` in error, and the failure is transient, it waits and calls again. When retries,
// deadline or budget are spent the last failure passes through unchanged: the same exception object, the same result.
// What is not transient passes at once.
//
// Sleeps in the caller's thread. Thread-safe as far as policy, fn and arguments are.
template <class F, class... Args>
   requires std::invocable<F&, Args&...>
auto retry(const retry_policy& policy, F&& fn, Args&&... args) -> std::invoke_result_t<F&, Args&...> {
   using returned = std::invoke_result_t<F&, Args&...>;
   constexpr bool returns_result = impl::is_result<std::remove_cvref_t<returned>>;
   static_assert(!returns_result || !std::is_reference_v<returned>, "retry: return the result by value");

   impl::retry_run run(policy);
   if (run.refused()) {
      if constexpr (returns_result)
         return run.refusal();
      else
         throw failure(run.refusal());
   }
   for (;;) {
      std::exception_ptr thrown;
      std::optional<std::conditional_t<returns_result, std::remove_cv_t<returned>, std::monostate>> answer;
      try {
         run.calling();
         if constexpr (returns_result)
            answer.emplace(std::invoke(fn, args...));
         else
            return std::invoke(fn, args...);
      }
#if defined(__GLIBCXX__)
      catch (const abi::__forced_unwind&) {
         run.ended_by_exception();
         throw;
      }
#endif
      catch (...) {
         run.ended_by_exception();
         thrown = std::current_exception();
      }
      // Out of the handler: what follows may sleep, and a fiber's sleep may switch stacks.
      if (thrown) {
         if (!run.again(impl::failed_call(thrown))) std::rethrow_exception(std::move(thrown));
      } else if constexpr (returns_result) {
         if (answer->has_value() || !run.again(impl::failed_call(answer->error()))) return *std::move(answer);
      }
   }
}

}  // namespace holdfast

// Retry for coroutines of Boost.Asio: as `retry` (retry.hpp), and the waits are Asio's.
//
//    const holdfast::retry_policy policy{.max_retries = 3, .deadline = 2s};
//    auto page = co_await holdfast::async_retry(policy, [&] { return fetch(url); });    // fetch: -> awaitable<T>
//
// Holdfast's own clients do not need it. Needs nothing to be linked but Boost's headers.
#pragma once

#include <holdfast/retry.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace holdfast {

namespace impl {

template <class T>
inline constexpr bool is_awaitable = false;
template <class T, class Executor>
inline constexpr bool is_awaitable<boost::asio::awaitable<T, Executor>> = true;

}  // namespace impl

// g++ 12 warns of the coroutine's frame where `fn` is a lambda of an unnamed namespace.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

// Awaits what `fn` returns, an awaitable, until it succeeds; gives what that gives. If it throws, or gives a `result`
// in error, and the failure is transient, it waits and calls `fn` again. When retries, deadline or budget of the policy
// are spent the last failure passes through unchanged. What is not transient passes at once, and so does cancellation
// during a wait (a boost::system::system_error, operation_aborted). retry_policy::sleep is not used.
//
// Policy and `fn` are copied into the coroutine. With g++ 12 both have a name, or a lambda captures by reference alone:
// that compiler destroys temporaries of a co_await expression twice that have something to destroy.
template <class F>
   requires std::invocable<F&> && impl::is_awaitable<std::invoke_result_t<F&>>
auto async_retry(retry_policy policy, F fn) -> std::invoke_result_t<F&> {
   using awaitable = std::invoke_result_t<F&>;
   using returned = typename awaitable::value_type;
   using executor = typename awaitable::executor_type;
   constexpr bool returns_result = impl::is_result<std::remove_cvref_t<returned>>;

   impl::retry_run run(policy);
   if (run.refused()) {
      if constexpr (returns_result)
         co_return run.refusal();
      else
         throw failure(run.refusal());
   }
   for (;;) {
      std::exception_ptr thrown;
      std::optional<std::conditional_t<returns_result, std::remove_cv_t<returned>, std::monostate>> answer;
      try {
         run.calling();
         if constexpr (returns_result)
            answer.emplace(co_await std::invoke(fn));
         else
            co_return co_await std::invoke(fn);
      } catch (...) {
         run.ended_by_exception();
         thrown = std::current_exception();
      }
      std::optional<duration> delay;
      if (thrown) {
         delay = run.pause(impl::failed_call(thrown));
         if (!delay) std::rethrow_exception(std::move(thrown));
      } else if constexpr (returns_result) {
         if (!answer->has_value()) delay = run.pause(impl::failed_call(answer->error()));
         if (!delay) co_return *std::move(answer);
      }
      boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                        executor>
         timer(co_await boost::asio::this_coro::executor);
      timer.expires_after(*delay);
      co_await timer.async_wait(boost::asio::use_awaitable_t<executor>());
   }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace holdfast

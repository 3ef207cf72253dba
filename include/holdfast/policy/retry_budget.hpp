// A bound on how much is tried again, as a share of what is asked at all: when everything fails, retries must not
// multiply the load. Pure: time is an argument.
#pragma once

#include <holdfast/time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace holdfast {

// The form and the numbers are those of Finagle's RetryBudget.
struct retry_budget_settings {
   // Retries allowed for each request, 0 to 1000: 0.2 allows one retry for five requests.
   double ratio = 0.2;
   // And so many each second besides, 0 to 1'000'000, so that a client of few requests can retry too.
   double per_second = 10;
   // How long a request, and a retry, counts. 10 ms or more.
   duration window = std::chrono::seconds(10);
   // No bound: every withdrawal is granted.
   bool unlimited = false;
};

// Over the window that ends now: retries <= ratio * requests + per_second * window (with the defaults, 100 retries in
// 10 s and one more for each five requests). Time is counted in tenths of the window. No allocation, O(1). Time that
// runs backwards counts as standing still. Settings out of range are brought into it.
//
// Not thread-safe.
class retry_budget {
 public:
   explicit retry_budget(const retry_budget_settings& settings = {}) : unlimited_(settings.unlimited) {
      const auto in = [](double value, double limit) { return value >= 0 ? std::min(value, limit) : 0.0; };
      slot_ = std::max(settings.window, duration(std::chrono::milliseconds(10))) / slots;
      deposit_ = static_cast<std::int64_t>(in(settings.ratio, 1000) * token);
      const double seconds = std::min(std::chrono::duration<double>(slot_ * slots).count(), 1e6);
      reserve_ = static_cast<std::int64_t>(in(settings.per_second, 1e6) * seconds * token);
   }
   static retry_budget unlimited() { return retry_budget(retry_budget_settings{.unlimited = true}); }

   // A request was made (once for each request, not for its retries).
   void deposit(time_point now) {
      if (!unlimited_) add(now, deposit_);
   }
   // May a retry be made? If so, it is taken from the budget.
   bool withdraw(time_point now) {
      if (unlimited_) return true;
      advance(now);
      if (reserve_ + sum_ < token) return false;
      add(now, -token);
      return true;
   }
   // Retries that would be granted now. The largest number when unlimited.
   std::uint64_t available(time_point now) {
      if (unlimited_) return static_cast<std::uint64_t>(-1);
      advance(now);
      return static_cast<std::uint64_t>(std::max<std::int64_t>(0, (reserve_ + sum_) / token));
   }

 private:
   static constexpr std::size_t slots = 10;
   static constexpr std::int64_t token = 1'000'000;               // one retry
   static constexpr std::int64_t most = 100'000'000'000 * token;  // of a slot: it saturates, it does not overflow

   void add(time_point now, std::int64_t amount) {
      advance(now);
      std::int64_t& slot = window_[at_];
      const std::int64_t before = slot;
      slot = std::clamp(slot + amount, -most, most);
      sum_ += slot - before;
   }
   // Makes the slot of `now` the current one, and forgets those that left the window.
   void advance(time_point now) {
      if (!started_) {
         started_ = true;
         slot_start_ = now;
      }
      if (now <= slot_start_) return;
      // Unsigned, because the distance of two times may exceed what a duration holds.
      const auto passed = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                          static_cast<std::uint64_t>(slot_start_.time_since_epoch().count());
      const std::uint64_t steps = passed / static_cast<std::uint64_t>(slot_.count());
      if (steps >= slots) {
         window_ = {};
         sum_ = 0;
         slot_start_ = now;
         return;
      }
      for (std::uint64_t i = 0; i < steps; ++i) {
         at_ = (at_ + 1) % slots;
         sum_ -= window_[at_];
         window_[at_] = 0;
      }
      slot_start_ += slot_ * static_cast<duration::rep>(steps);
   }

   std::array<std::int64_t, slots> window_ = {};  // deposits less withdrawals of each slot
   std::int64_t sum_ = 0;
   std::int64_t deposit_ = 0;
   std::int64_t reserve_ = 0;
   duration slot_ = {};
   time_point slot_start_ = {};
   std::size_t at_ = 0;
   bool started_ = false;
   bool unlimited_ = false;
};

}  // namespace holdfast

// Refuses calls to what has failed too often lately, and finds out with single probes when it works again. Pure: time
// is an argument.
#pragma once

#include <holdfast/time.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast {

enum class circuit_state {
   closed,     // calls pass, and are counted
   open,       // calls are refused
   half_open,  // a probe may pass; it decides
};

// "closed", "open", "half-open".
inline std::string_view to_string(circuit_state s) {
   switch (s) {
      case circuit_state::closed: return "closed";
      case circuit_state::open: return "open";
      case circuit_state::half_open: return "half-open";
   }
   return "?";
}

// The breaker opens when either of the two conditions is met.
struct circuit_breaker_settings {
   // So many failures in a row, however long that takes; 0: this condition is off.
   unsigned consecutive_failures = 5;
   // A share of failures (0 to 1) among the calls that ended within `window`, if those are at least `minimum_calls`
   // (0: this condition is off).
   double failure_ratio = 0.5;
   unsigned minimum_calls = 20;
   duration window = std::chrono::seconds(2);  // counted in tenths; 10 ms or more
   // How long it refuses before it lets a probe through. Short, because a failover takes seconds: a minute (the default
   // of others) would make a minute of a six-second outage.
   duration open_for = std::chrono::seconds(1);
   // Probes let through at a time, and successes needed to close. 1 or more.
   unsigned probes = 1;
   // A probe that has not ended after this time is believed stuck, and another one is let through. 1 ms or more.
   duration probe_timeout = std::chrono::seconds(2);
};

// One breaker guards one thing that fails as a whole (a server, a client). Each call asks `allow`, and reports its end
// with the admission that it got. What ends after the state has changed (a call admitted before the breaker opened,
// say) is history and changes nothing. No allocation, O(1). Time that runs backwards counts as standing still. Settings
// out of range are brought into it.
//
// "No breaker" is the absence of one (a null pointer, an empty optional), not a setting.
//
// Not thread-safe.
class circuit_breaker {
 public:
   // A permission that `allow` grants. A small value; for the breaker that made it only. Dropping it is harmless.
   class admission {
    private:
      friend class circuit_breaker;
      explicit admission(std::uint64_t period) : period_(period) {}
      std::uint64_t period_;
   };

   explicit circuit_breaker(const circuit_breaker_settings& settings = {}) : settings_(settings) {
      if (!(settings_.failure_ratio >= 0)) settings_.failure_ratio = 0;
      settings_.failure_ratio = std::min(settings_.failure_ratio, 1.0);
      settings_.window = std::max(settings_.window, duration(std::chrono::milliseconds(10)));
      settings_.open_for = std::max(settings_.open_for, duration::zero());
      settings_.probes = std::max(settings_.probes, 1U);
      settings_.probe_timeout = std::max(settings_.probe_timeout, duration(std::chrono::milliseconds(1)));
   }

   // Empty: refused, do not call.
   [[nodiscard]] std::optional<admission> allow(time_point now) {
      now = forward(now);
      switch (state(now)) {
         case circuit_state::closed: return admission(period_);
         case circuit_state::open: return std::nullopt;
         case circuit_state::half_open: break;
      }
      if (state_ == circuit_state::open) set_state(circuit_state::half_open);
      if (probing_ >= settings_.probes) {
         if (now < after(last_probe_, settings_.probe_timeout)) return std::nullopt;
         probing_ = 0;  // stuck: they are no longer waited for, though their results still count
      }
      ++probing_;
      last_probe_ = now;
      return admission(period_);
   }

   void succeeded(admission a, time_point now) {
      if (a.period_ != period_) return;
      now = forward(now);
      if (state_ == circuit_state::half_open) {
         if (++probes_succeeded_ >= settings_.probes) return set_state(circuit_state::closed);
         if (probing_ > 0) --probing_;
         return;
      }
      consecutive_ = 0;
      count(now).successes++;
   }

   void failed(admission a, time_point now) {
      if (a.period_ != period_) return;
      now = forward(now);
      if (state_ == circuit_state::half_open) return open(now);
      if (consecutive_ != static_cast<unsigned>(-1)) ++consecutive_;
      count(now).failures++;
      if (settings_.consecutive_failures != 0 && consecutive_ >= settings_.consecutive_failures) return open(now);
      const tally all = total();
      const std::uint64_t calls = all.failures + all.successes;
      if (settings_.minimum_calls == 0 || calls < settings_.minimum_calls) return;
      if (static_cast<double>(all.failures) >= settings_.failure_ratio * static_cast<double>(calls)) open(now);
   }

   // The call ended in a way that says nothing about what is guarded (it was cancelled, say): a probe's place is free
   // again.
   void abandoned(admission a, time_point) {
      if (a.period_ == period_ && state_ == circuit_state::half_open && probing_ > 0) --probing_;
   }

   // An open breaker whose time is over says half_open.
   circuit_state state(time_point now) const {
      if (state_ == circuit_state::open && std::max(now, latest_) >= open_until()) return circuit_state::half_open;
      return state_;
   }
   // From when on a probe passes; meaningful while `state` says open.
   time_point open_until() const { return after(opened_at_, settings_.open_for); }

   // Closed, with nothing remembered: what is guarded is another one now (a new master, say).
   void reset(time_point) { set_state(circuit_state::closed); }

 private:
   struct tally {
      std::uint64_t successes = 0;
      std::uint64_t failures = 0;
   };
   static constexpr std::size_t slots = 10;

   time_point forward(time_point now) { return latest_ = std::max(latest_, now); }
   void open(time_point now) {
      opened_at_ = now;
      set_state(circuit_state::open);
   }
   // The one door between the states: each period begins with nothing counted.
   void set_state(circuit_state next) {
      state_ = next;
      ++period_;
      consecutive_ = 0;
      probing_ = 0;
      probes_succeeded_ = 0;
      window_ = {};
   }

   // The tally of the slot of `now`.
   tally& count(time_point now) {
      const duration width = settings_.window / slots;
      // Unsigned, because the distance of two times may exceed what a duration holds.
      const auto passed = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                          static_cast<std::uint64_t>(slot_start_.time_since_epoch().count());
      const std::uint64_t steps = passed / static_cast<std::uint64_t>(width.count());
      if (steps >= slots) {
         window_ = {};
         slot_start_ = now;
      } else {
         for (std::uint64_t i = 0; i < steps; ++i) window_[at_ = (at_ + 1) % slots] = {};
         slot_start_ += width * static_cast<duration::rep>(steps);
      }
      return window_[at_];
   }
   tally total() const {
      tally all;
      for (const tally& t : window_) {
         all.successes += t.successes;
         all.failures += t.failures;
      }
      return all;
   }

   circuit_breaker_settings settings_;
   circuit_state state_ = circuit_state::closed;
   std::uint64_t period_ = 0;  // one for each stay in a state: an admission of an older one is void
   unsigned consecutive_ = 0;
   unsigned probing_ = 0;
   unsigned probes_succeeded_ = 0;
   time_point last_probe_ = {};
   time_point opened_at_ = {};
   time_point latest_ = time_point::min();
   time_point slot_start_ = time_point::min();
   std::size_t at_ = 0;
   std::array<tally, slots> window_ = {};
};

}  // namespace holdfast

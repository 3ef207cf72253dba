// The time until which something is worth doing. Pure: what time it is, is an argument.
#pragma once

#include <holdfast/time.hpp>

#include <algorithm>
#include <compare>

namespace holdfast {

// A point in time, or never. A value; all of it is constexpr and overflow-proof. The default is never.
class deadline {
 public:
   constexpr deadline() = default;
   constexpr explicit deadline(time_point at) : at_(at) {}

   // `d` from now on; a negative `d` is now. What lies beyond the end of time is never.
   static constexpr deadline in(time_point now, duration d) {
      return deadline(holdfast::after(now, std::max(d, duration::zero())));
   }
   static constexpr deadline never() { return {}; }

   constexpr time_point at() const { return at_; }
   constexpr bool is_never() const { return at_ == holdfast::never; }
   // Reached: the deadline itself is no longer before the deadline.
   constexpr bool expired(time_point now) const { return !is_never() && now >= at_; }
   // Zero once expired; duration::max() for never.
   constexpr duration remaining(time_point now) const {
      if (is_never()) return duration::max();
      if (now >= at_) return duration::zero();
      // Times may lie on both sides of the epoch: their distance can be more than a duration holds.
      const bool overflows = now < time_point{} && at_ > time_point::max() + now.time_since_epoch();
      return overflows ? duration::max() : at_ - now;
   }
   // As much of the delay as fits before the deadline.
   constexpr duration cut(duration delay, time_point now) const { return std::min(delay, remaining(now)); }

   friend constexpr bool operator==(const deadline&, const deadline&) = default;
   friend constexpr auto operator<=>(const deadline&, const deadline&) = default;

 private:
   time_point at_ = holdfast::never;
};

constexpr deadline earliest(deadline a, deadline b) { return std::min(a, b); }

}  // namespace holdfast

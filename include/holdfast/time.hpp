// Time as Holdfast sees it: lengths, points, and sums that never overflow. Nothing below rank 4 (see
// docs/architecture.md) reads a clock: time is an argument.
#pragma once

#include <holdfast/detail/requirements.hpp>

#include <chrono>
#include <ratio>
#include <type_traits>
#include <utility>

namespace holdfast {

// A length of time. Nanoseconds inside, so that any of 2s, 500ms and 20us converts without loss.
using duration = std::chrono::nanoseconds;

// Any length of time, in whatever unit, as a `duration`. What is too long for one (292 years) becomes duration::max(),
// and duration::min() below zero; std::chrono's own conversion would overflow, mostly into the past.
template <class Rep, class Period>
constexpr duration saturated(std::chrono::duration<Rep, Period> d) {
   using scale = std::ratio_divide<Period, std::nano>;
   constexpr auto most = duration::max().count();
   if constexpr (std::is_floating_point_v<Rep>) {
      using wide = std::chrono::duration<long double, std::nano>;
      const auto n = std::chrono::duration_cast<wide>(d).count();
      if (n != n) return duration::zero();
      if (n >= static_cast<long double>(most)) return duration::max();
      if (n <= -static_cast<long double>(most)) return duration::min();
   } else if constexpr (std::is_integral_v<Rep> && scale::num > 1) {
      if (std::cmp_greater(d.count(), most / scale::num)) return duration::max();
      if (std::cmp_less(d.count(), -(most / scale::num))) return duration::min();
   }
   return std::chrono::duration_cast<duration>(d);
}

// A `duration` as callers give it: made of any unit, and too long rather than wrong. It is a `duration` in all else.
class time_span : public duration {
 public:
   constexpr time_span() = default;
   template <class Rep, class Period>
   constexpr time_span(std::chrono::duration<Rep, Period> d) : duration(saturated(d)) {}
};

// The clock of the pure layers: monotonic, with no `now()`. A runtime maps its own clock onto it (the blocking client
// and `retry` use std::chrono::steady_clock), a test or a simulation counts it up by hand.
struct monotonic_time {
   using duration = holdfast::duration;
   using rep = std::chrono::nanoseconds::rep;
   using period = std::chrono::nanoseconds::period;
   using time_point = std::chrono::time_point<monotonic_time, duration>;
   static constexpr bool is_steady = true;
};

using time_point = monotonic_time::time_point;

// "Never": later than any time that is ever reached. Adding to it overflows, so it is compared against, never added to;
// `after` below is the addition that respects it.
inline constexpr time_point never = time_point::max();

// `from + d`, but `never` where that would overflow or where `from` is `never`.
constexpr time_point after(time_point from, duration d) {
   if (d >= duration::zero()) return from >= never - d ? never : from + d;
   return from == never ? never : from <= time_point::min() - d ? time_point::min() : from + d;
}

}  // namespace holdfast

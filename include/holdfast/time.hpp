// Time as Holdfast sees it. Nothing below rank 4 (see docs/architecture.md) reads a clock: time is an argument.
#pragma once

#include <holdfast/detail/requirements.hpp>

#include <chrono>

namespace holdfast {

// A length of time. Nanoseconds inside, so that any of 2s, 500ms and 20us converts without loss.
using duration = std::chrono::nanoseconds;

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

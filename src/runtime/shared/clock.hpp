// The clock of every runtime.
#pragma once

#include <holdfast/time.hpp>

#include <chrono>

namespace holdfast::impl {

// Of std::chrono::steady_clock.
inline time_point now() {
   return time_point(std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace holdfast::impl

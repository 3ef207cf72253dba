// No length of time that a caller gives overflows, whatever its unit.
#include <holdfast/time.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace holdfast::time_span_test {
namespace {

using namespace std::chrono_literals;

TEST(time_span, what_is_too_long_is_the_longest) {
   EXPECT_EQ(time_span(std::chrono::years(300)), duration::max());
   EXPECT_EQ(time_span(std::chrono::years(-300)), duration::min());
   EXPECT_EQ(time_span(std::chrono::hours::max()), duration::max());
   EXPECT_EQ(time_span(std::chrono::seconds::min()), duration::min());
   EXPECT_EQ(time_span(std::chrono::duration<std::uint64_t>(~0ULL)), duration::max());
   EXPECT_EQ(time_span(std::chrono::duration<double>(1e300)), duration::max());
   EXPECT_EQ(time_span(std::chrono::duration<double>(-1e300)), duration::min());
   EXPECT_EQ(time_span(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())), duration::zero());
   const std::optional<time_span> given = std::chrono::years(600);
   EXPECT_EQ(after(time_point{} + 1h, *given), never);
}

TEST(time_span, what_fits_is_exact) {
   EXPECT_EQ(time_span(2s), 2s);
   EXPECT_EQ(time_span(std::chrono::years(292)), std::chrono::years(292));
   EXPECT_EQ(time_span(9'223'372'036s), 9'223'372'036s);
   EXPECT_EQ(time_span(9'223'372'037s), duration::max());
   EXPECT_EQ(time_span(std::chrono::duration<double>(1.5)), 1500ms);
   EXPECT_EQ(time_span(duration::max() - 1ns), duration::max() - 1ns);
   EXPECT_EQ(time_span(std::chrono::duration<std::int64_t, std::pico>(2500)), 2ns);
   static_assert(time_span(1ms) + 1ms == 2ms);
}

}  // namespace
}  // namespace holdfast::time_span_test

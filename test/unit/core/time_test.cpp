// Adding to a time without overflow, and the seeded randomness of the pure layers.
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

namespace holdfast::time_test {
namespace {

using namespace std::chrono_literals;

constexpr time_point noon = time_point{} + 12h;

TEST(After, AddsOrTakesAway) {
   EXPECT_EQ(after(noon, 1s), noon + 1s);
   EXPECT_EQ(after(noon, 0s), noon);
   EXPECT_EQ(after(noon, -1s), noon - 1s);
}

TEST(After, NeverOverflows) {
   EXPECT_EQ(after(noon, duration::max()), never);
   EXPECT_EQ(after(never - 1s, 1s), never);
   EXPECT_EQ(after(time_point::min() + 1s, -2s), time_point::min());
}

TEST(After, NeverStaysNever) {
   for (const duration d : {duration::min() + 1ns, duration(-1s), duration(0s), duration(1s), duration::max()})
      EXPECT_EQ(after(never, d), never);
}

TEST(RandomSource, DrivesWhatTheStandardLibraryDrawsWithIt) {
   static_assert(std::uniform_random_bit_generator<random_source>);
   const auto shuffled = [](std::uint64_t seed) {
      std::array<int, 52> cards;
      std::iota(cards.begin(), cards.end(), 0);
      random_source random(seed);
      std::shuffle(cards.begin(), cards.end(), random);
      return cards;
   };
   EXPECT_EQ(shuffled(1), shuffled(1));
   EXPECT_NE(shuffled(1), shuffled(2));
}

TEST(RandomSource, DrawsWithinTheRangeAndItsLowEndFromAnEmptyOne) {
   random_source random(1);
   for (int i = 0; i != 1000; ++i) {
      const duration d = random.between(10ms, 20ms);
      EXPECT_TRUE(d >= 10ms && d < 20ms) << d.count();
   }
   EXPECT_EQ(random.between(10ms, 10ms), 10ms);
   EXPECT_EQ(random.between(10ms, 5ms), 10ms);
}

}  // namespace
}  // namespace holdfast::time_test

// Seeded randomness for the pure layers: the same seed gives the same run.
#pragma once

#include <holdfast/time.hpp>

#include <cstdint>
#include <limits>

namespace holdfast {

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014). A UniformRandomBitGenerator.
// Not for secrets. Not thread-safe.
class random_source {
 public:
   using result_type = std::uint64_t;
   explicit constexpr random_source(std::uint64_t seed) : state_(seed) {}

   static constexpr result_type min() { return 0; }
   static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
   constexpr result_type operator()() {
      std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
      return z ^ (z >> 31);
   }

   // In [0, 1).
   constexpr double unit() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }
   // In [low, high); `low` where the range is empty.
   constexpr duration between(duration low, duration high) {
      if (high <= low) return low;
      return low + duration(static_cast<duration::rep>(unit() * static_cast<double>((high - low).count())));
   }

 private:
   std::uint64_t state_;
};

}  // namespace holdfast

// Chance, as the world needs it: all of it comes from the one seed.
#pragma once

#include <holdfast/random.hpp>

#include <cmath>
#include <cstdint>

namespace holdfast::sim {

class random {
 public:
   explicit random(std::uint64_t seed) : source_(seed) {}

   std::uint64_t number() { return source_(); }
   double unit() { return source_.unit(); }
   bool chance(double p) { return p > 0 && source_.unit() < p; }
   std::uint32_t below(std::uint32_t n) { return n == 0 ? 0 : static_cast<std::uint32_t>(source_() % n); }
   std::uint32_t from_to(std::uint32_t low, std::uint32_t high) { return low + below(high - low + 1); }
   duration between(duration low, duration high) { return source_.between(low, high); }
   // As likely to be of one order of magnitude as of another.
   duration spread(duration low, duration high) {
      const double a = std::log(static_cast<double>(low.count()));
      const double b = std::log(static_cast<double>(high.count()));
      return duration(static_cast<duration::rep>(std::exp(a + unit() * (b - a))));
   }

 private:
   random_source source_;
};

}  // namespace holdfast::sim

// How long to wait before trying again. Needs no Redis, and reads no clock: randomness is an argument.
#pragma once

#include <holdfast/random.hpp>
#include <holdfast/time.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace holdfast {

// How a delay is spread, so that a crowd that failed together does not come back together. The names are those of Marc
// Brooker, "Exponential Backoff And Jitter" (AWS, 2015). `U(a, b)` is uniform in [a, b); d is the delay, already cut to
// its cap: the jitter is drawn after the cap, so it is still there when every delay has reached the cap.
enum class jitter {
   none,          // d
   full,          // U(0, d): spreads best, and asks least of a server that is down
   equal,         // d / 2 + U(0, d / 2): never waits less than half
   decorrelated,  // U(base, min(cap, 3 * the delay before)): needs that delay, see backoff_sequence
};

inline std::string_view to_string(jitter j) {
   switch (j) {
      case jitter::none: return "none";
      case jitter::full: return "full";
      case jitter::equal: return "equal";
      case jitter::decorrelated: return "decorrelated";
   }
   return "?";
}

// For exponential_backoff. Nothing here is an error: a negative time counts as zero, a factor below 1 (or no number) as
// 1, and a cap below `base` cuts `base`.
struct exponential_backoff_settings {
   duration base = std::chrono::milliseconds(20);  // the first delay
   double factor = 2;                              // each delay is so many times the one before (not: decorrelated)
   duration cap = std::chrono::seconds(1);         // no delay is longer
   holdfast::jitter jitter = holdfast::jitter::full;
};

// A rule that says how long to wait before a retry: a small value, copied freely. Made by `no_backoff`,
// `fixed_backoff`, `exponential_backoff`, or from any callable; only the callable may allocate. The default is
// no_backoff(). Thread-safe as any value is (a callable: as far as it is itself). Makes no difference between retries
// of commands and of connections.
class backoff {
 public:
   backoff() = default;

   // A rule of the caller's own: `f(attempt)` or `f(attempt, random_source&)`, convertible to `duration`; attempts are
   // counted from 0. A negative delay counts as zero. What `f` throws passes through. An empty std::function must not
   // be given.
   template <class F>
      requires(!std::same_as<std::remove_cvref_t<F>, backoff> &&
               (std::is_invocable_r_v<duration, F&, unsigned, random_source&> ||
                std::is_invocable_r_v<duration, F&, unsigned>))
   backoff(F f) {
      if constexpr (std::is_invocable_r_v<duration, F&, unsigned, random_source&>)
         rule_ = std::move(f);
      else
         rule_ = [f = std::move(f)](unsigned attempt, random_source&) mutable -> duration { return f(attempt); };
   }

   // The delay before retry number `attempt` (0: after the first failure), never negative, for any attempt number.
   // `previous` is the delay that went before; only decorrelated jitter looks at it (zero: there was none).
   duration delay(unsigned attempt, random_source& random, duration previous = {}) const {
      if (rule_) return std::max(rule_(attempt, random), duration::zero());
      switch (settings_.jitter) {
         case jitter::none: return ceiling(attempt);
         case jitter::full: return random.between({}, ceiling(attempt));
         case jitter::equal: {
            const duration half = ceiling(attempt) / 2;
            return half + random.between({}, half);
         }
         case jitter::decorrelated: {
            const duration low = ceiling(0);
            const duration before = std::clamp(previous, low, std::max(low, settings_.cap));
            return random.between(low, before > settings_.cap / 3 ? settings_.cap : before * 3);
         }
      }
      return {};
   }

   friend backoff fixed_backoff(duration, jitter);
   friend backoff exponential_backoff(const exponential_backoff_settings&);

 private:
   explicit backoff(const exponential_backoff_settings& s) : settings_(s) {
      settings_.base = std::max(s.base, duration::zero());
      settings_.cap = std::max(s.cap, duration::zero());
      if (!(s.factor >= 1)) settings_.factor = 1;
   }

   // min(cap, base * factor^attempt). The power may be infinite; what is compared is never cast before it is below cap.
   duration ceiling(unsigned attempt) const {
      if (settings_.base >= settings_.cap || settings_.base == duration::zero())
         return std::min(settings_.base, settings_.cap);
      const double grown = static_cast<double>(settings_.base.count()) * std::pow(settings_.factor, attempt);
      if (!(grown < static_cast<double>(settings_.cap.count()))) return settings_.cap;
      return duration(static_cast<duration::rep>(grown));
   }

   exponential_backoff_settings settings_ = {.base = {}, .factor = 1, .cap = {}, .jitter = jitter::none};
   std::function<duration(unsigned, random_source&)> rule_ = {};
};

// Try again at once. Fit only where something else bounds the pace.
inline backoff no_backoff() { return {}; }

// The same delay each time. `jitter` spreads it (decorrelated: no spread, as there is nothing to grow).
inline backoff fixed_backoff(duration delay, jitter spread = jitter::none) {
   return backoff(exponential_backoff_settings{.base = delay, .factor = 1, .cap = delay, .jitter = spread});
}

// base, base * factor, base * factor^2, ... cut to `cap`, then spread. The defaults (20 ms, doubled up to 1 s, full
// jitter) make about twenty tries in a failover of six seconds, and reach a recovered server within a third of a second
// on average.
inline backoff exponential_backoff(const exponential_backoff_settings& settings = {}) { return backoff(settings); }

// A rule together with where one caller stands in it: how many delays it took, and the last one. Copyable. Not
// thread-safe; each waiting caller has its own.
class backoff_sequence {
 public:
   backoff_sequence() = default;
   explicit backoff_sequence(backoff rule) : rule_(std::move(rule)) {}

   duration next(random_source& random) {
      previous_ = rule_.delay(attempt_, random, previous_);
      if (attempt_ != static_cast<unsigned>(-1)) ++attempt_;
      return previous_;
   }
   unsigned attempts() const { return attempt_; }
   // After a success: the next delay is the first one again.
   void reset() { attempt_ = 0, previous_ = {}; }

 private:
   backoff rule_ = {};
   unsigned attempt_ = 0;
   duration previous_ = {};
};

}  // namespace holdfast

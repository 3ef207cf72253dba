// Numbers of what a client has done so far: for a dashboard, a health check or a test. What became of each single
// command is told by <holdfast/command_observer.hpp>.
#pragma once

#include <holdfast/time.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace holdfast {

// How many commands took how long. The buckets are fixed: each power of two of nanoseconds from 2^10 (about 1 us) to
// 2^42 (73 minutes) is cut into four, so that a bucket is at most a quarter as wide as the times in it. The first
// bucket has what took less, the last one what took longer. A plain value; nothing here allocates.
class latency_histogram {
 public:
   static constexpr std::size_t size = 130;

   static constexpr std::size_t bucket_of(duration d) {
      const auto ns = static_cast<std::uint64_t>(d < duration::zero() ? 0 : d.count());
      if (ns < least) return 0;
      const auto power = static_cast<std::size_t>(std::bit_width(ns)) - 1;
      // The power above 10 counts four, and the two bits behind the first one of `ns` count up to three.
      const std::size_t i = 4 * (power - 10) + ((ns >> (power - 2)) - 4) + 1;
      return i < size ? i : size - 1;
   }
   // The first time that is too long for bucket `i`, which is the first of the next one; duration::max() of the last.
   static constexpr duration upper_bound(std::size_t i) {
      if (i + 1 >= size) return duration::max();
      return duration(static_cast<duration::rep>((4 + (i & 3U)) << (8 + (i >> 2U))));
   }

   std::array<std::uint64_t, size> counts = {};
   std::chrono::duration<double> sum = {};  // of all times, each rounded to 64 ns

   std::uint64_t count() const {
      std::uint64_t n = 0;
      for (const std::uint64_t c : counts) n += c;
      return n;
   }
   // A time within which `percent` of 100 commands ended, e.g. percentile(99.9): the upper bound of the bucket, so up
   // to a quarter too long and never too short. Zero if there were none; duration::max() if it is in the last bucket.
   // What is below 0 is taken as 0 (the shortest one), above 100 as 100 (the longest).
   duration percentile(double percent) const {
      const std::uint64_t n = count();
      if (n == 0) return duration::zero();
      const double wanted = percent / 100.0 * static_cast<double>(n);
      std::uint64_t within = 0;
      std::size_t last = 0;
      for (std::size_t i = 0; i < size; ++i) {
         if (counts[i] == 0) continue;
         last = i;
         within += counts[i];
         if (static_cast<double>(within) >= wanted) break;
      }
      return upper_bound(last);
   }
   // Of two histograms of one client: what came between `earlier` and this one.
   latency_histogram since(const latency_histogram& earlier) const {
      latency_histogram between;
      for (std::size_t i = 0; i < size; ++i) between.counts[i] = counts[i] - earlier.counts[i];
      between.sum = sum - earlier.sum;
      return between;
   }

 private:
   static constexpr std::uint64_t least = std::uint64_t{1} << 10U;
};

// A snapshot, since the client was made. Each number is exact for a moment while the snapshot is taken; what happens
// meanwhile may be in one of them and not yet in another.
//
// MULTI ... EXEC is one command. A call that a client turns away at its door, and does not take, is not counted:
// errc::concurrent_use, a stop that was requested before, an option that is not supported, a closed client. Nor does it
// matter here what the caller made of the reply: errc::type_mismatch is a success.
struct stats {
   // ---- commands that have ended, by what is known of them ----
   std::uint64_t succeeded = 0;
   std::uint64_t executed_with_error = 0;  // outcome::executed: it ran, at least in part, and failed
   std::uint64_t not_executed = 0;         // outcome::not_executed: refused by a server, too late, cancelled, ...
   std::uint64_t unknown = 0;              // outcome::unknown

   // ---- commands that are under way ----
   std::uint64_t in_flight = 0;  // written to the present connection, and awaited
   std::uint64_t queued = 0;     // not written yet, waiting to be written again, or for the fence

   // ---- what it took ----
   std::uint64_t resends = 0;     // times that a command was written again
   std::uint64_t reconnects = 0;  // connections to a master, ready for commands, that followed another
   std::uint64_t cutovers = 0;    // those of them that were the first to another node than before
   // On all connections of the client, with their handshakes. One made from the URI of a deployment asks the Sentinels
   // itself, and counts that, too; one of a `deployment` does not.
   std::uint64_t bytes_written = 0;  // taken by the kernel
   std::uint64_t bytes_read = 0;
   std::uint64_t observer_exceptions = 0;  // times that config::command_observer threw

   // From when a command was given to its end, whatever that was. Those of a list were given with the list.
   latency_histogram latency = {};

   std::uint64_t failed() const { return executed_with_error + not_executed + unknown; }
   std::uint64_t ended() const { return succeeded + failed(); }
};

}  // namespace holdfast

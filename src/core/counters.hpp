// Numbers of a client, for `stats`. They are the client's; its engine and the lanes write them, one thread at a time.
// Any thread may read them meanwhile, and stops nobody: each number is written by a plain load and a plain store.
//
// On the path of a command little is counted, and the rest derived: what is queued has been submitted, and is neither
// in flight nor ended. A number that only grows is never derived: a reader would see it fall.
#pragma once

#include <holdfast/endpoint.hpp>
#include <holdfast/error.hpp>
#include <holdfast/stats.hpp>
#include <holdfast/time.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::impl {

// Written by one thread.
class counter {
 public:
   void add(std::uint64_t n = 1) { value_.store(read() + n, std::memory_order_relaxed); }
   void subtract(std::uint64_t n = 1) { value_.store(read() - n, std::memory_order_relaxed); }
   std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }
   void clear() { value_.store(0, std::memory_order_relaxed); }

 private:
   std::atomic<std::uint64_t> value_ = 0;
};

class counters {
 public:
   // ---- operations: each is submitted once, and ends once ----
   void submitted() { submitted_.add(); }
   void ended(duration took) {  // then: whether it `succeeded` or `failed`
      ended_[latency_histogram::bucket_of(took)].add();
      time_.add((static_cast<std::uint64_t>(took.count()) + unit / 2) / unit);
   }
   void succeeded() { succeeded_.add(); }
   void failed(outcome o) { failed_[static_cast<std::size_t>(o)].add(); }

   // ---- of lanes ----
   void written() { in_flight_.add(); }
   void left_flight() { in_flight_.subtract(); }  // answered, lost, taken back, or its caller has left
   void resent() { resends_.add(); }
   // A connection is ready for commands. `again`: the lane had one before.
   void connected(const endpoint& node, std::string_view run_id, bool again);

   void wrote(std::size_t n) { wrote_.add(n); }
   void received(std::size_t n) { received_.add(n); }
   void observer_threw() { observer_exceptions_.add(); }

   stats snapshot() const;  // in any thread
   void begin_anew();       // all is zero

 private:
   static constexpr std::uint64_t unit = 64;  // ns: in these, the times of 10 000 callers add up for years

   std::uint64_t failures_of(outcome o) const { return failed_[static_cast<std::size_t>(o)].read(); }
   std::uint64_t all_ended() const;

   counter submitted_;
   counter in_flight_;
   counter succeeded_;
   counter wrote_;
   counter received_;
   counter time_;
   counter resends_;
   counter reconnects_;
   counter cutovers_;
   counter observer_exceptions_;
   std::array<counter, 3> failed_;  // by outcome
   std::array<counter, latency_histogram::size> ended_;

   endpoint node_;       // that was connected to last; of the writing thread alone
   std::string run_id_;  // the process there; empty: not known
};

}  // namespace holdfast::impl

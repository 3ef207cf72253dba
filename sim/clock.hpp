// Virtual time: what is to happen, in order. Nothing waits; the time is that of the event which was taken last.
#pragma once

#include <holdfast/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace holdfast::sim {

using namespace std::chrono_literals;

enum class what : std::uint8_t {
   // the network's
   syn,      // a connection is asked for: a = connection
   syn_ack,  // and granted, or refused (b = 1)
   segment,  // bytes, or an end, arrive: a = connection, b = direction
   // a server's process
   turn,          // it looks at its connections: a = host
   message,       // between servers: see message.hpp
   sync_done,     // a replica has loaded its master's data: a = host, c = generation
   replica_cron,  // a replica looks for its master: a = host
   unpaused,      // CLIENT PAUSE is over: a = host
   // a Sentinel's
   sentinel_timer,  // a = host
   // a client's
   client_timer,  // a = client, c = generation
   client_next,   // it gives its next command: a = client
   client_back,   // the frozen client goes on: a = client
   // the world's
   fault_begins,  // a = index in the plan
   fault_ends,
   sample,  // look whether all is well
};

// `at` and `order` are the clock's; what the rest means is said by `kind`.
struct event {
   time_point at = {};
   std::uint64_t order = 0;
   std::uint64_t c = 0;
   std::uint64_t d = 0;
   std::uint32_t a = 0;
   std::uint32_t b = 0;
   std::uint32_t e = 0;
   std::uint16_t sub = 0;
   what kind = what::sample;
};

class clock {
 public:
   time_point now() const { return now_; }

   void in(duration d, event e) { at(now_ + std::max(d, duration::zero()), e); }
   void at(time_point t, event e) {
      e.at = std::max(t, now_);
      e.order = ++order_;
      heap_.push_back(e);
      std::push_heap(heap_.begin(), heap_.end(), later);
   }
   bool empty() const { return heap_.empty(); }
   time_point next() const { return heap_.front().at; }
   event take() {
      std::pop_heap(heap_.begin(), heap_.end(), later);
      const event e = heap_.back();
      heap_.pop_back();
      now_ = e.at;
      ++taken_;
      return e;
   }
   void pass_until(time_point t) { now_ = std::max(now_, t); }
   std::uint64_t taken() const { return taken_; }

 private:
   static bool later(const event& x, const event& y) { return x.at != y.at ? x.at > y.at : x.order > y.order; }

   time_point now_ = time_point{} + 1h;
   std::uint64_t order_ = 0;
   std::uint64_t taken_ = 0;
   std::vector<event> heap_;
};

}  // namespace holdfast::sim

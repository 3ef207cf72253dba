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
   waited,        // the time of a blocking command is over: a = host, b = connection, c = client id
   // a Sentinel's
   sentinel_timer,  // a = host
   // a client's
   client_timer,   // a = client, c = generation
   client_next,    // it gives its next command: a = client
   client_mail,    // it reads its letters: a = client
   client_cancel,  // its caller leaves: a = client, c = the command's number
   client_back,    // the frozen client goes on: a = client
   // the world's
   fault_begins,  // a = index in the plan
   fault_ends,
   sample,  // look whether all is well
};

// `at` is the clock's; what the rest means is said by `kind`.
struct event {
   time_point at = {};
   std::uint64_t c = 0;
   std::uint64_t d = 0;
   std::uint32_t a = 0;
   std::uint32_t b = 0;
   std::uint32_t e = 0;
   std::uint16_t sub = 0;
   what kind = what::sample;
};

// A heap of small keys; the events themselves stay where they are.
class clock {
 public:
   time_point now() const { return now_; }

   void in(duration d, const event& e) { at(now_ + std::max(d, duration::zero()), e); }
   void at(time_point t, const event& e) {
      std::uint32_t slot = 0;
      if (free_.empty()) {
         slot = static_cast<std::uint32_t>(events_.size());
         events_.push_back(e);
      } else {
         slot = free_.back();
         free_.pop_back();
         events_[slot] = e;
      }
      const key k{std::max(t, now_), ++order_, slot};
      events_[slot].at = k.at;
      std::size_t hole = heap_.size();
      heap_.push_back(k);
      while (hole != 0) {
         const std::size_t parent = (hole - 1) / fan;
         if (!k.before(heap_[parent])) break;
         heap_[hole] = heap_[parent];
         hole = parent;
      }
      heap_[hole] = k;
   }
   bool empty() const { return heap_.empty(); }
   time_point next() const { return heap_.front().at; }
   event take() {
      const std::uint32_t slot = heap_.front().slot;
      const key last = heap_.back();
      heap_.pop_back();
      if (!heap_.empty()) sink(last);
      free_.push_back(slot);
      now_ = events_[slot].at;
      ++taken_;
      return events_[slot];
   }
   void pass_until(time_point t) { now_ = std::max(now_, t); }
   std::uint64_t taken() const { return taken_; }

 private:
   static constexpr std::size_t fan = 4;
   struct key {
      time_point at = {};
      std::uint64_t order = 0;
      std::uint32_t slot = 0;
      bool before(const key& k) const { return at != k.at ? at < k.at : order < k.order; }
   };

   // Puts `k` in the place of the first, which is gone.
   void sink(const key& k) {
      std::size_t hole = 0;
      for (;;) {
         const std::size_t child = hole * fan + 1;
         if (child >= heap_.size()) break;
         const std::size_t end = std::min(child + fan, heap_.size());
         std::size_t best = child;
         for (std::size_t i = child + 1; i < end; ++i) {
            if (heap_[i].before(heap_[best])) best = i;
         }
         if (!heap_[best].before(k)) break;
         heap_[hole] = heap_[best];
         hole = best;
      }
      heap_[hole] = k;
   }

   time_point now_ = time_point{} + 1h;
   std::uint64_t order_ = 0;
   std::uint64_t taken_ = 0;
   std::vector<key> heap_;
   std::vector<event> events_;
   std::vector<std::uint32_t> free_;
};

}  // namespace holdfast::sim

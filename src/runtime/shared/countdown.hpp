// A count of things that one thread waits for until others have done them.
#pragma once

#include <atomic>
#include <cstdint>

namespace holdfast::impl {

// Things that are still to be done. The thread that waits may end the countdown's life as soon as `wait` has returned.
class countdown {
 public:
   void add() { left_.fetch_add(1, std::memory_order_relaxed); }
   void done();  // by any thread; the last one wakes the thread that waits
   void wait();

 private:
   std::atomic<std::uint32_t> left_ = 0;
};

}  // namespace holdfast::impl

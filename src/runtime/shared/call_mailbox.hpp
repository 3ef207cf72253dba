// Letters from many threads to the one that runs an engine. No lock, no allocation: a letter is its sender's, and lies
// in a list through the letters themselves. So there are never more than the senders have.
#pragma once

#include "runtime/shared/waker.hpp"

#include <atomic>

namespace holdfast::impl {

class letter {
 public:
   letter() = default;
   letter(const letter&) = delete;
   letter& operator=(const letter&) = delete;

 private:
   friend class call_mailbox;
   letter* next_ = nullptr;

 protected:
   ~letter() = default;
};

class call_mailbox {
 public:
   // `wakes`: the waker that the reading thread waits for; it outlives this.
   explicit call_mailbox(const waker& wakes) : waker_(wakes) {}
   call_mailbox(const call_mailbox&) = delete;
   call_mailbox& operator=(const call_mailbox&) = delete;

   // By any thread. The letter stays until it was read.
   void post(letter&);

   // ---- for the thread that reads ----
   // Calls `f` for each letter, in the order in which they were posted; false if there was none. A letter may be gone
   // once `f` has seen it.
   template <class F>
   bool read(F&& f) {
      is_asleep_.store(false, std::memory_order_relaxed);
      letter* oldest = take();
      if (oldest == nullptr) return false;
      while (oldest != nullptr) {
         letter& l = *oldest;
         oldest = l.next_;
         f(l);
      }
      return true;
   }
   // Before it waits: from now on whoever posts wakes it. False: there is a letter already.
   bool fall_asleep();

 private:
   letter* take();  // all, the oldest first

   const waker& waker_;
   std::atomic<letter*> newest_ = nullptr;
   std::atomic<bool> is_asleep_ = false;
};

}  // namespace holdfast::impl

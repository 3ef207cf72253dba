#include "runtime/shared/call_mailbox.hpp"

namespace holdfast::impl {

// Either the sender sees that the thread sleeps, or the thread sees the letter: both are told in one order (seq_cst).
void call_mailbox::post(letter& l) {
   l.next_ = newest_.load(std::memory_order_relaxed);
   while (!newest_.compare_exchange_weak(l.next_, &l, std::memory_order_seq_cst, std::memory_order_relaxed)) {
   }
   if (is_asleep_.load(std::memory_order_seq_cst) && is_asleep_.exchange(false, std::memory_order_seq_cst))
      waker_.wake();
}

bool call_mailbox::fall_asleep() {
   is_asleep_.store(true, std::memory_order_seq_cst);
   if (newest_.load(std::memory_order_seq_cst) == nullptr) return true;
   is_asleep_.store(false, std::memory_order_relaxed);
   return false;
}

letter* call_mailbox::take() {
   letter* at = newest_.load(std::memory_order_relaxed);
   if (at == nullptr) return nullptr;
   at = newest_.exchange(nullptr, std::memory_order_acquire);
   letter* oldest = nullptr;
   while (at != nullptr) {
      letter* const next = at->next_;
      at->next_ = oldest;
      oldest = at;
      at = next;
   }
   return oldest;
}

}  // namespace holdfast::impl

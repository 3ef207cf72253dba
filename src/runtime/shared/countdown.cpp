#include "runtime/shared/countdown.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace holdfast::impl {

// A countdown that has ended may be gone: after the last step only its address is used, and a thread that waits for
// something else at the same address looks again.
void countdown::done() {
   std::atomic<std::uint32_t>* const at = &left_;
   if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) ::syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1);
}

void countdown::wait() {
   for (;;) {
      const std::uint32_t left = left_.load(std::memory_order_acquire);
      if (left == 0) return;
      ::syscall(SYS_futex, &left_, FUTEX_WAIT_PRIVATE, left, nullptr);
   }
}

}  // namespace holdfast::impl

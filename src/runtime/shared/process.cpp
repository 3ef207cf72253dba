#include "runtime/shared/process.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace holdfast::impl {

std::atomic<process_number>* present_number = nullptr;

namespace {

std::atomic<process_number> last_number = 0;  // unlike what `present_number` points to, a child inherits it
std::atomic<process_number> kept = 0;

// A page that the kernel empties in each child, however that was forked. Where the kernel can't (before Linux 4.14),
// the C library's fork does it.
std::atomic<process_number>* make_present() {
   const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
   void* const page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
   if (page != MAP_FAILED) {
      if (::madvise(page, size, MADV_WIPEONFORK) == 0) return new (page) std::atomic<process_number>(0);
      ::munmap(page, size);
   }
   ::pthread_atfork(nullptr, nullptr, [] { kept.store(0, std::memory_order_relaxed); });
   return &kept;
}

}  // namespace

process_number this_process() {
   static std::atomic<process_number>& present = *(present_number = make_present());
   process_number n = present.load(std::memory_order_relaxed);
   if (n != 0) return n;
   const process_number fresh = last_number.load(std::memory_order_relaxed) + 1;
   if (!present.compare_exchange_strong(n, fresh)) return n;  // another thread was faster
   last_number.store(fresh, std::memory_order_relaxed);
   return fresh;
}

}  // namespace holdfast::impl

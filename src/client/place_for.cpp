#include "client/place_for.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <memory>

namespace holdfast::impl {

// Of 160 MB for a million replies the kernel gives a page at a time, which takes most of the time to make them: 2 MiB
// are asked for instead of 4 KiB. Not of what malloc may keep once it is free (its M_MMAP_THRESHOLD: 32 MiB at most).
std::vector<result<value>> place_for(std::size_t n) {
   std::vector<result<value>> replies;
   replies.reserve(n);
   const std::size_t bytes = n * sizeof(result<value>);
   if (bytes > std::size_t{32} << 20) {
      const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
      void* begin = replies.data();
      std::size_t whole = bytes;
      if (std::align(page, page, begin, whole) != nullptr) (void)::madvise(begin, whole / page * page, MADV_HUGEPAGE);
   }
   replies.resize(n);
   return replies;
}

}  // namespace holdfast::impl

#include "bench/wholes/allocations.hpp"

#include <atomic>
#include <cstddef>

namespace {

std::atomic<bool> are_counted = false;
std::atomic<std::uint64_t> counted = 0;

void note() {
   if (are_counted.load(std::memory_order_relaxed)) counted.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

// The names of this program come before those of every shared library: libhiredis allocates here, too.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* malloc(std::size_t n) { return note(), __libc_malloc(n); }
void* calloc(std::size_t n, std::size_t size) { return note(), __libc_calloc(n, size); }
void* realloc(void* p, std::size_t n) { return note(), __libc_realloc(p, n); }
}

namespace holdfast::bench {

void count_allocations(bool yes) { are_counted = yes; }
std::uint64_t allocations() { return counted; }

}  // namespace holdfast::bench

#include "counted_allocations.hpp"

#include <cstdlib>
#include <new>

thread_local std::size_t allocations = 0;

// The linker sends every malloc of the program and of the libraries in it here (--wrap).
extern "C" {
void* __real_malloc(std::size_t);
void* __real_calloc(std::size_t, std::size_t);
void* __real_realloc(void*, std::size_t);
void* __real_aligned_alloc(std::size_t, std::size_t);
void* __wrap_malloc(std::size_t n) { return ++allocations, __real_malloc(n); }
void* __wrap_calloc(std::size_t n, std::size_t size) { return ++allocations, __real_calloc(n, size); }
void* __wrap_realloc(void* p, std::size_t n) { return ++allocations, __real_realloc(p, n); }
void* __wrap_aligned_alloc(std::size_t a, std::size_t n) { return ++allocations, __real_aligned_alloc(a, n); }
}

void* operator new(std::size_t n) {
   if (void* p = std::malloc(n)) return p;
   throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

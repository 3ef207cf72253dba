// What one blocking GET costs: run by tools/gate, which counts the instructions of two lengths of this and takes the
// difference. One round is what a user writes: the command is built, run, and its reply checked. Prints the heap
// allocations of this thread during the loop. With HOLDFAST_GATE_SHARED in the environment the client is one of a
// deployment, whose tracker has a thread of its own.
#include <holdfast/holdfast.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>

namespace {
thread_local std::size_t allocations = 0;
}

// The linker sends every malloc of this program and of the library here (--wrap).
extern "C" {
void* __real_malloc(std::size_t);
void* __real_calloc(std::size_t, std::size_t);
void* __real_realloc(void*, std::size_t);
void* __wrap_malloc(std::size_t n) { return ++allocations, __real_malloc(n); }
void* __wrap_calloc(std::size_t n, std::size_t size) { return ++allocations, __real_calloc(n, size); }
void* __wrap_realloc(void* p, std::size_t n) { return ++allocations, __real_realloc(p, n); }
}

void* operator new(std::size_t n) {
   if (void* p = std::malloc(n)) return p;
   throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

int main(int argc, char** argv) {
   if (argc != 3) return std::fputs("usage: blocking_get URI COUNT\n", stderr), 2;
   const long count = std::atol(argv[2]);
   const std::string_view uri = argv[1];
   const bool is_shared = std::getenv("HOLDFAST_GATE_SHARED") != nullptr;
   auto redis = is_shared ? holdfast::client{holdfast::deployment(uri)} : holdfast::client{uri};
   redis.run({"SET", "gate", "0123456789abcdef"}).value();
   for (int i = 0; i < 100; ++i) redis.run({"GET", "gate"}).value();

   allocations = 0;
   for (long i = 0; i < count; ++i) {
      const auto reply = redis.run({"GET", "gate"});
      if (!reply || reply->text().size() != 16) return std::fputs("a GET failed\n", stderr), 1;
   }
   std::printf("allocations %zu\n", allocations);
}

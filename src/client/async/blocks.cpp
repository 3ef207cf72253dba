// Memory for operations of async_client: each thread keeps what its operations leave, for the next ones.
#include <holdfast/detail/async_call.hpp>

#include <new>
#include <utility>

namespace holdfast::impl {
namespace {

constexpr std::size_t block_size = 1152;
constexpr unsigned most_kept = 256;

struct kept_block {
   kept_block* next;
};

// Trivial, so that no access asks whether it was made.
[[gnu::tls_model("initial-exec")]] thread_local constinit kept_block* kept = nullptr;
[[gnu::tls_model("initial-exec")]] thread_local constinit unsigned kept_count = 0;

// The end of the thread: what it has kept is freed, and what it still gives is not kept.
struct at_thread_end {
   ~at_thread_end() {
      while (kept != nullptr) ::operator delete(std::exchange(kept, kept->next));
      kept_count = most_kept;
   }
};

}  // namespace

void* take_block(std::size_t size) {
   if (size > block_size) return ::operator new(size);
   if (kept == nullptr) return ::operator new(block_size);
   --kept_count;
   return std::exchange(kept, kept->next);
}

void give_block(void* block, std::size_t size) noexcept {
   if (size > block_size || kept_count >= most_kept) return ::operator delete(block);
   if (kept_count++ == 0) static thread_local at_thread_end free_them;
   kept = ::new (block) kept_block{kept};
}

}  // namespace holdfast::impl

// Memory for operations of async_client: each thread keeps what its operations leave, for the next ones.
#include <holdfast/detail/async_call.hpp>

#include <new>

namespace holdfast::impl {
namespace {

constexpr std::size_t block_size = 1024;
constexpr unsigned most_kept = 256;

struct kept_block {
   kept_block* next;
};

class kept_blocks {
 public:
   constexpr kept_blocks() = default;
   ~kept_blocks() {
      while (void* const block = take()) ::operator delete(block);
      count_ = most_kept;  // what the thread still gives at its end is not kept
   }
   kept_blocks(const kept_blocks&) = delete;
   kept_blocks& operator=(const kept_blocks&) = delete;

   void* take() {
      kept_block* const first = first_;
      if (first == nullptr) return nullptr;
      first_ = first->next;
      --count_;
      return first;
   }
   bool keep(void* block) {
      if (count_ >= most_kept) return false;
      first_ = ::new (block) kept_block{first_};
      ++count_;
      return true;
   }

 private:
   kept_block* first_ = nullptr;
   unsigned count_ = 0;
};

thread_local kept_blocks kept;

}  // namespace

void* take_block(std::size_t size) {
   if (size > block_size) return ::operator new(size);
   void* const block = kept.take();
   return block != nullptr ? block : ::operator new(block_size);
}

void give_block(void* block, std::size_t size) noexcept {
   if (size > block_size || !kept.keep(block)) ::operator delete(block);
}

}  // namespace holdfast::impl

// The bytes that a connection received and nobody has used yet, in one piece. Bytes are added at the back and used from
// the front. Memory follows the bytes that came: each byte is moved a bounded number of times, and a large buffer is
// given back once it is empty.
#pragma once

#include "core/assertion.hpp"
#include "resp/raw_array.hpp"

#include <cstddef>
#include <span>

namespace holdfast::impl {

class receive_buffer {
 public:
   // Space to receive into, at least `at_least` bytes of it, not initialised; then `commit` says how many came.
   std::span<char> prepare(std::size_t at_least) {
      if (size() == 0) clear();
      if (bytes_.capacity() - end_ < at_least) make_space(at_least);
      return {bytes_.data() + end_, bytes_.capacity() - end_};
   }
   void commit(std::size_t n) {
      HOLDFAST_ASSERT(n <= bytes_.capacity() - end_);
      end_ += n;
   }

   // Bytes that wait: valid until the next call of prepare() or clear().
   const char* begin() const { return bytes_.data() + begin_; }
   const char* end() const { return bytes_.data() + end_; }
   std::size_t size() const { return end_ - begin_; }

   void use(std::size_t n) { begin_ += n; }  // the first `n` are not needed any more
   void clear() {                            // keeps a bounded part of the memory
      constexpr std::size_t kept_bytes = std::size_t{4} << 20;
      begin_ = end_ = 0;
      bytes_.trim(kept_bytes);
   }
   std::size_t capacity() const { return bytes_.capacity(); }

 private:
   void make_space(std::size_t at_least);

   raw_array<char> bytes_;
   std::size_t begin_ = 0;
   std::size_t end_ = 0;
};

}  // namespace holdfast::impl

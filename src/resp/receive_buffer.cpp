#include "resp/receive_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::impl {

void receive_buffer::make_space(std::size_t at_least) {
   // Moving costs what is waiting: done only if as much is won by it, so that it is paid for by bytes received.
   if (const std::size_t waiting = size(); begin_ >= waiting && begin_ != 0) {
      if (waiting != 0) std::memmove(bytes_.data(), begin(), waiting);
      begin_ = 0;
      end_ = waiting;
   }
   if (bytes_.capacity() - end_ < at_least) bytes_.grow(std::max(end_ + at_least, 2 * bytes_.capacity()));
}

}  // namespace holdfast::impl

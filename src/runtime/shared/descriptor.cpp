#include "runtime/shared/descriptor.hpp"

#include <unistd.h>

namespace holdfast::impl {

void descriptor::close() {
   if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace holdfast::impl

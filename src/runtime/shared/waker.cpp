#include "runtime/shared/waker.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace holdfast::impl {

waker::waker() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
   if (!event_.is_open()) throw std::system_error(errno, std::system_category(), "eventfd");
}

void waker::wake() const {
   const std::uint64_t one = 1;
   [[maybe_unused]] const auto written = ::write(fd(), &one, sizeof one);  // full means that it is set already
}

void waker::clear() const {
   std::uint64_t set = 0;
   [[maybe_unused]] const auto taken = ::read(fd(), &set, sizeof set);  // nothing there means that it is clear
}

}  // namespace holdfast::impl

#include "runtime/shared/doorbell.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace holdfast::poll {

doorbell::doorbell() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
   if (!event_.is_open()) throw std::system_error(errno, std::system_category(), "eventfd");
}

void doorbell::ring() const {
   const std::uint64_t one = 1;
   [[maybe_unused]] const auto written = ::write(fd(), &one, sizeof one);  // full means that it rings already
}

void doorbell::hush() const {
   std::uint64_t rung = 0;
   [[maybe_unused]] const auto taken = ::read(fd(), &rung, sizeof rung);  // nothing there means that it is silent
}

}  // namespace holdfast::poll

// A file descriptor with an owner.
#pragma once

#include <utility>

namespace holdfast::impl {

// Owns a file descriptor, and no more than that: it is closed by close(2) alone.
class descriptor {
 public:
   descriptor() = default;
   explicit descriptor(int fd) : fd_(fd) {}
   descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
   descriptor& operator=(descriptor&& other) noexcept {
      std::swap(fd_, other.fd_);
      return *this;
   }
   ~descriptor() { close(); }

   int fd() const { return fd_; }
   bool is_open() const { return fd_ >= 0; }
   void close();

 private:
   int fd_ = -1;
};

}  // namespace holdfast::impl

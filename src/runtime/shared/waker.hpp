// Wakes one thread's poll() from another thread.
#pragma once

#include "runtime/shared/descriptor.hpp"

namespace holdfast::impl {

// Thread-safe but for its construction and destruction.
class waker {
 public:
   waker();                                // throws std::system_error if the process has no descriptor left
   int fd() const { return event_.fd(); }  // readable from `wake` until `clear`
   void wake() const;
   void clear() const;

 private:
   descriptor event_;
};

}  // namespace holdfast::impl

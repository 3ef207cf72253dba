// Wakes one thread's poll() from another thread.
#pragma once

#include "runtime/shared/descriptor.hpp"

namespace holdfast::poll {

// Thread-safe but for its construction and destruction.
class doorbell {
 public:
   doorbell();                             // throws std::system_error if the process has no descriptor left
   int fd() const { return event_.fd(); }  // readable from `ring` until `hush`
   void ring() const;
   void hush() const;

 private:
   descriptor event_;
};

}  // namespace holdfast::poll

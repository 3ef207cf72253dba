// Non-blocking stream sockets, with what makes a dead peer known in seconds rather than hours.
#pragma once

#include "runtime/shared/descriptor.hpp"
#include "runtime/shared/process.hpp"

#include <holdfast/endpoint.hpp>

#include <string>
#include <utility>

namespace holdfast::impl {

// A connection, or one that is being made. It belongs to the process that made it: there its end is an end for the
// peer, even while a forked child has a copy of the descriptor; in the child it is closed without a byte.
class socket {
 public:
   socket() = default;
   explicit socket(int fd) : descriptor_(fd), maker_(this_process()) {}
   socket(socket&& other) noexcept = default;
   socket& operator=(socket&& other) noexcept {
      if (this != &other) {
         close();
         descriptor_ = std::move(other.descriptor_);
         maker_ = other.maker_;
      }
      return *this;
   }
   ~socket() { close(); }

   int fd() const { return descriptor_.fd(); }
   bool is_open() const { return descriptor_.is_open(); }
   void close();
   // Bytes that were not delivered yet are dropped.
   void abort();

 private:
   descriptor descriptor_;
   process_number maker_ = 0;
};

struct connecting {
   socket sock;
   bool finished = false;     // connected already; otherwise writable means connected, or failed (`connect_error`)
   std::string problem = {};  // plain words; then `sock` is not open
};

// `where` is an IPv4 or IPv6 address (fe80::1%eth0 with its zone), or the path of a Unix socket.
connecting start_connect(const endpoint& where);
// After the socket became writable: empty, or why it could not be connected.
std::string connect_error(const socket&);

// An address or a path, so that there is nothing to resolve.
bool is_address(const endpoint&);

// "Connection refused": errno in words.
std::string describe_errno(int);

}  // namespace holdfast::impl

// Non-blocking stream sockets, with what makes a dead peer known in seconds rather than hours.
#pragma once

#include <holdfast/endpoint.hpp>

#include <string>
#include <utility>

namespace holdfast::poll {

// Owns a file descriptor.
class socket {
 public:
   socket() = default;
   explicit socket(int fd) : fd_(fd) {}
   socket(socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
   socket& operator=(socket&& other) noexcept {
      if (this != &other) {
         close();
         fd_ = std::exchange(other.fd_, -1);
      }
      return *this;
   }
   ~socket() { close(); }

   int fd() const { return fd_; }
   bool is_open() const { return fd_ >= 0; }
   void close();
   void abort();  // the peer gets a reset, and bytes not delivered yet are dropped

 private:
   int fd_ = -1;
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

}  // namespace holdfast::poll

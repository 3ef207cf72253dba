// A free port on the loopback address, kept free for us.
#pragma once

#include <cstdint>

namespace holdfast::lab {

// Holds a port of 127.0.0.1 by a bound socket that never listens: nobody else is given it, not even as the local port
// of an outgoing connection, while a server of ours (which sets SO_REUSEADDR) may listen on it, end, and come back.
class reserved_port {
 public:
   reserved_port();  // throws std::system_error
   ~reserved_port();
   reserved_port(reserved_port&&) noexcept;
   reserved_port& operator=(reserved_port&&) = delete;

   std::uint16_t number() const { return number_; }

 private:
   int socket_ = -1;
   std::uint16_t number_ = 0;
};

}  // namespace holdfast::lab

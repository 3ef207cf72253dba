#include "lab/port.hpp"

#include "lab/sockets.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace holdfast::lab {

reserved_port::reserved_port() : socket_(bound_at({"127.0.0.1", 0}, SOCK_STREAM)), number_(port_of(socket_)) {}

reserved_port::~reserved_port() {
   if (socket_ >= 0) ::close(socket_);
}

reserved_port::reserved_port(reserved_port&& other) noexcept
   : socket_(std::exchange(other.socket_, -1)), number_(other.number_) {}

}  // namespace holdfast::lab

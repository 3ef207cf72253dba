#include "lab/port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace holdfast::lab {

reserved_port::reserved_port() {
   socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
   const int yes = 1;
   sockaddr_in address = {};
   address.sin_family = AF_INET;
   address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
   socklen_t size = sizeof address;
   if (socket_ < 0 || ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
       ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
       ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      const int why = errno;
      if (socket_ >= 0) ::close(socket_);
      throw std::system_error(why, std::generic_category(), "no free port on 127.0.0.1");
   }
   number_ = ntohs(address.sin_port);
}

reserved_port::~reserved_port() {
   if (socket_ >= 0) ::close(socket_);
}

reserved_port::reserved_port(reserved_port&& other) noexcept
   : socket_(std::exchange(other.socket_, -1)), number_(other.number_) {}

}  // namespace holdfast::lab

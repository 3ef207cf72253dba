#include "lab/silent_listener.hpp"

#include "lab/sockets.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace holdfast::lab {

silent_listener::silent_listener(const endpoint& where) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
   const int yes = 1;
   const sockaddr_in address = address_of(where);
   if (socket_ < 0 || ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
       ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
       ::listen(socket_, 511) != 0) {
      const int why = errno;
      if (socket_ >= 0) ::close(socket_);
      throw std::system_error(why, std::generic_category(), "cannot listen at " + to_string(where));
   }
}

silent_listener::~silent_listener() { ::close(socket_); }

}  // namespace holdfast::lab

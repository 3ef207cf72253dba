#include "lab/silent_listener.hpp"

#include "lab/sockets.hpp"

#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::lab {

silent_listener::silent_listener(const endpoint& where, bool full) : socket_(listening_at(where, full ? 0 : 511)) {
   const sockaddr_in address = address_of(where);
   for (int& fd : fillers_) {
      if (!full) break;
      fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
   }
}

silent_listener::~silent_listener() {
   ::close(socket_);
   for (const int fd : fillers_)
      if (fd >= 0) ::close(fd);
}

}  // namespace holdfast::lab

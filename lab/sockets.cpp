#include "lab/sockets.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace holdfast::lab {
namespace {

[[noreturn]] void give_up(int socket, const endpoint& where) {
   const int why = errno;
   if (socket >= 0) ::close(socket);
   throw std::system_error(why, std::generic_category(), "no socket at " + to_string(where));
}

}  // namespace

sockaddr_in address_of(const endpoint& where) {
   sockaddr_in address = {};
   address.sin_family = AF_INET;
   address.sin_port = htons(where.port);
   ::inet_pton(AF_INET, where.host.c_str(), &address.sin_addr);
   return address;
}

int bound_at(const endpoint& where, int type) {
   const int socket = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
   const int reuse = (type & SOCK_DGRAM) == 0;
   const sockaddr_in address = address_of(where);
   if (socket < 0 || ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse) != 0 ||
       ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      give_up(socket, where);
   return socket;
}

int listening_at(const endpoint& where, int backlog, int flags) {
   const int socket = bound_at(where, SOCK_STREAM | flags);
   if (::listen(socket, backlog) != 0) give_up(socket, where);
   return socket;
}

std::uint16_t port_of(int socket) {
   sockaddr_in own = {};
   socklen_t size = sizeof own;
   ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size);
   return ntohs(own.sin_port);
}

void close_with_reset(int fd) {
   const linger now = {1, 0};
   ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
   ::close(fd);
}

}  // namespace holdfast::lab

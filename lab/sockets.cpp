#include "lab/sockets.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::lab {

sockaddr_in address_of(const endpoint& where) {
   sockaddr_in address = {};
   address.sin_family = AF_INET;
   address.sin_port = htons(where.port);
   ::inet_pton(AF_INET, where.host.c_str(), &address.sin_addr);
   return address;
}

void close_with_reset(int fd) {
   const linger now = {1, 0};
   ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
   ::close(fd);
}

}  // namespace holdfast::lab

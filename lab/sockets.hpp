// Sockets of the lab's proxy and listeners.
#pragma once

#include <holdfast/endpoint.hpp>

#include <netinet/in.h>

#include <cstdint>

namespace holdfast::lab {

// An IPv4 address as the kernel takes it.
sockaddr_in address_of(const endpoint& where);
// A socket of that type (SOCK_STREAM or SOCK_DGRAM, with flags) that is bound there; a port of 0 is any free one.
// Throws std::system_error.
int bound_at(const endpoint& where, int type);
// A TCP socket that listens there.
int listening_at(const endpoint& where, int backlog, int flags = 0);
std::uint16_t port_of(int socket);
// Ends a connection with RST.
void close_with_reset(int fd);

}  // namespace holdfast::lab

// Sockets of the lab's proxy and listeners.
#pragma once

#include <holdfast/endpoint.hpp>

#include <netinet/in.h>

namespace holdfast::lab {

// Of an IPv4 address.
sockaddr_in address_of(const endpoint& where);
// Ends a connection with RST.
void close_with_reset(int fd);

}  // namespace holdfast::lab

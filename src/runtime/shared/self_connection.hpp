// TCP connects a socket to itself where nothing listens on a port of the range that local ports are taken from, and the
// kernel happens to choose just that one (simultaneous open). All that is written then comes back.
#pragma once

#include <sys/socket.h>

#include <cstring>

namespace holdfast {

inline constexpr const char* self_connection_text =
   "the connection leads back to itself: nothing listens there (a TCP self-connection)";

// Of a connected socket. Never true of a Unix socket.
inline bool is_connected_to_itself(int fd) {
   sockaddr_storage here = {};
   sockaddr_storage there = {};
   socklen_t here_length = sizeof here;
   socklen_t there_length = sizeof there;
   if (::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &here_length) != 0) return false;
   if (::getpeername(fd, reinterpret_cast<sockaddr*>(&there), &there_length) != 0) return false;
   if (here.ss_family == AF_UNIX || here_length != there_length) return false;
   return std::memcmp(&here, &there, here_length) == 0;
}

}  // namespace holdfast

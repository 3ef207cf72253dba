// Socket options that make a dead peer known in seconds. Linux alone would take two hours (idle) or a quarter of an
// hour.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace holdfast {

// A peer that is gone while nothing is sent is known to be gone after 7 seconds. One that does not acknowledge what we
// sent is the lane's to notice (transit.hpp): TCP_USER_TIMEOUT would also end a connection whose peer lives and has no
// room, behind a long script say. Also sends small writes at once (TCP_NODELAY). Without effect on a Unix socket.
inline void notice_dead_peer(int fd) {
   const auto set = [fd](int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); };
   set(IPPROTO_TCP, TCP_NODELAY, 1);
   set(SOL_SOCKET, SO_KEEPALIVE, 1);
   set(IPPROTO_TCP, TCP_KEEPIDLE, 5);
   set(IPPROTO_TCP, TCP_KEEPINTVL, 1);
   set(IPPROTO_TCP, TCP_KEEPCNT, 2);
}

}  // namespace holdfast

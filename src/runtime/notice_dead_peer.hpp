// Socket options that make a dead peer known in seconds. Linux alone would take two hours (idle) or a quarter of an
// hour.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace holdfast {

// An idle peer that is gone is known after 5 + 3 * 2 seconds, one that does not acknowledge what we sent after 5. Also
// sends small writes at once (TCP_NODELAY). Without effect on a Unix socket.
inline void notice_dead_peer(int fd) {
   const auto set = [fd](int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); };
   set(IPPROTO_TCP, TCP_NODELAY, 1);
   set(SOL_SOCKET, SO_KEEPALIVE, 1);
   set(IPPROTO_TCP, TCP_KEEPIDLE, 5);
   set(IPPROTO_TCP, TCP_KEEPINTVL, 2);
   set(IPPROTO_TCP, TCP_KEEPCNT, 3);
   set(IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
}

}  // namespace holdfast

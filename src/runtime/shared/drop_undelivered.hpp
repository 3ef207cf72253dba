// The end of a connection that was given up: what the peer has not got of it, it does not get late.
#pragma once

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace holdfast {

// To be called just before the descriptor is closed. A reset drops what the kernel still holds, but it is sent only
// once: where it gets lost, the server goes on with what it has, a BLPOP say, for minutes. So where the peer's kernel
// has acknowledged all, the connection ends in order, and the kernel repeats that until it is heard.
inline void drop_undelivered(int fd) {
   int held = 0;
   if (::ioctl(fd, SIOCOUTQ, &held) == 0 && held == 0) return;
   const linger at_once{1, 0};
   ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
   // Resets it now, where a forked child has a copy of the descriptor and close would not.
   const sockaddr nobody{AF_UNSPEC, {}};
   ::connect(fd, &nobody, sizeof nobody);
}

}  // namespace holdfast

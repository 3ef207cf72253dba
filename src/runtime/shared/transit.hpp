// State of a connection's way to the other side, from the kernel.
#pragma once

#include "link/link.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstdint>

namespace holdfast {

// A closed window whose peer answers is no end, however long it lasts; TCP_USER_TIMEOUT would take it for one.
inline impl::transit transit_of(int fd) {
   impl::transit t;
   if (int held = 0; ::ioctl(fd, SIOCOUTQ, &held) == 0 && held > 0) t.undelivered = static_cast<std::uint64_t>(held);
   tcp_info info = {};
   socklen_t size = sizeof info;
   if (t.undelivered == 0 || ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return t;
   const bool asks_again = info.tcpi_retransmits > 0 || info.tcpi_probes > 1;
   t.unanswered = asks_again && info.tcpi_last_ack_recv >= 1000;
   return t;
}

}  // namespace holdfast

// News of who is the master, as servers and Sentinels tell it to a client: the checkers hear of it when the client has
// read it.
#pragma once

#include <cstdint>

namespace holdfast::sim {

using host_id = std::uint32_t;
inline constexpr host_id nowhere = ~0U;

enum class observation : std::uint8_t {
   nothing,
   address,   // a Sentinel's answer: `node` is the master, under `epoch`
   tried,     // +try-failover: a failover begins under `epoch`
   selected,  // +selected-slave: `node`, by the failover of `epoch`
   switched,  // +switch-master: this Sentinel's master is `node` now
   aborted,   // -failover-abort-...: the failover of `epoch` is given up
   master,    // a server says that it is a master
   replica,   // or that it is a replica, of `node`; nowhere: it does not say of whom
   ended,     // the connection did
};

struct told {
   observation is = observation::nothing;
   std::uint64_t epoch = 0;
   host_id node = nowhere;
};

}  // namespace holdfast::sim

#pragma once

#include "lab/fault.hpp"

namespace holdfast::lab {

// How long a server may take for a step of a fault; a run in which it takes longer is given up.
inline constexpr milliseconds patience(30000);

}  // namespace holdfast::lab

namespace holdfast::lab::faults {

fault kill();
fault stop();
fault shutdown();
fault failover();
fault reply_loss();
fault connection_kill(unsigned rounds = 20);
fault restart();
fault partition();
fault partition_reset();
fault blackout();
fault slow();
fault slower();
fault sentinel_loss();
fault sentinel_deaf();
fault sentinel_stale();
fault two();
fault noquorum();
fault max_clients();
fault loading();
fault out_of_memory();
fault misconf();
fault no_replicas();
fault busy();
fault pause();
fault auth();
fault revive();
fault rogue();
fault takeover();

}  // namespace holdfast::lab::faults

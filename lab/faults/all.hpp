#pragma once

#include "lab/fault.hpp"

namespace holdfast::lab {

// How long a server may take for a step of a fault; a run in which it takes longer is given up.
inline constexpr milliseconds patience(30000);

std::unique_ptr<fault> make_kill();
std::unique_ptr<fault> make_stop();
std::unique_ptr<fault> make_shutdown();
std::unique_ptr<fault> make_failover();
std::unique_ptr<fault> make_reply_loss();
std::unique_ptr<fault> make_connection_kill(unsigned rounds = 20);
std::unique_ptr<fault> make_restart();
std::unique_ptr<fault> make_partition();
std::unique_ptr<fault> make_partition_reset();
std::unique_ptr<fault> make_blackout();
std::unique_ptr<fault> make_slow();
std::unique_ptr<fault> make_slower();
std::unique_ptr<fault> make_sentinel_loss();
std::unique_ptr<fault> make_sentinel_deaf();
std::unique_ptr<fault> make_sentinel_stale();
std::unique_ptr<fault> make_two();
std::unique_ptr<fault> make_noquorum();
std::unique_ptr<fault> make_max_clients();
std::unique_ptr<fault> make_loading();
std::unique_ptr<fault> make_out_of_memory();
std::unique_ptr<fault> make_misconf();
std::unique_ptr<fault> make_no_replicas();
std::unique_ptr<fault> make_busy();
std::unique_ptr<fault> make_pause();
std::unique_ptr<fault> make_auth();
std::unique_ptr<fault> make_revive();
std::unique_ptr<fault> make_rogue();
std::unique_ptr<fault> make_takeover();

}  // namespace holdfast::lab

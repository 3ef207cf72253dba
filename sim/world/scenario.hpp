// What one world is made of and what happens to it: drawn from its seed, and from nothing else. Each seed leaves some
// kinds of fault out and turns others up.
#pragma once

#include "sim/servers/redis_model.hpp"
#include "sim/servers/sentinel_model.hpp"
#include "sim/world/network.hpp"
#include "sim/world/workload.hpp"

#include <holdfast/config.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim {

enum class fault_kind : std::uint8_t {
   // the master is lost
   kill,       // its process dies, and comes back later
   off,        // its host is gone without a word, and comes back later
   stop,       // SIGSTOP, and SIGCONT later
   partition,  // its site is cut off from all others
   isolate,    // from the other servers alone: clients still reach it
   planned,    // SENTINEL FAILOVER
   hand_over,  // FAILOVER: no Sentinel knows of it for half a minute
   // or disturbed
   restart,  // its process dies and is back at once
   blink,    // frozen for less than down-after
   mute,     // nothing that it sends arrives at the clients
   deaf,     // nothing that clients send arrives at it
   cut,      // every connection of clients to it breaks, with RST
   pause,    // CLIENT PAUSE
   full,     // it takes no more clients
   busy,     // a script runs for too long: BUSY
   memory,   // none is left for writes: OOM
   disk,     // it can't save: MISCONF
   rights,   // its clients may not write: NOPERM
   lonely,   // too few replicas for writes: NOREPLICAS
   // replicas
   replica_kill,
   replica_stop,
   replica_restart,
   replica_cut,  // every connection of clients to it ends
   rogue,        // REPLICAOF NO ONE, by hand
   // what a failover is about to make the master
   candidate_stop,
   candidate_partition,
   successor_kill,  // it dies once it is the master
   // Sentinels
   sentinel_kill,
   sentinel_stop,
   sentinel_partition,
   silent,       // it answers, but nobody gets its events
   moved,        // to another address, with its id
   replaced,     // by another one, elsewhere
   cloned,       // it runs twice, with one id
   passed,       // it moves, and its address goes to another deployment of the same name
   renamed,      // all of them, or some, call the servers by names from now on, or by addresses
   leader_kill,  // the one that leads the failover, at any of its steps
   leader_stop,
   clock_jump,
   rebuild,  // all of them, from nothing
   // the network, and the clients themselves
   slow,
   lossy,
   client_stop,
   client_partition,  // the clients from the master
};
inline constexpr std::size_t fault_kinds = 44;

std::string_view to_string(fault_kind);
std::string_view describe(fault_kind);
bool fault_named(std::string_view, fault_kind& into);
// Whether it is meant to bring about a failover.
bool promotes(fault_kind);

struct fault {
   fault_kind is = fault_kind::kill;
   duration at = {};  // since the world began
   duration lasts = {};
   std::uint32_t draw = 0;  // which one, of several
   bool waits = true;       // until a command is under way
};

// How the clients were told of the Sentinels.
enum class seeds : std::uint8_t {
   addresses,
   names,     // one for each, which follows it when it moves
   one_name,  // for all that there are
   balancer,  // one address, behind which each connection reaches another one
};

struct scenario {
   std::uint64_t seed = 0;
   unsigned replicas = 2;
   unsigned sentinels = 3;
   unsigned clients = 1;
   network_settings network;
   redis_settings redis;
   sentinel_settings sentinel;
   duration replication_lag = 1ms;
   std::optional<duration> attempt_timeout;
   std::optional<duration> deadline;
   bool knows_all_seeds = true;
   sim::seeds seeds = sim::seeds::addresses;
   bool has_neighbours = false;  // another deployment, of the same name
   bool is_fleet = false;        // see fleet.hpp
   // Limits of the clients that are worth reaching.
   std::optional<unsigned> max_resends;
   std::optional<double> resends_per_second;
   std::optional<unsigned> parked;
   std::optional<unsigned> in_flight;
   // How failovers are met.
   holdfast::cutover cutover = cutover::eager;
   bool warm_replicas = true;
   bool follow_role_hint = false;
   duration hold_on_selected = 250ms;
   duration reconnect_spread = {};
   workload work;
   std::vector<fault> faults;
   duration length = {};
};

// How callers reach their client.
enum class calling : std::uint8_t {
   drawn,   // as the seed says: they give their commands to the engine at once
   posted,  // all clients are of many threads, and calls and cancellations come through their mailbox
};

// `allowed`: empty means all. `without`: faults that are left out, by their place; the rest of the plan stays as it is.
scenario draw_plan(std::uint64_t seed, std::span<const fault_kind> allowed, std::span<const unsigned> without = {},
                   calling how = calling::drawn);
std::string to_string(const fault&);

}  // namespace holdfast::sim

// Whose connections a server has, and how it met them.
#pragma once

#include "lab/control.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::lab {

// The ids of the workload's connections at that server: neither the Sentinels' nor the lab's own (both have told their
// names), nor the replicas' or subscribers'.
std::vector<std::string> workload_clients(control&);

// Ends the connections of the workload; how many there were.
std::size_t kill_workload_clients(control&);

// How many commands this server has turned away before it looked at them since it was started, not counting those that
// Sentinels, replicas, the lab and a client's handshake say.
std::uint64_t refusals(control&);

}  // namespace holdfast::lab

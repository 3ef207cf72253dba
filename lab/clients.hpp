// Whose connections a server has.
#pragma once

#include "lab/control.hpp"

#include <string>
#include <vector>

namespace holdfast::lab {

// The ids of the workload's connections at that server: neither the Sentinels' nor the lab's own (both have told their
// names), nor the replicas' or subscribers'.
std::vector<std::string> workload_clients(control&);

}  // namespace holdfast::lab

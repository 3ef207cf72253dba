// The reports of `holdfast sim`: text and JSON.
#pragma once

#include "sim/world/seed_sweep.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::cli {

// A world of many clients, and what was found in it.
struct fleet_run {
   std::uint64_t seed;
   sim::run_report found;
};

std::string describe(const std::vector<sim::violation>&);

std::string as_text(const sim::sweep_result&, double seconds);
std::string as_json(const sim::sweep_result&, std::uint64_t seed, const std::vector<sim::fault_kind>& faults,
                    sim::calling how, double seconds);

std::string as_text(const fleet_run&);
std::string as_json(const std::vector<fleet_run>&, duration spread);

}  // namespace holdfast::cli

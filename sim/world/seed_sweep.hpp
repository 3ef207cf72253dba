// Many worlds, one seed after the other, on several threads; and what becomes of one that fails.
#pragma once

#include "sim/world/scenario.hpp"
#include "sim/world/world.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::sim {

struct sweep_settings {
   std::uint64_t seed = 1;
   std::uint64_t runs = 1000;
   std::vector<fault_kind> faults = {};  // empty: all
   calling how = calling::drawn;
   unsigned threads = 1;
   std::optional<duration> real_time = {};  // no world begins later
};

struct failure {
   std::uint64_t seed = 0;
   std::vector<violation> violations;
};

struct sweep_result {
   std::uint64_t worlds = 0;
   std::uint64_t failovers = 0;  // that count
   std::uint64_t promotions = 0;
   std::uint64_t stuck = 0;  // worlds whose servers never recovered
   std::uint64_t events = 0;
   checkers::figures calls;
   duration virtual_time = {};
   std::optional<failure> first;       // of the lowest seed
   std::vector<std::uint64_t> failed;  // their seeds, in no order
};

// Ends early where `enough` says so; it is called often, from any of the threads.
sweep_result run_seed_sweep(const sweep_settings&, const std::function<bool(const sweep_result&)>& enough);

// One world of many clients, which `kind` strikes once. Each waits a part of `reconnect_spread` before it goes to the
// new master.
run_report run_fleet(std::uint64_t seed, unsigned clients, fault_kind kind, duration reconnect_spread = {});

run_report run_world(std::uint64_t seed, const std::vector<fault_kind>& faults,
                     const std::vector<unsigned>& without = {}, tracer = {}, calling = calling::drawn);

// The faults that a failing world can do without: their places in its plan.
std::vector<unsigned> shrink(std::uint64_t seed, const std::vector<fault_kind>& faults, calling = calling::drawn);
// The same of anything that fails with `count` faults, and perhaps without some of them.
std::vector<unsigned> shrink(unsigned count, const std::function<bool(const std::vector<unsigned>&)>& fails_without);

// One command that runs this very world again.
std::string replay_command(std::uint64_t seed, const std::vector<fault_kind>& faults,
                           const std::vector<unsigned>& without, calling = calling::drawn);

}  // namespace holdfast::sim

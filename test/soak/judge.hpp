// Whether what a client was told agrees with what the servers recorded. Pure; times are microseconds of the wall clock.
#pragma once

#include <holdfast/error.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::soak {

// A write with a number of its own that appends this number to its client's list: by RPUSH, in a transaction or in a
// script. None of them may be repeated.
struct told {
   std::uint64_t number = 0;
   std::int64_t start = 0;
   std::int64_t end = 0;
   bool acked = false;
   holdfast::outcome outcome = outcome::unknown;  // of a failed one
   bool fenced = true;                            // of an unknown one
};

// One that a server ran for a client, not for its master.
struct ran {
   std::uint64_t number = 0;
   std::int64_t at = 0;
};

// From the fault that begins it to the promotion that ends it, with a margin at both ends: what a master acknowledges
// in this time may be lost, and what was in flight may run where it counts for nothing.
struct failover {
   std::int64_t from = 0;
   std::int64_t to = 0;
};

// Of one client: what it was told, what all servers ran for it, and what its list holds on the last master.
struct journal {
   std::string client = {};
   std::vector<told> writes = {};  // ascending numbers
   std::vector<ran> runs = {};
   std::vector<std::uint64_t> held = {};
};

struct verdict {
   std::vector<std::uint64_t> lost = {};  // acknowledged writes, by failover; no violation
   std::vector<std::string> violations = {};
};

verdict judge(const journal&, const std::vector<failover>&);

}  // namespace holdfast::soak

// What a client's callers do, as drawn for one world.
#pragma once

#include "sim/checkers/checkers.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace holdfast::sim {

struct workload {
   unsigned depth = 1;        // commands under way at a time
   duration pause_low = 1ms;  // between the end of one and the next
   duration pause_high = 20ms;
   std::array<unsigned, call_kinds> kinds{4, 2, 2, 1, 1, 1, 1, 1, 0, 0, 0};  // how often each of call_kind
   std::array<unsigned, 3> deliveries{2, 1, 1};                              // automatic, at_most_once, at_least_once
   std::optional<duration> deadline = {};                                    // unset: the client's default
   double short_deadlines = 0;                                               // how often one of 1 to 300 ms instead
   double lists = 0;           // how often a list is given instead of one command
   double cancels = 0;         // how often a command is cancelled under way
   double idles = 0;           // how often the pause is of seconds
   bool many_callers = false;  // each call, or list of calls, is an order group of its own; else all are one
   bool posts = false;         // its callers post letters to the client's thread, which reads them a moment later
   bool blocking = false;      // looks at its sockets only while a command is under way
};

}  // namespace holdfast::sim

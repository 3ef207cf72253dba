// All that one run of a drill has seen. Gathered by the run, judged by figures.hpp, shown by the reports.
#pragma once

#include "lab/await.hpp"
#include "lab/fault.hpp"
#include "lab/promotion.hpp"
#include "lab/sentinel_trouble.hpp"

#include <holdfast/config.hpp>
#include <holdfast/delivery.hpp>
#include <holdfast/endpoint.hpp>
#include <holdfast/error.hpp>
#include <holdfast/event.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::drill {

using lab::clock;

// The workload's three commands. SET may be repeated without harm, the other two may not.
enum class write_kind { set, rpush, incr };
inline constexpr std::array every_kind = {write_kind::set, write_kind::rpush, write_kind::incr};
inline constexpr std::string_view word_of(write_kind kind) {
   return kind == write_kind::set ? "SET" : kind == write_kind::rpush ? "RPUSH" : "INCR";
}

// One command as its caller saw it.
struct operation {
   write_kind kind = write_kind::set;
   std::uint64_t number = 0;  // its own; RPUSH pushes it, SET sets drill:<number> to it
   clock::time_point start = {};
   clock::time_point end = {};
   bool acked = false;
   // Of an acknowledged one, what the server replied:
   std::optional<long long> integer = {};
   std::string status = {};
   // Of a failed one:
   holdfast::outcome outcome = outcome::unknown;
   std::string code = {};   // the words of its error code
   std::string why = {};    // error::what()
   bool refused = false;    // errc::not_supported or invalid_argument: no use to go on
   bool cancelled = false;  // because the drill itself asked it to stop
};

struct told {
   clock::time_point at = {};
   any_event what = {};
};

// What the final master holds of the workload, read by the checker.
struct survivors {
   std::set<std::uint64_t> set = {};      // the n of each drill:<n> that holds n
   std::vector<std::uint64_t> list = {};  // drill:list
   long long counter = 0;                 // drill:counter
};

// A write that has a number, RPUSH or SET, seen at a node.
struct sighting {
   write_kind kind = write_kind::set;
   std::uint64_t number = 0;
   friend auto operator<=>(const sighting&, const sighting&) = default;
};

// What the client costs: connections at the first master, resident memory of this process.
struct footprint {
   std::size_t connections = 0;
   std::size_t sockets = 0;  // of this process: the lab's, and the client's also to Sentinels and elsewhere
   std::size_t resident_kib = 0;
};

struct record {
   std::string fault = {};
   unsigned run = 1;  // the how-manieth of its fault
   bool promotes = false;
   bool interrupts = false;
   lab::loss may_lose = lab::loss::nothing;
   lab::trouble trouble_of_sentinel = lab::trouble::none;
   holdfast::cutover cutover = holdfast::cutover::confirmed;
   lab::toll costs = lab::toll::connection;
   holdfast::delivery delivery = holdfast::delivery::automatic;
   lab::milliseconds deadline = {};  // of the client's commands
   bool breaker = false;             // whether the client has a circuit breaker
   bool bad_network = false;         // which slows the client down, and may end its connections at any time

   clock::time_point start = {};  // of the workload
   clock::time_point fault_at = {};
   clock::time_point in_force_at = {};  // whatever begins from then on begins under it
   clock::time_point end = {};          // of the workload

   // Where a fault brings about several failovers: of the last of them.
   std::optional<clock::time_point> promoted_at = {};
   endpoint promoted = {};
   std::optional<clock::time_point> named_at = {};  // by the first Sentinel
   bool second_failover = false;
   std::vector<lab::promotion> promotions = {};
   std::vector<lab::naming> namings = {};  // every change of every Sentinel's mind

   std::vector<operation> operations = {};
   std::vector<told> events = {};
   std::optional<survivors> held = {};  // empty: could not be read, nothing is compared
   // What the node that the client must leave, or never go to, was given by it. Empty: none was watched.
   std::optional<std::vector<sighting>> sighted = {};
   endpoint forbidden = {};
   footprint before = {};
   footprint after = {};

   std::string skipped = {};  // why the fault cannot be done here; then nothing was done, and all else is empty
   bool cut_short = false;    // by Ctrl-C or SIGTERM
   std::string trouble = {};  // what the lab could not do, and why
};

}  // namespace holdfast::drill

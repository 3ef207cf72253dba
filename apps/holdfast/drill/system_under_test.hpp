// The client under drill.
#pragma once

#include "drill/record.hpp"

#include <holdfast/event.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace holdfast::drill {

struct system_options {
   std::string client = "holdfast";
   std::string uri = {};
   holdfast::delivery delivery = holdfast::delivery::automatic;
   unsigned acks = 0;
   bool breaker = false;
   holdfast::cutover cutover = holdfast::cutover::confirmed;
   bool follow_role_hint = false;
};

// Used by the workload's thread alone.
class system_under_test {
 public:
   virtual ~system_under_test() = default;
   // Runs the write of that kind and number, and fills in what came of it.
   virtual void write(operation&, const std::stop_token&) = 0;
};

// Throws std::invalid_argument if there is no client of that name, and what the client throws when it is made.
// `observer` is called in the thread that calls `write`, or in one of the client's own.
std::unique_ptr<system_under_test> make_system(const system_options&, holdfast::observer observer);
// The names that make_system knows, for --help.
std::string known_clients();

}  // namespace holdfast::drill

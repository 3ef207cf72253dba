// What a lane can't carry: commands that would turn its connection into something else, or change how many replies
// come.
#pragma once

#include "lane/operation.hpp"

#include <holdfast/error.hpp>

#include <cstdint>
#include <optional>

namespace holdfast::impl {

// Callers of a lane: a blocking client's; many, and nothing may change its connection; or one who has it alone for a
// while, and may watch keys.
enum class lane_use : std::uint8_t { client, shared, own };

// A known command by itself that leaves the connection as it is: the lane can carry it.
inline bool is_admissible(const operation& op) {
   return !op.is_transaction() && op.entry != nullptr && op.entry->role == command_role::plain &&
          op.delivery != delivery::exactly_once;
}
// Of what is not: the error (outcome not_executed) that says why, and what to do instead; empty where the operation can
// be taken.
std::optional<error> admission_problem(const operation&, lane_use);

}  // namespace holdfast::impl

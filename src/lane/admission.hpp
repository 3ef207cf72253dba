// What a lane can't carry: commands that would turn its connection into something else, or change how many replies
// come.
#pragma once

#include "lane/operation.hpp"

#include <holdfast/error.hpp>

#include <optional>

namespace holdfast::impl {

// A known command by itself that leaves the connection as it is: the lane can carry it.
inline bool is_admissible(const operation& op) {
   return !op.is_transaction() && op.entry != nullptr && op.entry->role == command_role::plain &&
          op.delivery != delivery::exactly_once;
}
// Of what is not: the error (outcome not_executed) that says why, and what to do instead; empty where the operation can
// be taken. `shared`: the lane has many callers, so nothing may change its connection.
std::optional<error> admission_problem(const operation&, bool shared);

}  // namespace holdfast::impl

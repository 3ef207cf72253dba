// What a lane can't carry: commands that would turn its connection into something else, or change how many replies
// come.
#pragma once

#include "lane/operation.hpp"

#include <holdfast/error.hpp>

#include <optional>

namespace holdfast::lane {

// The error (outcome not_executed) that says why, and what to do instead; empty where the operation can be taken.
std::optional<error> admission_problem(const operation&);

}  // namespace holdfast::lane

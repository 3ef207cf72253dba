// What a lane can't carry: commands that would turn its connection into something else, or change how many replies
// come.
#pragma once

#include "lane/operation.hpp"

#include <holdfast/error.hpp>

#include <optional>

namespace holdfast::impl {

// The error (outcome not_executed) that says why, and what to do instead; empty where the operation can be taken.
// `shared`: the lane has many callers, so nothing may change its connection.
std::optional<error> admission_problem(const operation&, bool shared);

}  // namespace holdfast::impl

// What a failed command means to the person who typed it.
#pragma once

#include <holdfast/config.hpp>
#include <holdfast/error.hpp>

#include <string>

namespace holdfast::cli {

// One line: what is wrong, whether the command ran, and what to do about it.
std::string explain(const error&, const config&);

}  // namespace holdfast::cli

// What a failure means to the person who typed the command.
#pragma once

#include <holdfast/config.hpp>
#include <holdfast/error.hpp>

#include <string>
#include <string_view>

namespace holdfast::cli {

// One line: what is wrong, whether anything ran, and what to do about it. `servers` is where it was to run. What
// servers said is in it as they said it: print it with `complain`, which escapes it.
std::string explain(const error&, const config& servers);

// The same of a search for the master, in which no command of the user's was involved.
std::string explain_unreachable(const error&, const config& servers);

// Whether a server that answers so is there, and will be of use when it is done with something else.
bool is_busy(std::string_view answer);

// "12 ms", "1.5 s"
std::string in_words(std::chrono::nanoseconds);

}  // namespace holdfast::cli

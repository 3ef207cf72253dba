// Where the binary's words go: results to stdout, everything else to stderr.
#pragma once

#include <string_view>

namespace holdfast::cli {

// Opens what stands for a standard stream that the caller has closed, so that no connection to a server takes its place
// and gets what was meant for the user. Writing to the stand-in fails.
void stand_in_for_closed_streams();

// Whether a person reads stdout, and redis-cli's formatted output is wanted rather than the raw one.
bool stdout_is_terminal();

// Writes all of it, at once. False, with one line on stderr, if it could not be written (a full disk, ...).
bool print(std::string_view text);

// One line on stderr: "holdfast: ...". What could move the cursor or forge a line is escaped.
void complain(std::string_view text);

}  // namespace holdfast::cli

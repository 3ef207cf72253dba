// `holdfast drill`: real servers, real faults, and what became of the writes.
#pragma once

#include <CLI/CLI.hpp>

namespace holdfast::drill {

// Adds the subcommand. When it was chosen and parsed, it runs, and leaves its exit status in `status`: 0 all promises
// kept (or, with --exec, the program ended well), 1 a promise broken, or it could not be carried out, 2 usage.
void add_drill(CLI::App& app, int& status);

}  // namespace holdfast::drill

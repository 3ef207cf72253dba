// The subcommands, but for drill, which has a folder of its own. Each is added to the command line; the one that was
// chosen runs when the line has been parsed, and leaves its exit status in `status`.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace holdfast::cli {

// `words` are COMMAND and its arguments, which CLI11 is not to see.
void add_exec(CLI::App&, const std::vector<std::string>& words, int& status);
void add_resolve(CLI::App&, int& status);
void add_watch(CLI::App&, int& status);
void add_sim(CLI::App&, int& status);
void add_unbuilt(CLI::App&, int& status);  // check, switchover, proxy: to come

}  // namespace holdfast::cli

// The subcommands, but for drill, which has a folder of its own. Each is added to the command line.
#pragma once

#include "command_line.hpp"

#include <string>
#include <vector>

namespace holdfast::cli {

// `words` are COMMAND and its arguments, which are not read as options.
subcommand add_exec(command_line&, const std::vector<std::string>& words);
void add_resolve(command_line&);
void add_watch(command_line&);
void add_sim(command_line&);

}  // namespace holdfast::cli

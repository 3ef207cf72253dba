// What can be asked of a drill on the command line.
#pragma once

#include "command_line.hpp"
#include "drill/settings.hpp"

#include <memory>
#include <string>

namespace holdfast::drill {

// Its options are written to `into`.
cli::subcommand add_line(cli::command_line&, const std::shared_ptr<settings>& into);

// What each fault does and shows, each name alone at the beginning of a line.
std::string fault_help();

}  // namespace holdfast::drill

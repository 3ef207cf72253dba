// What can be asked of a drill on the command line.
#pragma once

#include "drill/settings.hpp"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace holdfast::drill {

// They are written to `into`, which lives as long as `drill`.
void add_options(CLI::App& drill, const std::shared_ptr<settings>& into);

// What each fault does and shows, each name alone at the beginning of a line.
std::string fault_help();

}  // namespace holdfast::drill

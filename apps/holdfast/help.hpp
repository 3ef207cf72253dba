// The text below the options in --help, for a terminal of 80 columns.
#pragma once

#include <string>

namespace holdfast::cli {

std::string help_of_holdfast();
std::string help_of_exec();
std::string help_of_resolve();
std::string help_of_watch();
std::string help_of_sim();

}  // namespace holdfast::cli

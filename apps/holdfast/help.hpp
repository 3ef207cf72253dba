// What --help says, and how it is laid out: for a terminal of 80 columns.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace holdfast::cli {

// CLI11's layout, but with a usage line of our own.
class help_layout : public CLI::Formatter {
 public:
   explicit help_layout(std::string usage) : usage_(std::move(usage)) { column_width(22); }
   std::string make_usage(const CLI::App*, std::string) const override { return "Usage: " + usage_ + "\n"; }

 private:
   std::string usage_;
};

// What stands below the options.
std::string help_of_holdfast();
std::string help_of_exec();
std::string help_of_resolve();
std::string help_of_watch();
std::string help_of_sim();

}  // namespace holdfast::cli

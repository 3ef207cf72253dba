// How --help is laid out.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace holdfast::cli {

// CLI11's layout, but with a usage line of our own.
class help_layout : public CLI::Formatter {
 public:
   explicit help_layout(std::string usage) : usage_(std::move(usage)) {}
   std::string make_usage(const CLI::App*, std::string) const override { return "Usage: " + usage_ + "\n"; }

 private:
   std::string usage_;
};

}  // namespace holdfast::cli

// Options that several subcommands share, and how they are read.
#pragma once

#include <holdfast/delivery.hpp>
#include <holdfast/time.hpp>

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace holdfast::cli {

void add_uri(CLI::App&, std::string& into);
void add_deadline(CLI::App&, std::optional<time_span>& into);
void add_delivery(CLI::App&, std::optional<delivery>& into);
void add_acks(CLI::App&, unsigned& into);

}  // namespace holdfast::cli

// Options that several subcommands share, and how they are read.
#pragma once

#include "command_line.hpp"

#include <holdfast/delivery.hpp>
#include <holdfast/time.hpp>

#include <optional>
#include <string>

namespace holdfast::cli {

void add_uri(subcommand&, std::string& into);
void add_deadline(subcommand&, std::optional<time_span>& into);
void add_delivery(subcommand&, std::optional<delivery>& into);
void add_acks(subcommand&, unsigned& into);

}  // namespace holdfast::cli

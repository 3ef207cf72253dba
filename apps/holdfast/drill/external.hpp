// `holdfast drill --exec`: a program of the user's own under the same faults.
#pragma once

#include "drill/run.hpp"

#include <optional>
#include <string>

namespace holdfast::drill {

struct external_run {
   std::string fault = {};
   unsigned run = 1;
   std::optional<double> promoted_ms = {};
   std::optional<double> sentinel_named_ms = {};
   std::optional<int> exit_status = {};  // its own, or 128 + the signal; empty: it still ran at the end, and was ended
   std::string output_end = {};          // the last lines of its stdout and stderr
   std::string trouble = {};
   std::string skipped = {};  // why the fault cannot be done here; then nothing was
};

// Starts the program (by /bin/sh, {uri} replaced by the deployment's address), waits until it is connected to the
// master, injects the fault, and leaves it running for settings::seconds afterwards.
external_run perform_external_run(const lab::fault&, unsigned number, const settings&,
                                  const std::stop_token& interrupted, const progress_listener&);

}  // namespace holdfast::drill

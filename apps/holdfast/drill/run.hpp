// One run: a deployment, a workload, a fault, and what is found afterwards.
#pragma once

#include "drill/record.hpp"
#include "drill/settings.hpp"
#include "lab/fault.hpp"

#include <functional>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace holdfast::drill {

// Told a few times a second, for a live display.
struct progress {
   std::string phase = {};
   double since_fault_ms = 0;  // 0 before it
   std::uint64_t acked = 0;
   std::uint64_t failed = 0;
};
using progress_listener = std::function<void(const progress&)>;

// The client does not take these settings at all (e.g. a delivery that is not built yet).
class drill_refused : public std::runtime_error {
 public:
   using std::runtime_error::runtime_error;
};

// What the fault needs, and else what the settings say.
lab::deployment_options shape_for(const lab::fault&, const settings&);

// Ends early, with record::cut_short, if `interrupted` is requested. What the fault or the client cannot do becomes
// record::trouble. A fault that cannot be done on this machine is skipped (record::skipped). Throws drill_refused, or
// what the lab throws when it cannot start.
record perform_run(const lab::fault&, unsigned number, const settings&, const std::stop_token& interrupted,
                   const progress_listener&);

}  // namespace holdfast::drill

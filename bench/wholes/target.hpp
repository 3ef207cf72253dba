// Figures that the clients are to reach, each with what was measured.
#pragma once

#include "bench/wholes/results.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::bench {

struct target {
   std::string what;
   std::string unit;
   double limit = 0;
   bool at_most = true;             // else at least
   std::optional<double> aim = {};  // better still
   std::optional<double> measured = {};

   bool is_met() const { return measured && (at_most ? *measured <= limit : *measured >= limit); }
};

// Of what the run has not measured `measured` is unset.
std::vector<target> targets_of(const results&);

}  // namespace holdfast::bench

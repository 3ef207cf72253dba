// Waiting for facts. Nothing in the lab sleeps and hopes: it looks, and looks again a moment later, until the fact is
// there or the patience is spent.
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

namespace holdfast::lab {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Milliseconds from one moment to another, with the fraction.
double ms_between(clock::time_point from, clock::time_point to);

// A fact that did not come true in time. `what()` names it.
class fact_missing : public std::runtime_error {
 public:
   using std::runtime_error::runtime_error;
};

// Looks at `fact` until it is true. False once `patience` is spent.
bool became_true(const std::function<bool()>& fact, milliseconds patience, milliseconds between = milliseconds(2));

// The same, but throws fact_missing, saying that `what` did not come true.
void await(const std::string& what, const std::function<bool()>& fact, milliseconds patience,
           milliseconds between = milliseconds(2));

}  // namespace holdfast::lab

// The tables of a run, for people.
#pragma once

#include "bench/wholes/machine.hpp"
#include "bench/wholes/results.hpp"

#include <string>

namespace holdfast::bench {

std::string text_of(const results&, const machine&);

}  // namespace holdfast::bench

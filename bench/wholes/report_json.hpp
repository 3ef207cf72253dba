// A run for programs: tools/bench_table and tools/bench_picture read it.
#pragma once

#include "bench/wholes/machine.hpp"
#include "bench/wholes/results.hpp"

#include <string>

namespace holdfast::bench {

std::string json_of(const results&, const machine&);

}  // namespace holdfast::bench

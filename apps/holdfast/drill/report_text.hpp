// The drill's results for people.
#pragma once

#include "drill/colour.hpp"
#include "drill/figures.hpp"

#include <string>
#include <vector>

namespace holdfast::drill {

// A timeline and the figures of one run, several lines.
std::string describe_run(const judged&, const colours&);
// A table with a line for each fault, what the columns mean, and whether all promises were kept.
std::string describe_all(const std::vector<judged>&, const colours&);

}  // namespace holdfast::drill

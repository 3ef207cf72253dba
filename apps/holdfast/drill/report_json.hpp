// The drill's results for machines.
#pragma once

#include "drill/figures.hpp"

#include <nlohmann/json.hpp>

#include <vector>

namespace holdfast::drill {

// {"runs": [...], "summary": {...}}. Times are milliseconds; those of a run count from its fault.
nlohmann::ordered_json as_json(const std::vector<judged>&);

}  // namespace holdfast::drill

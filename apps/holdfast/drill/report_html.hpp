// The drill's results as one page that needs nothing else: text, tables and drawings (SVG), no script.
#pragma once

#include "drill/figures.hpp"

#include <string>
#include <vector>

namespace holdfast::drill {

std::string as_html(const std::vector<judged>&);

}  // namespace holdfast::drill

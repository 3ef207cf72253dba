#include "explain.hpp"

namespace holdfast::cli {

std::string explain(const error& e, const config&) { return e.what(); }

}  // namespace holdfast::cli

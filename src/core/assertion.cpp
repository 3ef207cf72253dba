#include "core/assertion.hpp"

#include <cstdio>
#include <cstdlib>

namespace holdfast::impl {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
   std::fprintf(stderr, "holdfast: assertion failed at %s:%d: %s\n", file, line, expression);
   std::abort();
}

}  // namespace holdfast::impl

// Heap allocations of this process, of whatever thread and library, while they are counted. Where they are not, each
// costs a branch more: the counting must not slow down those who allocate much.
#pragma once

#include <cstdint>

namespace holdfast::bench {

void count_allocations(bool yes);
// malloc, calloc, realloc and operator new since the program began.
std::uint64_t allocations();

}  // namespace holdfast::bench

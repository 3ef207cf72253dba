// Heap allocations of a program that is linked with --wrap for malloc, calloc, realloc and aligned_alloc: those of its
// libraries too.
#pragma once

#include <cstddef>

extern thread_local std::size_t allocations;  // by this thread

// What the compiler must be told. Included first by each public header that others begin with, so that the first line
// of a failed compilation is one of these and not a consequence of it.
#pragma once

#if __cplusplus < 202002L
#error "Holdfast needs C++20: compile with -std=c++20 or later."
#endif

// Errors of commands are returned, not thrown. But value() and at() throw what is not there, a failed deployment
// throws, and retry() catches what its callable throws.
#if !defined(__cpp_exceptions)
#error "Holdfast needs exceptions: compile this file without -fno-exceptions."
#endif

// What valgrind writes of each system call that a program makes (--trace-syscalls=yes). One that reads a clock is left
// out: outside of valgrind it is none (the kernel lets programs read clocks by themselves).
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>

namespace holdfast::bench {

// Lines that a program has valgrind write.
inline constexpr const char* counted_from_here = "bench: counted from here";
inline constexpr const char* counted_to_here = "bench: counted to here";

class system_call_log {
 public:
   // Of a program that has just been started, or runs.
   explicit system_call_log(std::filesystem::path path) : path_(std::move(path)) {}

   // How many there are between the next two such lines, which must be there already: else std::runtime_error.
   std::size_t next();

 private:
   std::filesystem::path path_;
   std::ifstream lines_;
};

}  // namespace holdfast::bench

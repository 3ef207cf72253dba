#include "bench/wholes/system_call_log.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace holdfast::bench {
namespace {

// `SYSCALL[pid,thread](number) sys_name ( ...`; where it returns later, another line follows with `...` for the name.
bool is_system_call(std::string_view line) {
   const auto end = line.find(") ");
   if (!line.starts_with("SYSCALL[") || end == std::string_view::npos) return false;
   const std::string_view name = line.substr(end + 2);
   return !name.starts_with("...") && !name.starts_with("sys_clock_gettime") && !name.starts_with("sys_gettimeofday");
}

}  // namespace

std::size_t system_call_log::next() {
   if (!lines_.is_open()) lines_.open(path_);
   std::size_t found = 0;
   bool counts = false;
   for (std::string line; std::getline(lines_, line);) {
      if (line.find(counted_from_here) != std::string::npos) counts = true;
      if (line.find(counted_to_here) != std::string::npos && counts) return found;
      if (counts && is_system_call(line)) ++found;
   }
   throw std::runtime_error("valgrind has written nothing about system calls to " + path_.string());
}

}  // namespace holdfast::bench

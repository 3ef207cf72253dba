// Resources that this process holds just now, as the kernel counts them.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace holdfast::test {

inline std::size_t entries(const char* folder) {
   const auto all = std::filesystem::directory_iterator(folder);
   return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}
inline std::size_t open_files() { return entries("/proc/self/fd"); }
inline std::size_t threads() { return entries("/proc/self/task"); }

inline std::size_t resident_kib() {
   std::ifstream status("/proc/self/status");
   for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
   return 0;
}

}  // namespace holdfast::test

// What callgrind has counted, as it writes that into a file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace holdfast::bench {

class callgrind_file {
 public:
   // Throws std::runtime_error if it is not one.
   explicit callgrind_file(const std::filesystem::path&);

   // Of one kind of event: Ir are instructions, sysCount system calls. Throws std::runtime_error if it was not counted.
   double total(const std::string& event) const;

 private:
   std::filesystem::path path_;
   std::vector<std::string> events_;
   std::vector<double> totals_;
};

}  // namespace holdfast::bench

#include "bench/wholes/callgrind_file.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace holdfast::bench {

callgrind_file::callgrind_file(const std::filesystem::path& path) : path_(path) {
   std::ifstream lines(path);
   for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string name;
      words >> name;
      if (name == "events:") {
         events_.clear();
         for (std::string word; words >> word;) events_.push_back(word);
      } else if (name == "totals:" || name == "summary:") {
         totals_.clear();
         for (double n = 0; words >> n;) totals_.push_back(n);
      }
   }
   if (totals_.empty()) throw std::runtime_error("callgrind has written no totals to " + path.string());
}

double callgrind_file::total(const std::string& event) const {
   const auto found = std::find(events_.begin(), events_.end(), event);
   const auto i = static_cast<std::size_t>(found - events_.begin());
   if (found == events_.end()) throw std::runtime_error("callgrind has not counted " + event);
   return i < totals_.size() ? totals_[i] : 0;  // it leaves out zeros at the end
}

}  // namespace holdfast::bench

// Reading the reply to INFO: "role:master\r\nconnected_slaves:2\r\n...".
#pragma once

#include <algorithm>
#include <string_view>

namespace holdfast::impl {

// The value of `key`, up to the end of its line; empty if there is no such line.
inline std::string_view info_value(std::string_view info, std::string_view key) {
   while (!info.empty()) {
      const std::size_t end = std::min(info.find_first_of("\r\n"), info.size());
      const std::string_view line = info.substr(0, end);
      if (line.starts_with(key) && line.substr(key.size()).starts_with(':')) return line.substr(key.size() + 1);
      info.remove_prefix(std::min(end + 1, info.size()));
   }
   return {};
}

}  // namespace holdfast::impl

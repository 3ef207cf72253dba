// Readers of what nodes tell of themselves and of others.
#pragma once

#include "core/number.hpp"

#include <holdfast/endpoint.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::impl {

// INFO ("role:master\r\nconnected_slaves:2\r\n..."): the value of `key`, up to the end of its line; empty if there is
// none.
inline std::string_view info_value(std::string_view info, std::string_view key) {
   while (!info.empty()) {
      const std::size_t end = std::min(info.find_first_of("\r\n"), info.size());
      const std::string_view line = info.substr(0, end);
      if (line.starts_with(key) && line.substr(key.size()).starts_with(':')) return line.substr(key.size() + 1);
      info.remove_prefix(std::min(end + 1, info.size()));
   }
   return {};
}

// A host and a port that somebody sent, if they can be an address at all.
inline std::optional<endpoint> read_endpoint(std::string_view host, std::string_view port) {
   constexpr std::size_t longest_name = 255;
   std::uint16_t number = 0;
   if (host.empty() || host.size() > longest_name || host.front() == '/') return std::nullopt;
   const bool odd = std::any_of(host.begin(), host.end(), [](char c) { return c <= ' ' || c > '~'; });
   if (odd || !parse_number(port, number) || number == 0) return std::nullopt;
   return endpoint{std::string(host), number};
}

}  // namespace holdfast::impl

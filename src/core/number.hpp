// Reading numbers out of texts.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace holdfast {

// A decimal number, and nothing else: no spaces, and a sign only before a negative number of a signed type.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
   Number number = {};
   const char* const end = text.data() + text.size();
   const auto [stop, failed] = std::from_chars(text.data(), end, number);
   if (failed != std::errc() || stop != end) return std::nullopt;
   return number;
}

}  // namespace holdfast

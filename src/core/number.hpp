// Reading numbers out of texts.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace holdfast {

// A decimal number, and nothing else: no spaces, and a sign only before a negative number of a signed type.
template <class Number>
bool parse_number(std::string_view text, Number& into) {
   const char* const end = text.data() + text.size();
   const auto [stop, failed] = std::from_chars(text.data(), end, into);
   return failed == std::errc() && stop == end;
}
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
   Number number = {};
   if (!parse_number(text, number)) return std::nullopt;
   return number;
}

}  // namespace holdfast

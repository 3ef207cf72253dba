// Readers that URIs and command lines share.
#pragma once

#include <holdfast/delivery.hpp>
#include <holdfast/time.hpp>

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <system_error>

namespace holdfast {

// A number, which may have a fraction, and its unit: ns, us, ms, s, m or h; "0" needs none. No sign, no spaces. Empty
// for anything else, and for what a duration cannot hold. Digits below a nanosecond are dropped.
std::optional<duration> parse_duration(std::string_view text);

// The name of an enumerator; hyphens count as underscores.
std::optional<delivery> parse_delivery(std::string_view text);

// A decimal number, and nothing else: no sign, no spaces.
template <std::unsigned_integral Number>
std::optional<Number> parse_number(std::string_view text) {
   Number number = {};
   const char* const end = text.data() + text.size();
   const auto [stop, failed] = std::from_chars(text.data(), end, number);
   if (failed != std::errc() || stop != end) return std::nullopt;
   return number;
}

}  // namespace holdfast

#include "config/parse.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <string>

namespace holdfast {
namespace {

struct unit {
   std::string_view name;
   std::int64_t nanoseconds;
};
constexpr std::array<unit, 6> units = {{{"ns", 1},
                                        {"us", 1'000},
                                        {"ms", 1'000'000},
                                        {"s", 1'000'000'000},
                                        {"m", 60'000'000'000},
                                        {"h", 3'600'000'000'000}}};

constexpr std::string_view digits = "0123456789";

}  // namespace

std::optional<duration> parse_duration(std::string_view text) {
   if (text == "0") return duration::zero();
   const std::string_view whole = text.substr(0, text.find_first_not_of(digits));
   std::string_view rest = text.substr(whole.size());
   std::string_view fraction;
   if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      fraction = rest.substr(0, rest.find_first_not_of(digits));
      rest.remove_prefix(fraction.size());
      if (fraction.empty()) return std::nullopt;
   }
   const auto count = parse_number<std::uint64_t>(whole);
   if (!count) return std::nullopt;
   for (const unit& u : units) {
      if (u.name != rest) continue;
      const auto scale = static_cast<std::uint64_t>(u.nanoseconds);
      constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
      if (*count > most / scale) return std::nullopt;
      std::uint64_t total = *count * scale;
      // Digit by digit: each is worth a tenth of the one before, which stays exact for all units up to a nanosecond.
      std::uint64_t worth = scale;
      for (const char digit : fraction) {
         worth /= 10;
         total += worth * static_cast<std::uint64_t>(digit - '0');
      }
      if (total > most) return std::nullopt;
      return duration(static_cast<std::int64_t>(total));
   }
   return std::nullopt;
}

std::optional<delivery> parse_delivery(std::string_view text) {
   std::string name(text);
   for (char& c : name)
      if (c == '-') c = '_';
   for (const delivery d :
        {delivery::automatic, delivery::at_most_once, delivery::at_least_once, delivery::exactly_once})
      if (name == to_string(d)) return d;
   return std::nullopt;
}

}  // namespace holdfast

// "1 write", "2 writes": a number with its noun.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::drill {

inline std::string counted(std::uint64_t count, std::string_view noun) {
   const bool with_y = noun.ends_with('y') && count != 1;
   return fmt::format("{} {}{}", count, with_y ? noun.substr(0, noun.size() - 1) : noun,
                      count == 1 ? "" : (with_y ? "ies" : "s"));
}

}  // namespace holdfast::drill

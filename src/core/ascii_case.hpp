// Words of the protocol (names of commands, options): ASCII, and the same in upper and lower case.
#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::impl {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr bool same_word(std::string_view a, std::string_view b) {
   if (a.size() != b.size()) return false;
   for (std::size_t i = 0; i != a.size(); ++i) {
      if (lower(a[i]) != lower(b[i])) return false;
   }
   return true;
}

}  // namespace holdfast::impl

#include "sim/wire.hpp"

#include <algorithm>

namespace holdfast::sim {

namespace {

// The number in a line "<mark>123\r\n" at `at`, which is moved behind it.
std::optional<long long> take_line(std::string_view bytes, std::size_t& at, char mark, bool& malformed) {
   const std::size_t line_end = bytes.find("\r\n", at);
   if (line_end == std::string_view::npos) return std::nullopt;
   long long n = 0;
   const char* const last = bytes.data() + line_end;
   const bool good = bytes[at] == mark && std::from_chars(bytes.data() + at + 1, last, n).ptr == last && n >= 0;
   if (!good) {
      malformed = true;
      return std::nullopt;
   }
   at = line_end + 2;
   return n;
}

}  // namespace

std::size_t take_command(std::string_view bytes, words& into, bool& malformed) {
   into.clear();
   std::size_t at = 0;
   if (bytes.empty()) return 0;
   const auto count = take_line(bytes, at, '*', malformed);
   if (!count) return 0;
   for (long long i = 0; i < *count; ++i) {
      if (at >= bytes.size()) return 0;
      const auto length = take_line(bytes, at, '$', malformed);
      if (!length) return 0;
      const auto size = static_cast<std::size_t>(*length);
      if (bytes.size() < at + size + 2) return 0;
      into.push_back(bytes.substr(at, size));
      at += size + 2;
   }
   return at;
}

std::optional<long long> read_integer(std::string_view text) {
   long long n = 0;
   const char* const last = text.data() + text.size();
   if (text.empty() || (text.size() > 1 && text[0] == '0') || (text.size() > 1 && text.starts_with("-0")))
      return std::nullopt;
   const auto [end, problem] = std::from_chars(text.data(), last, n);
   if (problem != std::errc() || end != last) return std::nullopt;
   return n;
}

bool same_word(std::string_view a, std::string_view upper_case) {
   return std::equal(a.begin(), a.end(), upper_case.begin(), upper_case.end(),
                     [](char x, char y) { return (x >= 'a' && x <= 'z' ? static_cast<char>(x - 32) : x) == y; });
}

}  // namespace holdfast::sim

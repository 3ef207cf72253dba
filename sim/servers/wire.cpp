#include "sim/servers/wire.hpp"

#include <algorithm>

namespace holdfast::sim {

namespace {

// The number in a line "<mark>123\r\n" at `at`, which is moved behind it.
std::optional<long long> take_line(std::string_view bytes, std::size_t& at, char mark, bool& malformed) {
   const std::size_t line_end = bytes.find("\r\n", at);
   if (line_end == std::string_view::npos) return std::nullopt;
   long long n = 0;
   const char* const last = bytes.data() + line_end;
   const bool good =
      bytes[at] == mark && std::from_chars(bytes.data() + at + 1, last, n).ptr == last && line_end != at + 1;
   if (!good || (mark == '$' && n < 0)) {
      malformed = true;
      return std::nullopt;
   }
   at = line_end + 2;
   return n;
}

// A line of words, as a person types it.
std::size_t take_words(std::string_view bytes, words& into) {
   const std::size_t end = bytes.find('\n');
   if (end == std::string_view::npos) return 0;
   std::string_view line = bytes.substr(0, end);
   if (line.ends_with('\r')) line.remove_suffix(1);
   while (!line.empty()) {
      const std::size_t from = std::min(line.find_first_not_of(' '), line.size());
      const std::size_t to = std::min(line.find(' ', from), line.size());
      if (from != to) into.push_back(line.substr(from, to - from));
      line.remove_prefix(to);
   }
   return end + 1;
}

}  // namespace

std::string problem_of(std::string_view bytes) {
   std::size_t at = 0;
   bool malformed = false;
   const auto count = take_line(bytes, at, '*', malformed);
   for (long long i = 0; count && i < *count && at < bytes.size(); ++i) {
      if (bytes[at] != '$') return std::string("ERR Protocol error: expected '$', got '") + bytes[at] + "'";
      const auto length = take_line(bytes, at, '$', malformed);
      if (!length) return "ERR Protocol error: invalid bulk length";
      at += static_cast<std::size_t>(*length) + 2;
   }
   return "ERR Protocol error: invalid multibulk length";
}

std::size_t take_command(std::string_view bytes, words& into, bool& malformed) {
   into.clear();
   std::size_t at = 0;
   if (bytes.empty()) return 0;
   if (bytes.front() != '*') return take_words(bytes, into);
   const auto count = take_line(bytes, at, '*', malformed);
   if (!count) return 0;
   for (long long i = 0; i < *count; ++i) {
      if (at >= bytes.size()) return 0;
      if (bytes[at] != '$') {
         malformed = true;
         return 0;
      }
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

void add_write(std::string& out, std::string_view command, unsigned database) {
   if (database != 0) {
      add_array(out, 2);
      add_bulk(out, "SELECT");
      add_bulk(out, std::to_string(database));
   }
   out += command;
}

unsigned take_write(std::string_view bytes, words& into) {
   bool malformed = false;
   const std::size_t n = take_command(bytes, into, malformed);
   if (!same_word(into[0], "SELECT")) return 0;
   const auto database = static_cast<unsigned>(read_integer(into[1]).value_or(0));
   take_command(bytes.substr(n), into, malformed);
   return database;
}

}  // namespace holdfast::sim

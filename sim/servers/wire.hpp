// The Redis protocol as a server sees it: commands in, replies out.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim {

using words = std::vector<std::string_view>;

// Takes one command off the front of `bytes`; `into` points into it. How many bytes it has, 0 if it is not complete.
// What is neither an array of strings nor a line of words is `malformed`.
std::size_t take_command(std::string_view bytes, words& into, bool& malformed);

// The same of a write as servers replicate it: in a database other than the first a SELECT stands before it.
void add_write(std::string& out, std::string_view command, unsigned database);
unsigned take_write(std::string_view bytes, words& into);

// What a server says to a request that is malformed.
std::string problem_of(std::string_view bytes);

inline void add_number(std::string& out, char mark, long long n) {
   char text[24];
   const auto end = std::to_chars(text, text + sizeof text, n).ptr;
   out += mark;
   out.append(text, static_cast<std::size_t>(end - text));
   out += "\r\n";
}
inline void add_status(std::string& out, std::string_view text) {
   out += '+';
   out += text;
   out += "\r\n";
}
inline void add_error(std::string& out, std::string_view text) {
   out += '-';
   out += text;
   out += "\r\n";
}
inline void add_integer(std::string& out, long long n) { add_number(out, ':', n); }
inline void add_bulk(std::string& out, std::string_view text) {
   add_number(out, '$', static_cast<long long>(text.size()));
   out += text;
   out += "\r\n";
}
inline void add_array(std::string& out, std::size_t n) { add_number(out, '*', static_cast<long long>(n)); }

// As Redis reads integers: no sign but a minus, no leading zeros or spaces.
std::optional<long long> read_integer(std::string_view);
bool same_word(std::string_view a, std::string_view upper_case);

}  // namespace holdfast::sim

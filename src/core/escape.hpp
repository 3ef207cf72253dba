// Bytes shown in a message: between quotes, on one line, in ASCII, and cut where they are long.
#pragma once

#include <holdfast/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::impl {

inline void append_escaped(std::string& line, std::string_view bytes, std::size_t longest) {
   append_printable(line, bytes.substr(0, longest), true);
   if (bytes.size() > longest) line += "...";
}

inline void append_quoted(std::string& line, std::string_view bytes, std::size_t longest) {
   line += '"';
   append_escaped(line, bytes, longest);
   line += '"';
}

}  // namespace holdfast::impl

// Bytes shown in a message: between quotes, on one line, in ASCII, and cut where they are long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::resp {

inline void append_escaped(std::string& line, std::string_view bytes, std::size_t longest) {
   constexpr const char* digits = "0123456789abcdef";
   for (const char c : bytes.substr(0, longest)) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '\r' || c == '\n') {
         line += c == '\r' ? "\\r" : "\\n";
      } else if (byte < 0x20 || byte >= 0x7f) {
         line += "\\x";
         line += digits[byte >> 4];
         line += digits[byte & 15];
      } else {
         if (c == '"' || c == '\\') line += '\\';
         line += c;
      }
   }
   if (bytes.size() > longest) line += "...";
}

inline void append_quoted(std::string& line, std::string_view bytes, std::size_t longest) {
   line += '"';
   append_escaped(line, bytes, longest);
   line += '"';
}

}  // namespace holdfast::resp

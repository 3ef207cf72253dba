#include "drill/colour.hpp"

#include <unistd.h>

#include <cstdlib>

namespace holdfast::drill {

colours colours::for_descriptor(int fd) {
   const char* const refused = std::getenv("NO_COLOR");
   const char* const terminal = std::getenv("TERM");
   const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
   return colours(::isatty(fd) == 1 && (refused == nullptr || *refused == '\0') && !dumb);
}

std::string colours::operator()(colour c, std::string_view text) const {
   if (!on_ || c == colour::none) return std::string(text);
   const auto code = [c] {
      switch (c) {
         case colour::red: return "31";
         case colour::green: return "32";
         case colour::yellow: return "33";
         case colour::blue: return "34";
         case colour::magenta: return "35";
         case colour::cyan: return "36";
         case colour::grey: return "90";
         case colour::bold: return "1";
         case colour::none: break;
      }
      return "0";
   }();
   return std::string("\x1b[") + code + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace holdfast::drill

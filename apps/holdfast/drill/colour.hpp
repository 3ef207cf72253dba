// Colour, where the reader can see it.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::drill {

enum class colour { none, red, green, yellow, blue, magenta, cyan, grey, bold };

class colours {
 public:
   explicit colours(bool on) : on_(on) {}
   // For that file descriptor: on a terminal, unless NO_COLOR is set (https://no-color.org) or TERM is "dumb".
   static colours for_descriptor(int fd);

   std::string operator()(colour, std::string_view text) const;
   bool on() const { return on_; }

 private:
   bool on_;
};

}  // namespace holdfast::drill

// What is never to be shown, whatever a server says: configured passwords.
#pragma once

#include <holdfast/error.hpp>
#include <holdfast/event.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

class secrets {
 public:
   secrets() = default;
   explicit secrets(const std::vector<std::string>& passwords);  // empty ones don't count

   // Puts *** in place of each secret: as it is, escaped for a line of text, with its line ends made spaces (as servers
   // do), and of what was cut also a half, or less where the cut is seen ("...", or the end). A secret of less than
   // four bytes is looked for as a word.
   void hide_in(std::string& text) const;
   void hide_in(text_list&) const;
   void hide_in(error&) const;
   void hide_in(any_event&) const;

 private:
   std::vector<std::string> forms_;
};

}  // namespace holdfast

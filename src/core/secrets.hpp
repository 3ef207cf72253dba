// Secrets that are never shown, whatever a server says: passwords, configured or given by a command.
#pragma once

#include <holdfast/error.hpp>
#include <holdfast/event.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

class secrets {
 public:
   secrets() = default;
   explicit secrets(const std::vector<std::string>& passwords);  // empty ones don't count

   // One more, from an AUTH or HELLO; the last few are kept.
   void learn(std::string_view password);

   // Puts *** in place of each secret: as it is, escaped for a line of text, with its line ends made spaces (as servers
   // do), its part in front of a NUL, and of what was cut also a half, or less where the cut is seen ("...", or the
   // end). A secret of less than four bytes is looked for as a word.
   void hide_in(std::string& text) const;
   void hide_in(text_list&) const;
   void hide_in(error&) const;
   void hide_in(any_event&) const;

 private:
   static constexpr std::size_t most_learned = 8;
   void make_forms();

   std::vector<std::string> configured_;
   std::vector<std::string> learned_;
   std::vector<std::string> forms_;
};

}  // namespace holdfast

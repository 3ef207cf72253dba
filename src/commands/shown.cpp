#include "commands/shown.hpp"

#include "commands/command_table.hpp"
#include "commands/known_words.hpp"
#include "core/ascii_case.hpp"
#include "core/escape.hpp"
#include "core/number.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <ostream>
#include <system_error>
#include <vector>

namespace holdfast {
namespace {

constexpr std::size_t longest_shown = 100;
constexpr std::size_t longest_name = 32;

bool may_hold_secrets(std::string_view name) {
   constexpr std::string_view names[] = {"auth", "hello", "acl", "config", "migrate", "sentinel"};
   return std::any_of(std::begin(names), std::end(names), [&](std::string_view n) { return impl::same_word(n, name); });
}

bool is_graphic(std::string_view text) {
   const auto plain = [](unsigned char c) { return std::isgraph(c) && c < 0x7f && c != '"' && c != '\\'; };
   return !text.empty() && std::all_of(text.begin(), text.end(), plain);
}

void append_length(std::string& line, std::size_t bytes) {
   line += '<' + std::to_string(bytes) + (bytes == 1 ? " byte>" : " bytes>");
}

// A text that is no name may be a value that was given in its place.
bool is_name(std::string_view text) {
   const auto named = [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '_' || c == '-'; };
   return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), named);
}

void append_name(std::string& line, std::string_view name) {
   is_name(name) ? void(line += name) : append_length(line, name.size());
}

void append_key(std::string& line, std::string_view key) {
   if (key.size() <= longest_shown && is_graphic(key)) return void(line += key);
   impl::append_quoted(line, key, longest_shown);
}

// Index of the argument that says how many keys follow; zero: there is none.
std::size_t place_of_key_count(std::string_view name) {
   constexpr std::string_view second[] = {"zunion", "zinter", "zdiff", "zintercard", "sintercard", "lmpop", "zmpop"};
   constexpr std::string_view third[] = {"eval",   "eval_ro", "evalsha",     "evalsha_ro",  "fcall",     "fcall_ro",
                                         "blmpop", "bzmpop",  "zunionstore", "zinterstore", "zdiffstore"};
   if (std::find(std::begin(second), std::end(second), name) != std::end(second)) return 1;
   return std::find(std::begin(third), std::end(third), name) != std::end(third) ? 2 : 0;
}

// Which of a command's arguments are no values, by their places.
class places {
 public:
   explicit places(const command& c) : entry_(impl::find_command(c)), size_(c.size()) {
      if (entry_ == nullptr) return;
      if (const std::size_t at = place_of_key_count(entry_->name); at != 0 && at < size_) {
         counted(at, c.argument(at));
      } else if (entry_->name == "xread" || entry_->name == "xreadgroup") {
         streams(c, entry_->name == "xread" ? 1 : 4);
      }
   }
   bool is_name(std::size_t i) const {
      return i == 0 || (i == 1 && entry_ != nullptr && entry_->name.find('|') != std::string_view::npos);
   }
   bool is_key(std::size_t i) const { return entry_ != nullptr && (holds(entry_->keys, i) || holds(more_, i)); }

 private:
   void counted(std::size_t at, std::string_view number) {
      const auto n = parse_number<std::size_t>(number);
      if (n && *n < size_ - at) more_ = {static_cast<int>(at + 1), static_cast<int>(at + *n), 1};
   }
   // STREAMS key ... id ...
   void streams(const command& c, std::size_t from) {
      constexpr std::size_t most_options = 12;
      std::size_t i = 0;
      for (const std::string_view argument : c.arguments()) {
         const auto at = i++;
         if (at > most_options) return;
         if (at < from || !impl::same_word("streams", argument)) continue;
         if ((size_ - i) % 2 == 0) more_ = {static_cast<int>(i), static_cast<int>((size_ + i) / 2 - 1), 1};
         return;
      }
   }

   bool holds(const impl::key_positions& keys, std::size_t i) const {
      const auto at = static_cast<std::ptrdiff_t>(i);
      const std::ptrdiff_t last = keys.last < 0 ? static_cast<std::ptrdiff_t>(size_) + keys.last : keys.last;
      return keys.first > 0 && at >= keys.first && at <= last && (at - keys.first) % std::max(keys.step, 1) == 0;
   }

   const impl::command_entry* entry_;
   std::size_t size_;
   impl::key_positions more_ = {};  // those that the command counts itself
};

}  // namespace

std::string to_string(const command& c) {
   const places which(c);
   std::string line;
   std::size_t i = 0;
   for (const std::string_view argument : c.arguments()) {
      if (i != 0) {
         line += ' ';
         if (line.size() > longest_shown || may_hold_secrets(c.name())) return line += "...";
      }
      if (which.is_name(i)) {
         append_name(line, argument);
      } else if (which.is_key(i)) {
         append_key(line, argument);
      } else {
         append_length(line, argument.size());
      }
      ++i;
   }
   return line;
}

std::ostream& operator<<(std::ostream& out, const command& c) { return out << to_string(c); }

namespace impl {
namespace {

constexpr std::string_view cut_mark = "...";

std::string without_middle(std::string_view text, std::size_t front, std::size_t back) {
   if (text.size() <= front + back + cut_mark.size()) return std::string(text);
   std::string kept(text.substr(0, front));
   kept += cut_mark;
   return kept += text.substr(text.size() - back);
}

// The letters of a text that may repeat an argument: all but those in which the server is known to speak.
class doubtful {
 public:
   explicit doubtful(std::string_view text) : open_(text.size(), true) {
      constexpr std::string_view code = "ERR ";
      const bool plain = text.starts_with(code);
      const std::size_t begin = plain ? code.size() : 0;
      if (plain) own(0, begin);
      const auto protect = [&](std::string_view pattern) {
         if (!matches_words(text.substr(begin), pattern)) return;
         for (std::size_t at = begin;;) {
            const auto star = pattern.find('*');
            const std::string_view part = pattern.substr(0, star);
            at = text.find(part, at);
            own(at, part.size());
            at += part.size();
            if (star == std::string_view::npos) return;
            pattern.remove_prefix(star + 1);
         }
      };
      if (plain)
         std::for_each(std::begin(known_words::plain), std::end(known_words::plain), protect);
      else
         std::for_each(std::begin(known_words::coded), std::end(known_words::coded), protect);
   }
   // Known words up to the first letter that may be another's; or else its first word.
   std::string front_of(std::string_view text) const {
      const auto first = static_cast<std::size_t>(std::find(open_.begin(), open_.end(), true) - open_.begin());
      const auto n = std::max(first, std::min(text.find(' '), text.size()));
      return std::string(text.substr(0, n)) + (n < text.size() ? " ..." : "");
   }
   bool all(std::size_t from, std::size_t n) const {
      const auto first = open_.begin() + static_cast<std::ptrdiff_t>(from);
      return std::all_of(first, first + static_cast<std::ptrdiff_t>(n), [](bool open) { return open; });
   }

 private:
   void own(std::size_t from, std::size_t n) {
      std::fill_n(open_.begin() + static_cast<std::ptrdiff_t>(from), n, false);
   }
   std::vector<bool> open_;
};

struct stretch {
   std::size_t from = 0;
   std::size_t n = 0;
   std::size_t bytes = 0;  // of the argument that it repeats
};

bool is_quote(char c) { return c == '\'' || c == '"' || c == '`'; }

// Stretches of `text` that repeat an argument: whole, or of a long one its front or its back.
class search {
 public:
   search(std::string_view text, std::vector<stretch>& found) : text_(text), own_(text), found_(found) {}

   void look_for(std::string_view argument) {
      constexpr std::size_t short_word = 8;
      constexpr std::size_t piece = 16;
      if (argument.empty()) return;
      if (argument.size() <= piece) {
         const bool quoted_only = argument.size() < 4;
         for (auto at = text_.find(argument); at != std::string_view::npos; at = text_.find(argument, at + 1)) {
            if (quoted_only ? !in_quotes(at, argument.size())
                            : argument.size() < short_word && in_a_word(at, argument.size()))
               continue;
            add(at, argument.size(), argument.size());
         }
         return;
      }
      const std::string_view front = argument.substr(0, piece);
      for (auto at = text_.find(front); at != std::string_view::npos; at = text_.find(front, at + 1)) {
         std::size_t n = piece;
         while (n < argument.size() && at + n < text_.size() && text_[at + n] == argument[n]) ++n;
         if (text_.substr(at + n).starts_with(cut_mark)) n = text_.size() - at;  // what follows may be its middle
         add(at, n, argument.size());
      }
      const std::string_view back = argument.substr(argument.size() - piece);
      for (auto at = text_.find(back); at != std::string_view::npos; at = text_.find(back, at + 1)) {
         std::size_t n = piece;
         while (n < argument.size() && at != 0 && text_[at - 1] == argument[argument.size() - n - 1]) --at, ++n;
         add(at, n, argument.size());
         at += n - 1;
      }
   }

 private:
   void add(std::size_t at, std::size_t n, std::size_t bytes) {
      if (own_.all(at, n)) found_.push_back({at, n, bytes});
   }
   bool in_quotes(std::size_t at, std::size_t n) const {
      return at != 0 && is_quote(text_[at - 1]) && at + n < text_.size() && is_quote(text_[at + n]);
   }
   bool in_a_word(std::size_t at, std::size_t n) const {
      const auto letter = [&](std::size_t i) { return std::isalnum(static_cast<unsigned char>(text_[i])) != 0; };
      return (at != 0 && letter(at - 1)) || (at + n < text_.size() && letter(at + n));
   }

   std::string_view text_;
   doubtful own_;
   std::vector<stretch>& found_;
};

}  // namespace

std::string_view name_of(const command& c) {
   return c.size() != 0 && is_name(c.name()) ? c.name() : std::string_view();
}

std::string kept_words(std::string_view server_text) { return without_middle(server_text, 120, 77); }

std::string received_words(std::string_view server_text) { return without_middle(server_text, 600, 200); }

std::string without_values(std::string_view server_text, const command& c) {
   constexpr std::string_view repeats_all = "with args beginning with:";
   constexpr std::size_t most_arguments = 1000;
   std::string text = received_words(server_text);
   if (c.size() > most_arguments) return kept_words(doubtful(text).front_of(text));
   if (const auto at = text.find(repeats_all); at != std::string::npos) {
      text.resize(at + repeats_all.size());
      text += " ...";
   }
   std::vector<stretch> found;
   {
      const places which(c);
      search in(text, found);
      std::size_t i = 0;
      std::string spaced;
      for (const std::string_view argument : c.arguments()) {
         if (const auto at = i++; which.is_name(at) || which.is_key(at)) continue;
         in.look_for(argument);
         if (const auto nul = argument.find('\0'); nul != std::string_view::npos) in.look_for(argument.substr(0, nul));
         if (argument.find_first_of("\r\n") == std::string_view::npos) continue;
         spaced = argument.substr(0, text.size() + 1);  // as a server writes it
         std::replace_if(spaced.begin(), spaced.end(), [](char b) { return b == '\r' || b == '\n'; }, ' ');
         in.look_for(spaced);
      }
   }
   std::sort(found.begin(), found.end(), [](const stretch& a, const stretch& b) { return a.from < b.from; });
   std::string shown;
   std::size_t at = 0;
   for (const stretch& s : found) {
      if (s.from >= at) {
         shown += std::string_view(text).substr(at, s.from - at);
         append_length(shown, s.bytes);
      }
      at = std::max(at, s.from + s.n);
   }
   return kept_words(shown += std::string_view(text).substr(std::min(at, text.size())));
}

}  // namespace impl
}  // namespace holdfast

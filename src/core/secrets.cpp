#include "core/secrets.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <iterator>
#include <variant>

namespace holdfast {
namespace {

constexpr std::string_view cut_mark = "...";
constexpr std::string_view shown_instead = "***";
constexpr std::size_t word = 4;  // shorter ones are part of too many words
constexpr std::size_t least_shown = 2;
constexpr std::size_t front = 8;  // so much of a long one is hidden, whatever follows: servers cut what they repeat

bool is_word_byte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

std::size_t same_front(std::string_view a, std::string_view b) {
   const auto n = std::min(a.size(), b.size());
   return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(n), b.begin()).first - a.begin());
}

// How many bytes from `at` on are to be hidden.
std::size_t hidden_at(std::string_view text, std::size_t at, std::string_view secret) {
   const std::string_view rest = text.substr(at);
   const std::size_t same = same_front(rest, secret);
   const std::string_view behind = rest.substr(same);
   if (same == secret.size()) {
      const bool part_of_a_word =
         (at != 0 && is_word_byte(text[at - 1])) || (!behind.empty() && is_word_byte(behind[0]));
      return secret.size() < word && part_of_a_word ? 0 : same;
   }
   const bool cut = behind.empty() || behind.starts_with(cut_mark);
   if (same >= std::max(word, std::min((secret.size() + 1) / 2, front)) || (cut && same >= least_shown)) return same;
   // The end of one whose beginning was cut off.
   if (at < cut_mark.size() || text.substr(at - cut_mark.size(), cut_mark.size()) != cut_mark) return 0;
   for (std::size_t n = std::min(secret.size() - 1, rest.size()); n >= least_shown; --n) {
      if (rest.substr(0, n) == secret.substr(secret.size() - n)) return n;
   }
   return 0;
}

}  // namespace

secrets::secrets(const std::vector<std::string>& passwords) : configured_(passwords) { make_forms(); }

void secrets::learn(std::string_view password) {
   const auto is_it = [&](const std::string& known) { return known == password; };
   if (password.empty() || std::any_of(configured_.begin(), configured_.end(), is_it)) return;
   const auto found = std::find_if(learned_.begin(), learned_.end(), is_it);
   if (found != learned_.end()) return void(std::rotate(found, std::next(found), learned_.end()));
   if (learned_.size() == most_learned) learned_.erase(learned_.begin());
   learned_.emplace_back(password);
   make_forms();
}

void secrets::make_forms() {
   forms_.clear();
   const auto add = [&](std::string form) {
      if (std::find(forms_.begin(), forms_.end(), form) == forms_.end()) forms_.push_back(std::move(form));
   };
   const auto add_all = [&](const std::string& password) {
      if (password.empty()) return;
      add(password);
      if (const auto nul = password.find('\0'); nul != std::string::npos && nul != 0) {
         add(password.substr(0, nul));  // a server may take the NUL for its end
      }
      for (const bool quoted : {true, false}) {
         std::string escaped;
         impl::append_printable(escaped, password, quoted);
         add(std::move(escaped));
      }
      std::string one_line = password;
      std::replace_if(one_line.begin(), one_line.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
      add(std::move(one_line));
   };
   for (const std::string& password : configured_) add_all(password);
   for (const std::string& password : learned_) add_all(password);
}

void secrets::hide_in(std::string& text) const {
   if (forms_.empty()) return;
   std::string out;
   for (std::size_t at = 0; at < text.size();) {
      std::size_t n = 0;
      for (const std::string& secret : forms_) n = std::max(n, hidden_at(text, at, secret));
      if (n == 0) {
         out += text[at++];
      } else {
         out += shown_instead;
         at += n;
      }
   }
   text = std::move(out);
}

void secrets::hide_in(text_list& list) const {
   if (forms_.empty()) return;
   text_list hidden;
   bool any = false;
   for (const std::string& line : list) {
      std::string shown = line;
      hide_in(shown);
      any = any || shown != line;
      hidden.push_back(std::move(shown));
   }
   if (any) list = std::move(hidden);  // else it stays shared
}

void secrets::hide_in(error& e) const {
   if (forms_.empty()) return;
   hide_in(e.server_text);
   hide_in(e.causes);
}

void secrets::hide_in(any_event& told) const {
   if (forms_.empty()) return;
   std::visit(
      [&](auto& e) {
         if constexpr (requires { e.why; }) hide_in(e.why);
         if constexpr (requires { e.channel; }) hide_in(e.channel);
         if constexpr (requires { e.payload; }) hide_in(e.payload);
         if constexpr (requires { e.role; }) hide_in(e.role);
         if constexpr (requires { e.command; }) hide_in(e.command);
      },
      told);
}

}  // namespace holdfast

#include "runtime/shared/lookup.hpp"

#include "config/parse.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace holdfast::impl {
namespace {

constexpr std::string_view blanks = " \t\r\n\f\v";

// The words of a line, up to a comment.
std::vector<std::string_view> words_of(std::string_view line) {
   std::vector<std::string_view> words;
   for (;;) {
      line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
      if (line.empty() || line.front() == '#' || line.front() == ';') return words;
      words.push_back(line.substr(0, line.find_first_of(blanks)));
      line.remove_prefix(words.back().size());
   }
}

void read_domains(const std::vector<std::string_view>& words, std::size_t first, search_rules& into) {
   into.domains.clear();  // the last line counts
   for (std::size_t i = first; i < words.size(); ++i) {
      const std::string_view whole = words[i].substr(0, words[i].find_last_not_of('.') + 1);
      into.domains.emplace_back(whole.substr(std::min(whole.find_first_not_of('.'), whole.size())));
   }
}

void read_options(const std::vector<std::string_view>& words, std::size_t first, search_rules& into) {
   constexpr std::string_view ndots = "ndots:";
   constexpr unsigned most = 15;  // as in glibc
   for (std::size_t i = first; i < words.size(); ++i) {
      if (!words[i].starts_with(ndots)) continue;
      if (const auto n = parse_number<unsigned>(words[i].substr(ndots.size()))) into.ndots = std::min(*n, most);
   }
}

std::string_view environment(const char* name) {
   const char* const value = std::getenv(name);
   return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

search_rules read_search_rules(const search_sources& from) {
   search_rules rules;
   if (const auto dot = from.own_name.find('.'); dot != std::string_view::npos)
      read_domains({from.own_name.substr(dot + 1)}, 0, rules);
   for (std::string_view rest = from.resolv_conf; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      const auto words = words_of(line);
      if (words.size() < 2) continue;
      if (words[0] == "search" || words[0] == "domain") read_domains(words, 1, rules);
      if (words[0] == "options") read_options(words, 1, rules);
   }
   if (const auto words = words_of(from.local_domain); !words.empty()) read_domains(words, 0, rules);
   read_options(words_of(from.res_options), 0, rules);
   return rules;
}

search_rules system_search_rules(const std::string& resolv_conf) {
   std::ifstream file(resolv_conf);
   const std::string content{std::istreambuf_iterator<char>(file), {}};
   std::array<char, 256> own = {};
   if (::gethostname(own.data(), own.size() - 1) != 0) own[0] = '\0';
   return read_search_rules({.resolv_conf = content,
                             .local_domain = environment("LOCALDOMAIN"),
                             .res_options = environment("RES_OPTIONS"),
                             .own_name = own.data()});
}

std::vector<std::string> candidates(std::string_view name, const search_rules& rules) {
   if (name.ends_with('.')) return {std::string(name)};
   const std::string whole = std::string(name) + '.';
   const auto dots = static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
   std::vector<std::string> names;
   const auto add = [&](std::string candidate) {
      if (std::find(names.begin(), names.end(), candidate) == names.end()) names.push_back(std::move(candidate));
   };
   if (dots >= rules.ndots) add(whole);
   for (const std::string& domain : rules.domains) add(domain.empty() ? whole : whole + domain + '.');
   add(whole);
   return names;
}

lookup_step step_after(family_answer v4, family_answer v6, bool patient) {
   using enum family_answer;
   const bool waits = v4 == pending || v6 == pending;
   if (waits && patient) return lookup_step::wait;
   if (v4 == addresses || v6 == addresses) return lookup_step::found;
   // NXDOMAIN is said of a name, not of a family of it (RFC 8020); but some name servers say it of IPv6 where they mean
   // that there is no such address (RFC 4074), so only IPv4's speaks for both.
   if (v4 == no_such_name) return lookup_step::next_name;
   if (v4 == pending) return lookup_step::wait;
   const bool none = v4 == no_data && (v6 == no_such_name || v6 == no_data);
   return none ? lookup_step::next_name : lookup_step::fail;
}

}  // namespace holdfast::impl

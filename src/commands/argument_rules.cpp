#include "commands/argument_rules.hpp"

#include "core/ascii_case.hpp"
#include "core/number.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace holdfast::impl::argument_rules {
namespace {

using enum repeat_class;

repeat_class worse(repeat_class a, repeat_class b) { return std::max(a, b); }

std::optional<std::int64_t> number(std::string_view text) { return parse_number<std::int64_t>(text); }

// The arguments, one after the other; empty views when there are no more.
class cursor {
 public:
   cursor(const command& c, unsigned skip) : at_(c.arguments().begin()), end_(c.arguments().end()) {
      for (; skip != 0; --skip) next();
   }
   bool more() const { return at_ != end_; }
   std::string_view next() { return more() ? *at_++ : std::string_view{}; }
   void skip(unsigned n) {
      while (n-- != 0) next();
   }

 private:
   command::argument_iterator at_;
   command::argument_iterator end_;
};

// Whether `key` is one of the arguments from the n-th on.
bool is_among(const command& c, unsigned from, std::string_view key) {
   cursor rest{c, from};
   while (rest.more()) {
      if (rest.next() == key) return true;
   }
   return false;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
   return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return same_word(w, word); });
}

// Options with as many arguments each, and the class of a command that has one.
struct known_options {
   std::initializer_list<std::string_view> words;
   int arguments;
   repeat_class found;
};
constexpr int fields = -1;  // the first argument says how many follow
constexpr int pairs = -2;   // how many times two

// The worst class of the options from `at` on, in any order; one that is not known makes it not repeatable.
repeat_class worst_of(const command& c, unsigned at, repeat_class found, std::initializer_list<known_options> known) {
   for (cursor options{c, at}; options.more();) {
      const std::string_view option = options.next();
      const auto k =
         std::find_if(known.begin(), known.end(), [&](const auto& o) { return is_one_of(option, o.words); });
      if (k == known.end()) return not_repeatable;
      std::int64_t skipped = k->arguments;
      if (skipped < 0) {
         const auto n = number(options.next());
         if (!n || *n < 0) return not_repeatable;
         skipped = -skipped * std::min<std::int64_t>(*n, static_cast<std::int64_t>(c.size()));
      }
      options.skip(static_cast<unsigned>(skipped));
      found = worse(found, k->found);
   }
   return found;
}

}  // namespace

// ---- strings -------------------------------------------------------------------------------------------------------

repeat_class set(const command& c) {
   return worst_of(c, 3, same,
                   {{{"NX", "XX"}, 0, same_state},
                    {{"GET"}, 0, result_lost},
                    {{"IFEQ", "IFNE", "IFDEQ", "IFDNE"}, 1, same_state},
                    {{"EX", "PX", "EXAT", "PXAT"}, 1, same},
                    {{"KEEPTTL"}, 0, same}});
}

// Without an option it only reads; a new expiry may be one in the past.
repeat_class getex(const command& c) { return c.size() <= 2 ? same : result_lost; }

// MSETEX numkeys key value ... [NX | XX] [expiry]
repeat_class msetex(const command& c) {
   const auto keys = c.size() < 2 ? std::nullopt : number(c.argument(1));
   if (!keys || *keys < 1 || 2 * static_cast<std::uint64_t>(*keys) > c.size()) return not_repeatable;
   return worst_of(c, static_cast<unsigned>(2 + 2 * *keys), same,
                   {{{"NX", "XX"}, 0, same_state}, {{"EX", "PX", "EXAT", "PXAT"}, 1, same}, {{"KEEPTTL"}, 0, same}});
}

// A path that may fit several places may fit others the next time.
repeat_class json_set(const command& c) {
   if (c.size() > 2 && (c.argument(2).find("..") != std::string_view::npos ||
                        c.argument(2).find_first_of("*?") != std::string_view::npos))
      return not_repeatable;
   for (cursor options{c, 4}; options.more();) {
      if (is_one_of(options.next(), {"NX", "XX"})) return same_state;
   }
   return same;
}

// ---- bits ----------------------------------------------------------------------------------------------------------

// Its INCRBY is not repeatable.
repeat_class bitfield(const command& c) {
   return worst_of(c, 2, readonly, {{{"GET"}, 2, readonly}, {{"SET"}, 3, same_state}, {{"OVERFLOW"}, 1, readonly}});
}

// BITOP operation destination key ...: AND and OR with the destination among the sources come to the same again.
repeat_class bitop(const command& c) {
   if (c.size() < 4) return not_repeatable;
   if (is_one_of(c.argument(1), {"AND", "OR"})) return same;
   return is_among(c, 3, c.argument(2)) ? not_repeatable : same;
}

// ---- lists ---------------------------------------------------------------------------------------------------------

repeat_class lrem(const command& c) {
   return c.size() == 4 && number(c.argument(2)) == 0 ? same_state : not_repeatable;
}

repeat_class ltrim(const command& c) {
   if (c.size() != 4) return not_repeatable;
   const auto start = number(c.argument(2));
   const auto stop = number(c.argument(3));
   if (!start || !stop) return not_repeatable;
   const bool keeps_the_front = start == 0 && stop >= 0;
   const bool keeps_the_back = start <= 0 && stop == -1;
   return keeps_the_front || keeps_the_back ? same : not_repeatable;
}

// ---- sets and sorted sets ------------------------------------------------------------------------------------------

repeat_class zadd(const command& c) {
   for (cursor options{c, 2}; options.more();) {
      const std::string_view option = options.next();
      if (same_word(option, "INCR")) return not_repeatable;
      if (!is_one_of(option, {"NX", "XX", "GT", "LT", "CH"})) break;  // the first score
   }
   return same_state;
}

// ZUNIONSTORE destination numkeys key ... [options]
repeat_class numbered_sources_store(const command& c) {
   const auto keys = c.size() < 4 ? std::nullopt : number(c.argument(2));
   if (!keys || *keys < 1) return not_repeatable;
   const std::string_view destination = c.argument(1);
   cursor sources{c, 3};
   for (auto left = *keys; left != 0 && sources.more(); --left) {
      if (sources.next() == destination) return not_repeatable;
   }
   return same;
}

// a = b - a: done twice, it is another set. (a = a - b is not.)
repeat_class sdiffstore(const command& c) {
   return c.size() >= 2 && is_among(c, 3, c.argument(1)) ? not_repeatable : same;
}

// ZRANGESTORE, GEOSEARCHSTORE: destination source ...
repeat_class ranged_store(const command& c) {
   return c.size() >= 3 && c.argument(1) != c.argument(2) ? same : not_repeatable;
}

// GEORADIUS key ... [STORE key | STOREDIST key]
repeat_class georadius(const command& c) {
   if (c.size() < 2) return not_repeatable;
   const std::string_view source = c.argument(1);
   const bool by_member = c.name().size() > std::string_view{"georadius"}.size();
   repeat_class found = readonly;
   for (cursor options{c, by_member ? 5u : 6u}; options.more();) {
      if (!is_one_of(options.next(), {"STORE", "STOREDIST"})) continue;
      found = worse(found, options.next() == source ? not_repeatable : same);
   }
   return found;
}

namespace {

// Whether a pattern of BY or GET can name `key`: its first star stands for any element, and behind "->" comes a field.
bool may_read(std::string_view pattern, std::string_view key) {
   const auto star = pattern.find('*');
   if (star == std::string_view::npos) return false;  // no key: "#", "nosort"
   const std::string_view front = pattern.substr(0, star);
   const std::string_view back = pattern.substr(star + 1);
   const auto matches = [&](std::string_view end) {
      return key.size() >= front.size() + end.size() && key.starts_with(front) && key.ends_with(end);
   };
   return matches(back) || matches(back.substr(0, back.find("->")));
}

}  // namespace

// SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination], in any order.
repeat_class sort(const command& c) {
   if (c.size() < 2) return not_repeatable;
   const auto each = [&](auto&& pattern, auto&& destination) {
      for (cursor options{c, 2}; options.more();) {
         const std::string_view option = options.next();
         if (is_one_of(option, {"BY", "GET"})) {
            pattern(options.next());
         } else if (same_word(option, "LIMIT")) {
            options.skip(2);
         } else if (same_word(option, "STORE")) {
            destination(options.next());
         }
      }
   };
   std::optional<std::string_view> stored;  // the last one counts
   each([](std::string_view) {}, [&](std::string_view key) { stored = key; });
   if (!stored) return readonly;
   bool reads_it = *stored == c.argument(1);
   each([&](std::string_view pattern) { reads_it = reads_it || may_read(pattern, *stored); }, [](std::string_view) {});
   return reads_it ? not_repeatable : same;
}

// HGETEX key [expiry | PERSIST] FIELDS n field ..., in any order.
repeat_class hgetex(const command& c) {
   return worst_of(
      c, 2, same,
      {{{"FIELDS"}, fields, same}, {{"EX", "PX", "EXAT", "PXAT"}, 1, result_lost}, {{"PERSIST"}, 0, result_lost}});
}

// HSETEX key [FNX | FXX] [expiry | KEEPTTL] FIELDS n field value ..., in any order.
repeat_class hsetex(const command& c) {
   constexpr std::size_t fewest = 6;  // with one field
   if (c.size() < fewest) return not_repeatable;
   return worst_of(c, 2, same,
                   {{{"FIELDS"}, pairs, same},
                    {{"EX", "PX", "EXAT", "PXAT"}, 1, same},
                    {{"FNX", "FXX", "NX", "XX"}, 0, same_state},
                    {{"KEEPTTL"}, 0, same}});
}

// ---- streams -------------------------------------------------------------------------------------------------------

// XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMP producer id | IDMPAUTO producer]
//      [MAXLEN | MINID [= | ~] threshold [LIMIT count]] id field value ...
repeat_class xadd(const command& c) {
   for (cursor at{c, 2}; at.more();) {
      const std::string_view word = at.next();
      if (is_one_of(word, {"IDMP", "IDMPAUTO"})) return same;
      if (is_one_of(word, {"MAXLEN", "MINID"})) {
         const std::string_view threshold = at.next();
         if (threshold == "=" || threshold == "~") at.next();
      } else if (same_word(word, "LIMIT")) {
         at.next();
      } else if (!is_one_of(word, {"NOMKSTREAM", "KEEPREF", "DELREF", "ACKED"})) {
         return word.ends_with('*') ? not_repeatable : same_state;  // the id: "*", or "<ms>-*"
      }
   }
   return not_repeatable;
}

// With ~ and LIMIT it removes a part at a time: a second run removes more.
repeat_class xtrim(const command& c) {
   bool about = false;
   bool limited = false;
   for (cursor options{c, 2}; options.more();) {
      const std::string_view option = options.next();
      about = about || option == "~";
      limited = limited || same_word(option, "LIMIT");
   }
   return about && limited ? not_repeatable : same_state;
}

// XREAD ... STREAMS key ... id ...: "$" and "+" are other entries the next time.
repeat_class xread(const command& c) {
   cursor at{c, 1};
   while (at.more() && !same_word(at.next(), "STREAMS")) {
   }
   while (at.more()) {
      if (is_one_of(at.next(), {"$", "+"})) return result_lost;
   }
   return readonly;
}

// XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [CLAIM ms] [NOACK] STREAMS key ... id ...: ">" hands out new
// entries once; any other id reads again what this consumer was given, and counts that as one more delivery.
repeat_class xreadgroup(const command& c) {
   cursor at{c, 4};
   while (at.more()) {
      const std::string_view option = at.next();
      if (same_word(option, "STREAMS")) break;
      if (same_word(option, "CLAIM")) return result_lost;
      if (!same_word(option, "NOACK")) at.next();
   }
   while (at.more()) {
      if (at.next() == ">") return result_lost;
   }
   return not_repeatable;
}

// ---- scripts, administration ---------------------------------------------------------------------------------------

// "#!lua flags=no-writes,allow-stale" as the first line declares a script that can't write.
repeat_class eval(const command& c) {
   if (c.size() < 2) return not_repeatable;
   std::string_view line = c.argument(1);
   line = line.substr(0, line.find('\n'));
   if (!line.starts_with("#!lua")) return not_repeatable;
   constexpr std::string_view option = " flags=";
   const auto found = line.find(option);
   if (found == std::string_view::npos) return not_repeatable;
   line.remove_prefix(found + option.size());
   line = line.substr(0, line.find_first_of(" \r"));
   while (!line.empty()) {
      const auto comma = line.find(',');
      if (line.substr(0, comma) == "no-writes") return readonly;
      line = comma == std::string_view::npos ? std::string_view{} : line.substr(comma + 1);
   }
   return not_repeatable;
}

// Without REPLACE the second one is refused: "Library ... already exists".
repeat_class function_load(const command& c) {
   return c.size() > 2 && same_word(c.argument(2), "REPLACE") ? same : same_state;
}

repeat_class acl_log(const command& c) { return c.size() > 2 && same_word(c.argument(2), "RESET") ? never : readonly; }

// ---- how long the server may wait ----------------------------------------------------------------------------------

namespace {

constexpr double longest_seconds = 1e9;  // beyond some thirty years it is for ever

std::optional<duration> seconds(std::string_view text) {
   const auto s = parse_number<double>(text);
   if (!s || !(*s >= 0)) return {};  // the server will refuse it
   if (*s > longest_seconds) return duration::zero();
   return duration{static_cast<duration::rep>(std::ceil(*s * 1e9))};
}

std::optional<duration> milliseconds(std::string_view text) {
   const auto ms = number(text);
   if (!ms || *ms < 0) return {};
   if (*ms > static_cast<std::int64_t>(longest_seconds * 1e3)) return duration::zero();
   return std::chrono::milliseconds{*ms};
}

}  // namespace

std::optional<duration> last_is_seconds(const command& c) { return seconds(c.argument(c.size() - 1)); }

std::optional<duration> first_is_seconds(const command& c) {
   if (c.size() < 2) return {};
   return seconds(c.argument(1));
}

std::optional<duration> block_option(const command& c) {
   const bool grouped = c.name().size() > std::string_view{"xread"}.size();
   std::optional<duration> found;
   for (cursor options{c, grouped ? 4u : 1u}; options.more();) {
      const std::string_view option = options.next();
      if (same_word(option, "STREAMS")) break;
      if (same_word(option, "NOACK")) continue;
      const std::string_view argument = options.next();
      if (same_word(option, "BLOCK")) found = milliseconds(argument);
   }
   // An id other than ">" reads what is there, and does not wait.
   return grouped && xreadgroup(c) != result_lost ? std::optional<duration>{} : found;
}

std::optional<duration> wait(const command& c) {
   if (c.size() < 3) return {};
   return milliseconds(c.argument(2));
}

std::optional<duration> wait_aof(const command& c) {
   if (c.size() < 4) return {};
   return milliseconds(c.argument(3));
}

}  // namespace holdfast::impl::argument_rules

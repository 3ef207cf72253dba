#include "commands/command_table.hpp"

#include "commands/repeat_rules.hpp"
#include "core/ascii_case.hpp"
#include "core/number.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <ostream>

namespace holdfast::impl {
namespace {

// Commands that share what is known of them; their names are set apart by spaces.
struct group {
   command_traits traits;
   key_positions keys;
   std::string_view names;
};

// clang-format off
constexpr group generated[] = {
#include "commands/command_flags.inc"
};
// clang-format on

// By hand: what servers newer than the generated list have, and what the rules name of modules.
constexpr group newer[] = {
   {{}, {}, "client|capa client|no-touch client|setinfo cluster|myshardid cluster|slot-stats waitaof"},
   {{.readonly = true}, {}, "digest hexpiretime hpexpiretime hpttl httl"},
   {{.write = true}, {}, "arinsert delex delifeq hexpire hexpireat hgetdel hgetex hpersist hpexpire hpexpireat hsetex"},
   {{.write = true}, {}, "increx lmovem msetex sflush xackdel xdelex"},
   {{.native = false, .write = true}, {}, "bf.add cf.add cms.incrby json.arrappend json.numincrby json.set"},
   {{.native = false, .write = true}, {}, "ts.decrby ts.incrby"},
};

// ---- the table, put together by the compiler ------------------------------------------------------------------------

// GCOV_EXCL_START: the compiler runs it; what ships is the finished table
template <class F>
constexpr void for_each_word(std::string_view words, F&& f) {
   while (!words.empty()) {
      const std::size_t end = std::min(words.find(' '), words.size());
      f(words.substr(0, end));
      words.remove_prefix(std::min(end + 1, words.size()));
   }
}

template <class F>
constexpr void for_each_known(F&& f) {
   const auto each = [&](const group& g) { for_each_word(g.names, [&](std::string_view name) { f(name, g); }); };
   std::for_each(std::begin(generated), std::end(generated), each);
   std::for_each(std::begin(newer), std::end(newer), each);
}

constexpr std::size_t known_commands = [] {
   std::size_t n = 0;
   for_each_known([&](std::string_view, const group&) { ++n; });
   return n;
}();
// GCOV_EXCL_STOP
constexpr std::size_t slots = 1024;

struct whole_table {
   std::array<command_entry, known_commands> entries = {};  // by name: behind a container come its subcommands
   std::array<std::uint16_t, slots> index = {};             // open addressing; n: the entry n - 1, no subcommand

   // Its length and three of its letters tell nearly all words apart.
   constexpr std::size_t slot_of(std::string_view word) const {
      const auto letter = [&](std::size_t at) { return static_cast<std::size_t>(word[at] & 31); };  // of either case
      const std::size_t last = word.size() - 1;
      std::size_t i = (((word.size() * 31 + letter(0)) * 31 + letter(word.size() / 2)) * 31 + letter(last)) % slots;
      const auto is_named = [&](std::string_view name) {
         if (name.size() != word.size()) return false;
         for (std::size_t k = 0; k < word.size(); ++k) {
            if (name[k] != lower(word[k])) return false;
         }
         return true;
      };
      while (index[i] != 0 && !is_named(entries[index[i] - 1].name)) i = (i + 1) % slots;
      return i;
   }
};

// GCOV_EXCL_START: the compiler runs it; what ships is the finished table
// Calls `f` with each entry that is named.
template <class F>
constexpr void for_named(whole_table& table, std::string_view names, F&& f) {
   for_each_word(names, [&](std::string_view name) {
      const auto found = std::lower_bound(table.entries.begin(), table.entries.end(), name,
                                          [](const command_entry& e, std::string_view n) { return e.name < n; });
      if (found == table.entries.end() || found->name != name) throw "a rule for a command that is in no list";
      f(*found);
   });
}

constexpr whole_table put_together() {
   whole_table table;
   std::size_t n = 0;
   for_each_known([&](std::string_view name, const group& g) {
      table.entries[n] = {.name = name, .traits = g.traits, .keys = g.keys};
      if (g.traits.readonly || name.ends_with("|help")) table.entries[n].repeat = repeat_class::readonly;
      ++n;
   });
   std::sort(table.entries.begin(), table.entries.end(),
             [](const command_entry& a, const command_entry& b) { return a.name < b.name; });
   for (std::uint16_t i = 0; i != known_commands; ++i) {
      const std::string_view name = table.entries[i].name;
      if (i != 0 && name == table.entries[i - 1].name) throw "a command that is listed twice";
      if (name.find('|') == std::string_view::npos) table.index[table.slot_of(name)] = i + 1;
   }
   using namespace repeat_rules;
   for (const auto& r : classes) for_named(table, r.names, [&](command_entry& e) { e.repeat = r.given; });
   for (const auto& r : conditional)
      for_named(table, r.names, [&](command_entry& e) { e.repeat_by_arguments = r.given; });
   for (const auto& r : blocking) for_named(table, r.names, [&](command_entry& e) { e.block_by_arguments = r.given; });
   for (const auto& r : roles) for_named(table, r.names, [&](command_entry& e) { e.role = r.given; });
   for_named(table, scripts, [](command_entry& e) { e.traits.script = true; });
   for_named(table, scans, [](command_entry& e) { e.traits.scan = true; });
   return table;
}

// GCOV_EXCL_STOP
constexpr whole_table table = put_together();

}  // namespace

const command_entry* find_command(const command& c) {
   const std::string_view name = c.size() == 0 ? std::string_view{} : c.name();
   const std::uint16_t found = name.empty() ? 0 : table.index[table.slot_of(name)];
   if (found == 0) return nullptr;
   const auto is_within = [&](const command_entry& e) {
      return e.name.size() > name.size() && e.name[name.size()] == '|';
   };
   for (std::size_t i = found; i != known_commands && is_within(table.entries[i]); ++i) {
      const command_entry& inner = table.entries[i];
      if (c.size() > 1 && same_word(inner.name.substr(name.size() + 1), c.argument(1))) return &inner;
   }
   return &table.entries[found - 1];
}

std::span<const command_entry> all_commands() { return table.entries; }

int count_of_script_keys(const command_entry* entry, const command& c) {
   if (!is_script(entry) || c.size() < 4) return 0;
   const auto n = parse_number<std::uint32_t>(c.argument(2));
   return n && *n <= c.size() - 3 ? static_cast<int>(*n) : 0;
}

std::optional<std::size_t> count_of_keys(const command_entry* entry, const command& c) {
   std::size_t n = 0;
   if (for_each_key(entry, c, [&](std::string_view) { ++n; })) return n;
   if (!is_script(entry)) return {};
   return static_cast<std::size_t>(count_of_script_keys(entry, c));
}

repeat_class repeats(const command_entry* entry, const command& c) {
   if (entry == nullptr) return c.idempotent() ? repeat_class::same : repeat_class::not_repeatable;
   const repeat_class found = entry->repeat_by_arguments ? entry->repeat_by_arguments(c) : entry->repeat;
   return c.idempotent() && found != repeat_class::never ? std::min(found, repeat_class::same) : found;
}

std::optional<duration> block_time(const command_entry* entry, const command& c) {
   if (entry == nullptr || entry->block_by_arguments == nullptr) return {};
   return entry->block_by_arguments(c);
}

std::string_view to_string(repeat_class c) {
   constexpr std::string_view words[] = {"readonly", "same", "same_state", "result_lost", "not_repeatable", "never"};
   return words[static_cast<std::size_t>(c)];
}

std::ostream& operator<<(std::ostream& out, repeat_class c) { return out << to_string(c); }

}  // namespace holdfast::impl

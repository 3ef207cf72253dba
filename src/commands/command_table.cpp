#include "commands/command_table.hpp"

#include "commands/repeat_rules.hpp"
#include "core/ascii_case.hpp"
#include "core/number.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <ostream>
#include <utility>

namespace holdfast::resp {
namespace {

namespace flag {
enum : std::uint32_t {
   none = 0,
   write = 1 << 0,
   readonly = 1 << 1,
   denyoom = 1 << 2,
   admin = 1 << 3,
   blocking = 1 << 4,
   loading = 1 << 5,
   stale = 1 << 6,
   no_auth = 1 << 7,
   no_multi = 1 << 8,
   movablekeys = 1 << 9,
   module = 1 << 10,
   allow_busy = 1 << 11,
};
}  // namespace flag

struct flagged {
   std::string_view name;
   std::uint32_t flags;
   key_positions keys = {};
};

// clang-format off
constexpr flagged generated[] = {
#include "commands/command_flags.inc"
};
// clang-format on

// By hand: what servers newer than the generated list have, and what the rules name of modules.
constexpr flagged newer[] = {
   {"arinsert", flag::write | flag::denyoom},
   {"bf.add", flag::write | flag::denyoom | flag::module},
   {"cf.add", flag::write | flag::denyoom | flag::module},
   {"client|capa", flag::loading | flag::stale},
   {"client|no-touch", flag::loading | flag::stale},
   {"client|setinfo", flag::loading | flag::stale},
   {"cluster|myshardid", flag::loading | flag::stale},
   {"cluster|slot-stats", flag::loading | flag::stale},
   {"cms.incrby", flag::write | flag::denyoom | flag::module},
   {"delex", flag::write},
   {"delifeq", flag::write},
   {"digest", flag::readonly},
   {"hexpire", flag::write | flag::denyoom},
   {"hexpireat", flag::write | flag::denyoom},
   {"hexpiretime", flag::readonly},
   {"hgetdel", flag::write},
   {"hgetex", flag::write},
   {"hpersist", flag::write},
   {"hpexpire", flag::write | flag::denyoom},
   {"hpexpireat", flag::write | flag::denyoom},
   {"hpexpiretime", flag::readonly},
   {"hpttl", flag::readonly},
   {"hsetex", flag::write | flag::denyoom},
   {"httl", flag::readonly},
   {"increx", flag::write | flag::denyoom},
   {"json.arrappend", flag::write | flag::denyoom | flag::module},
   {"json.numincrby", flag::write | flag::denyoom | flag::module},
   {"json.set", flag::write | flag::denyoom | flag::module},
   {"lmovem", flag::write | flag::denyoom},
   {"msetex", flag::write | flag::denyoom},
   {"sflush", flag::write},
   {"ts.decrby", flag::write | flag::denyoom | flag::module},
   {"ts.incrby", flag::write | flag::denyoom | flag::module},
   {"waitaof", flag::blocking},
   {"xackdel", flag::write},
   {"xdelex", flag::write},
};

constexpr bool has(std::uint32_t flags, std::uint32_t one) { return (flags & one) != 0; }

// ---- the table, put together by the compiler ------------------------------------------------------------------------

constexpr std::size_t known_commands = std::size(generated) + std::size(newer);
constexpr std::size_t slots = 2048;

// A subcommand is looked up by its own word and by its container.
struct lookup_key {
   word_key word = {};
   std::uint16_t container = 0;  // 0: none; n: the entry n - 1

   constexpr std::size_t slot() const { return (word.hash() + container * 613u) % slots; }
   friend constexpr bool operator==(const lookup_key&, const lookup_key&) = default;
};

// Open addressing; 0 is an empty slot, n the entry n - 1.
struct slot {
   lookup_key key = {};
   std::uint16_t entry = 0;
   bool contains = false;  // subcommands
};

struct whole_table {
   std::array<command_entry, known_commands> entries = {};
   std::array<slot, slots> index = {};

   constexpr const slot& at(const lookup_key& key) const {
      std::size_t i = key.slot();
      while (index[i].entry != 0 && index[i].key != key) i = (i + 1) % slots;
      return index[i];
   }
   constexpr slot& at(const lookup_key& key) { return const_cast<slot&>(std::as_const(*this).at(key)); }
   constexpr lookup_key key_of(std::string_view name) const {
      const auto bar = name.find('|');
      if (bar == std::string_view::npos) return {word_key{name}, 0};
      return {word_key{name.substr(bar + 1)}, at({word_key{name.substr(0, bar)}, 0}).entry};
   }
   constexpr command_entry& entry(std::string_view name) {
      const slot& found = at(key_of(name));
      if (found.entry == 0) throw "a rule for a command that is in no list";
      return entries[found.entry - 1];
   }
};

constexpr command_entry describe(const flagged& known) {
   command_entry e;
   e.name = known.name;
   e.keys = known.keys;
   e.traits.native = !has(known.flags, flag::module);
   e.traits.readonly = has(known.flags, flag::readonly);
   e.traits.write = has(known.flags, flag::write);
   e.traits.deny_oom = has(known.flags, flag::denyoom);
   e.traits.blocking = has(known.flags, flag::blocking);
   e.traits.admin = has(known.flags, flag::admin);
   e.traits.loading = has(known.flags, flag::loading);
   e.traits.busy = has(known.flags, flag::allow_busy);
   e.traits.stale = has(known.flags, flag::stale);
   e.traits.no_auth = has(known.flags, flag::no_auth);
   e.traits.no_multi = has(known.flags, flag::no_multi);
   e.traits.movable = has(known.flags, flag::movablekeys);
   e.repeat = e.traits.readonly ? repeat_class::readonly : repeat_class::not_repeatable;
   return e;
}

// "container|*" and "*|help" stand for whole groups.
constexpr bool matches(std::string_view pattern, std::string_view name) {
   if (pattern.ends_with("|*")) return name.starts_with(pattern.substr(0, pattern.size() - 1));
   return name.ends_with(pattern.substr(1));
}

template <std::size_t N>
constexpr void apply(whole_table& table, const std::string_view (&names)[N], repeat_class found) {
   for (const std::string_view name : names) {
      if (name.find('*') == std::string_view::npos) {
         table.entry(name).repeat = found;
         continue;
      }
      for (command_entry& e : table.entries) {
         if (matches(name, e.name)) e.repeat = found;
      }
   }
}

constexpr void apply_rules(whole_table& table) {
   apply(table, repeat_rules::readonly, repeat_class::readonly);
   apply(table, repeat_rules::same, repeat_class::same);
   apply(table, repeat_rules::same_state, repeat_class::same_state);
   apply(table, repeat_rules::result_lost, repeat_class::result_lost);
   apply(table, repeat_rules::not_repeatable, repeat_class::not_repeatable);
   apply(table, repeat_rules::never, repeat_class::never);
   for (const auto& [name, rule] : repeat_rules::conditional) table.entry(name).repeat_by_arguments = rule;
   for (const auto& [name, rule] : repeat_rules::blocking) table.entry(name).block_by_arguments = rule;
   for (const auto& [name, role] : repeat_rules::roles) table.entry(name).role = role;
   for (const std::string_view name : repeat_rules::scripts) table.entry(name).traits.script = true;
   for (const std::string_view name : repeat_rules::scans) table.entry(name).traits.scan = true;
}

constexpr whole_table put_together() {
   whole_table table;
   std::size_t n = 0;
   const auto add = [&](const flagged& known) {
      const lookup_key key = table.key_of(known.name);
      slot& free = table.at(key);
      if (free.entry != 0) throw "a command that is listed twice";
      table.entries[n] = describe(known);
      free = {key, static_cast<std::uint16_t>(++n), false};
      const auto bar = known.name.find('|');
      if (bar != std::string_view::npos) table.at({word_key{known.name.substr(0, bar)}, 0}).contains = true;
   };
   for (const flagged& known : generated) add(known);  // sorted: a container comes before its subcommands
   for (const flagged& known : newer) add(known);
   apply_rules(table);
   return table;
}

constexpr whole_table table = put_together();

const slot* look_up(std::string_view word, std::uint16_t container) {
   if (word.empty() || word.size() > word_key::longest) return nullptr;
   const slot& found = table.at({word_key{word}, container});
   return found.entry != 0 ? &found : nullptr;
}

const command_entry* entry_of(const slot* found) { return found ? &table.entries[found->entry - 1] : nullptr; }

const command_entry* subcommand_of(const slot* container, std::string_view word) {
   const slot* const inner = look_up(word, container->entry);
   return entry_of(inner != nullptr ? inner : container);
}

}  // namespace

const command_entry* find_command(std::string_view name, std::string_view subcommand) {
   const slot* const found = look_up(name, 0);
   return found != nullptr && found->contains ? subcommand_of(found, subcommand) : entry_of(found);
}

const command_entry* find_command(const command& c) {
   if (c.size() == 0) return nullptr;
   auto at = c.arguments().begin();
   const slot* const found = look_up(*at, 0);
   if (found == nullptr || !found->contains || c.size() == 1) return entry_of(found);
   return subcommand_of(found, *++at);
}

std::span<const command_entry> all_commands() { return table.entries; }

int count_of_script_keys(const command_entry* entry, const command& c) {
   if (!is_script(entry) || c.size() < 4) return 0;
   const auto n = parse_number<std::uint32_t>(c.argument(2));
   return n && *n <= c.size() - 3 ? static_cast<int>(*n) : 0;
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

std::string_view to_string(command_role r) {
   constexpr std::string_view words[] = {"plain",   "multi",        "exec",  "discard",  "watch",      "unwatch",
                                         "select",  "auth",         "hello", "set_name", "connection", "subscribe",
                                         "monitor", "client_reply", "reset", "quit",     "wait",       "replication"};
   return words[static_cast<std::size_t>(r)];
}

std::ostream& operator<<(std::ostream& out, repeat_class c) { return out << to_string(c); }

}  // namespace holdfast::resp

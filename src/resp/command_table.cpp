#include "resp/command_table.hpp"

#include "resp/repeat_rules.hpp"
#include "resp/words.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <ostream>

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
};
}  // namespace flag

struct flagged {
   std::string_view name;
   std::uint32_t flags;
};

// clang-format off
constexpr flagged generated[] = {
#include "resp/command_flags.inc"
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
constexpr std::size_t longest_name = 40;
constexpr std::size_t slots = 2048;

// FNV-1a over the lower-case name.
constexpr std::uint32_t hash(std::string_view name, std::uint32_t seed = 2166136261u) {
   for (const char c : name) seed = (seed ^ static_cast<unsigned char>(lower(c))) * 16777619u;
   return seed;
}
constexpr std::uint32_t hash_separator(std::uint32_t seed) { return hash("|", seed); }

// Open addressing; 0 is an empty slot, n the entry n - 1. A container's slot says that subcommands exist.
struct slot {
   std::uint16_t entry = 0;
   bool container = false;
};

struct whole_table {
   std::array<command_entry, known_commands> entries = {};
   std::array<slot, slots> index = {};

   constexpr slot& find(std::string_view name) {
      std::size_t at = hash(name) % slots;
      while (index[at].entry != 0 && entries[index[at].entry - 1].name != name) at = (at + 1) % slots;
      return index[at];
   }
   constexpr command_entry& entry(std::string_view name) {
      const slot& found = find(name);
      if (found.entry == 0) throw "a rule for a command that is in no list";
      return entries[found.entry - 1];
   }
};

constexpr command_entry describe(const flagged& known) {
   command_entry e;
   e.name = known.name;
   e.traits.native = !has(known.flags, flag::module);
   e.traits.readonly = has(known.flags, flag::readonly);
   e.traits.write = has(known.flags, flag::write);
   e.traits.deny_oom = has(known.flags, flag::denyoom);
   e.traits.blocking = has(known.flags, flag::blocking);
   e.traits.admin = has(known.flags, flag::admin);
   e.traits.loading = has(known.flags, flag::loading);
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
}

constexpr whole_table put_together() {
   whole_table table;
   std::size_t n = 0;
   const auto add = [&](const flagged& known) {
      slot& free = table.find(known.name);
      if (free.entry != 0) throw "a command that is listed twice";
      table.entries[n] = describe(known);
      free.entry = static_cast<std::uint16_t>(++n);
   };
   for (const flagged& known : generated) add(known);
   for (const flagged& known : newer) add(known);
   for (const command_entry& e : table.entries) {
      const auto bar = e.name.find('|');
      if (bar != std::string_view::npos) table.find(e.name.substr(0, bar)).container = true;
   }
   apply_rules(table);
   return table;
}

constexpr whole_table table = put_together();

// What the name consists of: one word, or two with a bar between them.
bool spells(std::string_view name, std::string_view command, std::string_view subcommand) {
   if (subcommand.empty()) return same_word(name, command) && name.find('|') == std::string_view::npos;
   return name.size() == command.size() + 1 + subcommand.size() && name[command.size()] == '|' &&
          same_word(name.substr(0, command.size()), command) && same_word(name.substr(command.size() + 1), subcommand);
}

const slot* look_up(std::uint32_t hashed, std::string_view name, std::string_view subcommand) {
   for (std::size_t at = hashed % slots; table.index[at].entry != 0; at = (at + 1) % slots) {
      if (spells(table.entries[table.index[at].entry - 1].name, name, subcommand)) return &table.index[at];
   }
   return nullptr;
}

const command_entry* entry_of(const slot* found) { return found ? &table.entries[found->entry - 1] : nullptr; }

}  // namespace

const command_entry* find_command(std::string_view name, std::string_view subcommand) {
   if (name.empty() || name.size() > longest_name || subcommand.size() > longest_name) return nullptr;
   const std::uint32_t hashed = hash(name);
   const slot* const command = look_up(hashed, name, {});
   if (command == nullptr || !command->container || subcommand.empty()) return entry_of(command);
   const slot* const inner = look_up(hash(subcommand, hash_separator(hashed)), name, subcommand);
   return entry_of(inner != nullptr ? inner : command);
}

const command_entry* find_command(const command& c) {
   if (c.size() == 0) return nullptr;
   auto at = c.arguments().begin();
   const std::string_view name = *at;
   if (name.empty() || name.size() > longest_name) return nullptr;
   const slot* const found = look_up(hash(name), name, {});
   if (found == nullptr || !found->container || c.size() == 1) return entry_of(found);
   return find_command(name, *++at);
}

std::span<const command_entry> all_commands() { return table.entries; }

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

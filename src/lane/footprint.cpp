#include "lane/footprint.hpp"

#include <algorithm>

namespace holdfast::impl {
namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
   return std::find(names.begin(), names.end(), name) != names.end();
}

// Of a command without keys.
reach reach_without_keys(const command_entry& entry) {
   if (entry.traits.write) return reach::everything;  // SWAPDB
   if (entry.repeat == repeat_class::readonly) {
      const bool tells_nothing = is_one_of(entry.name, {"ping", "echo", "time", "role", "lolwut"}) ||
                                 entry.name.starts_with("command") || entry.name.ends_with("|help");
      return tells_nothing ? reach::nothing : reach::everything;  // KEYS, INFO, CONFIG GET
   }
   // Scripts and settings are no data, but other commands read or need them.
   return is_one_of(entry.name, {"script|load", "config|set"}) ? reach::everything : reach::nothing;
}

bool answers_blindly(const command& c, const command_entry* entry) {
   if (role_of(entry) != command_role::plain || c.idempotent()) return true;
   if (entry == nullptr) return false;
   if (entry->name == "set") return repeats(entry, c) == repeat_class::same;
   return is_one_of(entry->name, {"mset", "setex", "psetex"});
}

}  // namespace

reach reach_of(const command_entry* entry) {
   if (entry == nullptr) return reach::undeclared;
   if (entry->role != command_role::plain) return reach::nothing;
   if (entry->repeat == repeat_class::never) return reach::everything;
   if (entry->traits.script || !entry->traits.native) return reach::undeclared;
   if (entry->traits.movable || entry->keys.first < 0) return reach::everything;
   return entry->keys.first != 0 ? reach::keys : reach_without_keys(*entry);
}

reach reach_of(const operation& op) {
   reach found = reach::nothing;
   for (const command& c : op.commands)
      found = std::max(found, reach_of(op.is_transaction() ? find_command(c) : op.entry));
   return found;
}

footprint footprint_of(const operation& op) {
   footprint found{.group = op.group};
   found.its = each_key(op, [&](std::size_t hash) { found.keys.push_back(hash); });
   return found;
}

bool answers_blindly(const operation& op) {
   return std::all_of(op.commands.begin(), op.commands.end(), [&](const command& c) {
      const command_entry* const entry = find_command(c);
      // A caller that asks for "at least once" takes the reply of any run of a write.
      if (op.delivery == delivery::at_least_once && repeats(entry, c) != repeat_class::readonly) return true;
      return answers_blindly(c, entry);
   });
}

}  // namespace holdfast::impl

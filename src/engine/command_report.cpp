#include "engine/command_report.hpp"

#include "commands/command_table.hpp"
#include "commands/shown.hpp"

namespace holdfast::impl {
namespace {

// What stands between MULTI and its EXEC, if that is there.
std::span<const command> inside(std::span<const command> all) {
   const auto last = role_of(find_command(all.back()));
   const bool is_whole = last == command_role::exec || last == command_role::discard;
   return all.subspan(1, all.size() - (is_whole ? 2 : 1));
}

std::optional<std::size_t> count_of_keys(std::span<const command> all) {
   std::size_t sum = 0;
   for (const command& c : all) {
      const auto n = count_of_keys(find_command(c), c);
      if (!n) return {};
      sum += *n;
   }
   return sum;
}

}  // namespace

ended_command report_of(std::span<const command> commands, const command_end& end, const endpoint& where) {
   const command& first = commands.front();
   const command_entry* const entry = find_command(first);
   ended_command e{.name = entry != nullptr ? entry->name : name_of(first), .where = where};
   if (role_of(entry) != command_role::multi || commands.size() == 1) {
      e.keys = count_of_keys(entry, first);
   } else {
      const auto members = inside(commands);
      e.commands = members.size();
      e.keys = count_of_keys(members);
   }
   e.given = end.given;
   e.ended = end.ended;
   e.failed = end.failed;
   e.attempts = end.attempts;
   return e;
}

}  // namespace holdfast::impl

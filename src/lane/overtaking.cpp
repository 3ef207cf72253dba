#include "lane/overtaking.hpp"

namespace holdfast::lane {
namespace {

// Calls `f` with each key. False where the command may touch others: a script, a module's command, FLUSHALL, ...
template <class F>
bool each_key(const operation& op, F&& f) {
   for (const command& c : op.commands) {
      const resp::command_entry* const entry = op.is_transaction() ? resp::find_command(c) : op.entry;
      const bool reaches_far = entry == nullptr || entry->repeat == resp::repeat_class::never ||
                               (entry->traits.write && entry->keys.first == 0);                        // SWAPDB
      const bool is_frame = op.is_transaction() && resp::role_of(entry) != resp::command_role::plain;  // MULTI, EXEC
      if (!is_frame && (reaches_far || !resp::for_each_key(entry, c, f))) return false;
   }
   return true;
}

}  // namespace

void touched_keys::add(const operation& op) {
   if (!any_ && !each_key(op, [&](std::string_view key) { keys_.insert(key); })) any_ = true;
}

bool touched_keys::may_concern(const operation& op) const {
   if (any_) return true;
   if (keys_.empty()) return false;
   bool found = false;
   const bool all_known = each_key(op, [&](std::string_view key) { found = found || keys_.contains(key); });
   return found || !all_known;
}

}  // namespace holdfast::lane

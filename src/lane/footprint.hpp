// Keys that a command touches, as its text tells. Asked only while something waits to be sent again, or after a loss.
#pragma once

#include "lane/operation.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

namespace holdfast::lane {

enum class reach : std::uint8_t {
   nothing,     // no data, and no state of the server that others read: PING, PUBLISH
   keys,        // these
   everything,  // all keys, or nobody knows which: FLUSHALL, DBSIZE, a script, a module's command
};

reach reach_of(const resp::command_entry*);
reach reach_of(const operation&);  // of all its commands together

// Calls `f` with each key of the operation; where the answer is not `keys`, some may be missing.
template <class F>
reach each_key(const operation& op, F&& f) {
   reach found = reach::nothing;
   for (const command& c : op.commands) {
      const resp::command_entry* const entry = op.is_transaction() ? resp::find_command(c) : op.entry;
      const reach its = reach_of(entry);
      if (its == reach::everything) return its;
      if (its == reach::nothing) continue;
      resp::for_each_key(entry, c, f);
      found = reach::keys;
   }
   return found;
}

// Its replies are the same whatever the data was before: SET, but not APPEND. It may be sent again before a newer one
// that may have run, if that is sent again behind it.
bool answers_blindly(const operation&);

}  // namespace holdfast::lane

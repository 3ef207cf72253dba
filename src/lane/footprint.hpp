// Keys that a command touches, as its text tells. Asked only while something waits to be sent again, or after a loss.
//
// Two operations conflict where both are about the same key; where one is about everything, and the other about any
// data; and, within one order group, where one may be about keys that its text does not tell (rule 4 of
// docs/architecture.md). Keys are kept as hashes: where two have the same one, the operations count as conflicting.
#pragma once

#include "lane/operation.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::impl {

enum class reach : std::uint8_t {
   nothing,     // no data, and no state of the server that others read: PING, PUBLISH
   keys,        // these
   undeclared,  // these and, within its order group, any other: a script, a module's command
   everything,  // all keys: FLUSHALL, DBSIZE; or nobody knows which
};

reach reach_of(const command_entry*);
reach reach_of(const operation&);  // of all its commands together

// Keys that an operation touches, kept for when its caller has left.
struct footprint {
   std::uint64_t group = 0;
   reach its = reach::nothing;
   std::vector<std::size_t> keys = {};  // hashes
};
footprint footprint_of(const operation&);

inline std::size_t hash_of(std::string_view key) { return std::hash<std::string_view>{}(key); }

// Calls `f` with the hash of each key of the operation; where the answer is `everything`, some may be missing.
template <class F>
reach each_key(const operation& op, F&& f) {
   reach found = reach::nothing;
   for (const command& c : op.commands) {
      const command_entry* const entry = op.is_transaction() ? find_command(c) : op.entry;
      const reach its = reach_of(entry);
      if (its == reach::everything) return its;
      found = std::max(found, its);
      const auto with_hash = [&](std::string_view key) { f(hash_of(key)); };
      if (its == reach::keys) for_each_key(entry, c, with_hash);
      if (its == reach::undeclared) for_each_script_key(entry, c, with_hash);
   }
   return found;
}
template <class F>
reach each_key(const footprint& of, F&& f) {
   for (const std::size_t hash : of.keys) f(hash);
   return of.its;
}

// Marks stand for keys and for groups, so that a conflict is found by looking up a few of them: one operation leaves
// marks, another looks for them.
enum class group_mark : std::size_t {
   of_data = 0x9e3779b97f4a7c15,        // left by what touches any data
   of_undeclared = 0xc2b2ae3d27d4eb4f,  // left by what may touch more than it tells
   of_nothing = 0x165667b19e3779f9,     // left by what touches no data, of what waits
   of_everything = 0x27d4eb2f165667c5,  // or all of it
};
inline std::size_t mark_of(std::uint64_t group, group_mark m) {
   return hash_of({reinterpret_cast<const char*>(&group), sizeof group}) ^ static_cast<std::size_t>(m);
}

template <class Touching, class F>
reach leave_marks(const Touching& op, F&& f) {
   const reach its = each_key(op, f);
   if (its == reach::nothing || its == reach::everything) return its;
   f(mark_of(op.group, group_mark::of_data));
   if (its == reach::undeclared) f(mark_of(op.group, group_mark::of_undeclared));
   return its;
}
template <class Touching, class F>
reach look_for_marks(const Touching& op, F&& f) {
   const reach its = each_key(op, f);
   if (its == reach::keys) f(mark_of(op.group, group_mark::of_undeclared));
   if (its == reach::undeclared) f(mark_of(op.group, group_mark::of_data));
   return its;
}

// Its replies are the same whatever the data was before: SET, but not APPEND. It may be sent again before a newer one
// that may have run, if that is sent again behind it.
bool answers_blindly(const operation&);

}  // namespace holdfast::impl

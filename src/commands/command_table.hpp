// Knowledge about a command before it is sent: the flags that the server itself has for it, and, by hand, whether
// it may be sent twice. Its arguments count: SET and SET ... NX are different in this.
#pragma once

#include <holdfast/command.hpp>
#include <holdfast/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace holdfast::impl {

// Changes by a second run of the same command, after a first run that may have happened.
enum class repeat_class : std::uint8_t {
   readonly,        // nothing: it reads
   same,            // nothing: the state and the reply are those of the first run
   same_state,      // not the state, but the reply may differ (a count, 0, nil)
   result_lost,     // not the state, but the reply was what mattered, and only the first run had it
   not_repeatable,  // the state: counted twice, appended twice, taken twice
   never,           // sending it twice on our own account is never right
};

// Effect of a command on the connection or the client, beyond that on the data. For each there is a rule in
// the lane; `plain` has none.
enum class command_role : std::uint8_t {
   plain,
   multi,
   exec,
   discard,
   watch,
   unwatch,
   select,
   auth,
   hello,
   set_name,    // CLIENT SETNAME
   connection,  // other state of the connection: CLIENT TRACKING, NO-EVICT, SETINFO, READONLY, ASKING, ...
   subscribe,   // SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their UN- forms
   monitor,
   client_reply,  // CLIENT REPLY: changes how many replies come
   reset,
   quit,
   wait,         // WAIT, WAITAOF: about the writes that were sent before on the same connection
   replication,  // SYNC, PSYNC, REPLCONF: turns the connection into a replica's link
};

// From the server's own table; of a command that is in no such table (a module's), what the hand-written part says.
struct command_traits {
   bool native = true;  // the server's own, not a module's
   bool readonly = false;
   bool write = false;
   bool busy = false;     // allowed while a script runs for too long
   bool movable = false;  // its keys can't be told from their position alone
   bool script = false;   // EVAL, EVALSHA, FCALL and their read-only forms
   bool scan = false;     // SCAN, SSCAN, HSCAN, ZSCAN: goes on from a cursor that one process gave
};

// As COMMAND tells: the arguments `first`, `first + step`, ... up to `last`, which counts from the end if it is below
// zero. All zero: it has no keys.
struct key_positions {
   int first = -1;  // below zero: not known
   int last = 0;
   int step = 0;
};

struct command_entry {
   std::string_view name = {};  // lower case; a subcommand as "client|kill"
   command_traits traits = {};
   key_positions keys = {};
   command_role role = command_role::plain;
   repeat_class repeat = repeat_class::not_repeatable;  // where no argument counts
   repeat_class (*repeat_by_arguments)(const command&) = nullptr;
   std::optional<duration> (*block_by_arguments)(const command&) = nullptr;
};

// Null if it is not known: a module's, or a newer server's. Upper or lower case. Cheap, and meant to be asked once for
// a command; the entry lives for ever.
const command_entry* find_command(const command&);
std::span<const command_entry> all_commands();

// A command that is not known is not repeatable; one that its caller declares idempotent is `same`, save that `never`
// remains. `entry` is what find_command answered for it.
repeat_class repeats(const command_entry* entry, const command&);

// How long the server may hold the command back, as its arguments say: empty: not at all; zero: for ever.
std::optional<duration> block_time(const command_entry* entry, const command&);

// How many keys a script declares; none where that can't be read.
int count_of_script_keys(const command_entry* entry, const command&);

// Calls `f` with each of `count` arguments from `at` on that `keys` says is a key: one step for each argument, so that
// a DEL of 60 000 keys takes 60 000.
template <class Iterator, class F>
void for_each_key(const key_positions& keys, Iterator at, std::size_t count, F&& f) {
   const auto size = static_cast<std::ptrdiff_t>(count);
   const std::ptrdiff_t last = keys.last < 0 ? size + keys.last : std::min<std::ptrdiff_t>(keys.last, size - 1);
   if (keys.first > last) return;
   std::advance(at, keys.first);
   for (std::ptrdiff_t i = keys.first, step = std::max(keys.step, 1);;) {
      f(*at);
      if (i += step; i > last) return;
      std::advance(at, step);
   }
}

// Calls `f` with each key of the command. False, at once, where they can't be told from their places.
template <class F>
bool for_each_key(const command_entry* entry, const command& c, F&& f) {
   if (entry == nullptr || entry->traits.movable || entry->keys.first < 0) return false;
   if (entry->keys.first != 0) for_each_key(entry->keys, c.arguments().begin(), c.size(), std::forward<F>(f));
   return true;
}

// Calls `f` with each key that a script declares: EVAL script 2 key key ...
template <class F>
void for_each_script_key(const command_entry* entry, const command& c, F&& f) {
   if (const int n = count_of_script_keys(entry, c); n != 0)
      for_each_key(key_positions{3, n + 2, 1}, c.arguments().begin(), c.size(), std::forward<F>(f));
}

// How many keys it has; unset where the table can't tell.
std::optional<std::size_t> count_of_keys(const command_entry* entry, const command&);

inline bool is_script(const command_entry* entry) { return entry != nullptr && entry->traits.script; }
inline bool is_scan(const command_entry* entry) { return entry != nullptr && entry->traits.scan; }
inline bool is_native(const command_entry* entry) { return entry != nullptr && entry->traits.native; }
inline command_role role_of(const command_entry* entry) { return entry ? entry->role : command_role::plain; }

std::string_view to_string(repeat_class);
std::ostream& operator<<(std::ostream&, repeat_class);

}  // namespace holdfast::impl

// The kind of an error reply, and its proof whether the command ran.
#pragma once

#include <holdfast/error.hpp>

#include <cstdint>
#include <iosfwd>
#include <string_view>

namespace holdfast::impl {

enum class reply_class : std::uint8_t {
   // The gates: the server's state forbids it at present, here. Asked again later, or of another node, it may run.
   readonly,           // READONLY: a replica, or a master that was demoted
   loading,            // LOADING: reads its data set, after a start or a full resync
   master_down,        // MASTERDOWN: a replica without its master that won't serve stale data
   no_replicas,        // NOREPLICAS: too few good replicas to write
   misconf,            // MISCONF: persistence fails, writes are stopped
   out_of_memory,      // OOM
   busy,               // BUSY: a script, function or module runs too long
   not_authenticated,  // NOAUTH
   wrong_password,     // WRONGPASS, and the texts that older servers have for it
   no_permission,      // NOPERM
   moved,              // MOVED, ASK, CROSSSLOT, REDIRECT: another node's, by cluster or by advice
   try_again,          // TRYAGAIN, CLUSTERDOWN
   refused,            // at accept: max number of clients, protected mode (DENIED); the connection ends
   unblocked,          // CLIENT UNBLOCK ... ERROR ended the wait
   demoted,            // UNBLOCKED force unblock: the master became a replica during the wait; the connection ends
   script_killed,      // SCRIPT KILL or FUNCTION KILL ended it, which the server does only before its first write
   no_script,          // NOSCRIPT: send the script itself
   // The same again, however often it is asked.
   unknown_command,  // not known, renamed, or not a Sentinel's
   no_protocol,      // NOPROTO: HELLO with a version that it does not speak
   no_such_master,   // a Sentinel that does not know the name
   deterministic,    // the command's own error: WRONGTYPE, syntax, arguments
   already_there,    // as deterministic; but after a first try of unknown outcome it says that the first one probably
                     // succeeded: BUSYGROUP, BUSYKEY, no such key, stream ID not greater
   aborted,          // EXECABORT for earlier errors of the transaction: nothing of it ran
   protocol,         // it could not parse what we sent; the connection ends
   io_error,         // IOERR of MIGRATE: the key may exist on both sides
   script_failed,    // a script ended in an error, and may have written before
};

struct reply_proof {
   reply_class cls = reply_class::deterministic;
   outcome ran = outcome::not_executed;
   friend bool operator==(const reply_proof&, const reply_proof&) = default;
};

// `text` is an error reply without its leading '-'. `from_script`: the command was EVAL, EVALSHA, FCALL or their kin.
// `from_exec`: it was EXEC, so that the reason stands inside the EXECABORT. `native`: a command that is the server's
// own and not a module's (command_traits::native). That it did not run is proven by known words alone
// (known_words.hpp).
reply_proof classify_error(std::string_view text, bool from_script, bool from_exec, bool native);

// Whether it is one of the gates (above): the command may run later or elsewhere, unchanged.
bool is_gate(reply_class);

std::string_view to_string(reply_class);
std::ostream& operator<<(std::ostream&, const reply_proof&);

}  // namespace holdfast::impl

// The hook that is told what became of each command, for metrics and traces. What happened in the deployment is told by
// <holdfast/event.hpp>; numbers that cost nothing are in <holdfast/stats.hpp>.
#pragma once

#include <holdfast/endpoint.hpp>
#include <holdfast/error.hpp>
#include <holdfast/time.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

namespace holdfast {

// A command that has ended, or a MULTI ... EXEC. It has no key, no value and no secret. Views and references are for
// the call of the observer alone: keep copies.
struct ended_command {
   // As COMMAND has it: "get"; of a subcommand "client|kill"; of a transaction "multi". Of a command that is not in our
   // table (a module's, or a newer server's) as the caller wrote it, at most 32 letters, digits, dots, hyphens and
   // underscores; empty: that is no name.
   std::string_view name;
   std::size_t commands = 1;              // of a transaction: those between MULTI and EXEC
   std::optional<std::size_t> keys = {};  // how many; unset: the table can't tell from its arguments
   // When it was given to the client, and its end, as std::chrono::steady_clock tells it (in a simulation: its clock).
   // The commands of a list were given with the list.
   time_point given = {};
   time_point ended = {};
   // Null: it succeeded. Else what its caller gets: code, outcome, causes. What the caller made of the reply is not
   // known here: errc::type_mismatch is a success.
   const error* failed = nullptr;
   unsigned attempts = 0;  // times that it was written
   // The server that answered, or that its error is about; empty: there was none.
   const endpoint& where;

   duration took() const { return ended - given; }
};

// Called once for each command at its end, before its caller goes on; of a list once for each command that it has, or
// transaction. Calls that the client turned away at its door are not told (stats.hpp).
//
// It is called where config::observer is told of the lane: in the caller's thread for a `client`, in the library's for
// a `shared_client`, on its executor, in one thread at a time, for an `async_client`. Clients that are made of one
// `config` or `deployment` have a copy of it each, and call these at the same time if they are used so.
//
// It must not block, as all commands of the client wait for it, and must not call the client. What it throws is caught
// and counted (stats::observer_exceptions), and has no other effect: the caller gets the reply, or the error that says
// whether the command ran. Empty: nothing is told, and nothing is spent on telling.
using command_observer = std::function<void(const ended_command&)>;

}  // namespace holdfast

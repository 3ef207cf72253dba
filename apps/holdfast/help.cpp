#include "help.hpp"

namespace holdfast::cli {
namespace {

// Of all that takes -u.
constexpr const char* of_uris = R"(
URI, of one server or of Sentinels and the master's name that they know:
  redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]
  redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]/MASTER[/DB]
  unix://[[USER]:PASSWORD@]/PATH[?db=DB]
  Without -u it is $HOLDFAST_URI, or $REDIS_URL, or redis://127.0.0.1:6379.
  USER and PASSWORD are those of the Redis servers; the Sentinels' own go to the
  end: ?sentinel_username=USER&sentinel_password=PASSWORD. Write reserved
  characters as %XX. Others on this machine can see a command line, and with it
  a password; they cannot see your variables.
)";

constexpr const char* of_exec_before = R"(Options end at COMMAND: what follows belongs to it.

  holdfast exec -u redis+sentinel://10.0.0.1,10.0.0.2/mymaster GET user:7
  holdfast exec --deadline 30s INCR hits              waits out a long failover
  holdfast exec --delivery at-least-once RPUSH q job  rather twice than never
  holdfast exec --json HGETALL user:7 | jq .reply
)";

constexpr const char* of_exec_after = R"(
MODE of delivery. What certainly did not run is sent again in each of them until
the deadline. They differ in what happens when the connection breaks after the
command was written and before its reply came, so that it may have run:
  automatic      (default) sent again if a second run changes neither the data
                 nor the reply, as with GET or a plain SET; else exit status 4
  at-most-once   not sent again: exit status 4
  at-least-once  sent again, also INCR or RPUSH, which may then count twice;
                 but never FLUSHALL and its like
  exactly-once   not built yet

On a terminal the reply is formatted as redis-cli -3 does it; piped, it is raw.
With --json it is one of these, in one line:
  {"reply": ..., "outcome": "executed", "attempts": 1, "elapsed_ms": 0.8,
   "endpoint": "10.0.0.1:6379"}
  {"error": {"code": ..., "outcome": ..., "message": ..., "server_text": ...,
   "attempts": ..., "elapsed_ms": ..., "endpoint": ..., "causes": [...]}}
  Bytes that are not UTF-8 become {"base64": "..."}, an error in an array
  {"error": "..."}, a map of other keys than texts {"map": [[KEY, VALUE], ...]}.

Exit status:
  0  done
  1  the server answered an error, or too few replicas acknowledged
  2  usage: a bad URI or option, or a command refused before it was sent
  3  certainly not executed: unreachable, deadline, unknown master, password
  4  outcome unknown: it was sent, and no reply came
Ctrl-C ends the wait and says what is known: exit status 3 or 4, not 130.)";

constexpr const char* of_resolve_before =
   R"(Prints host:port of the master that the Sentinels name, once it has said itself
that it is one.

  holdfast resolve -u redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster
  redis-cli -u redis://$(holdfast resolve) monitor
)";

constexpr const char* of_resolve_after = R"(
Exit status: 0 printed; 2 usage; 3 no master could be found and reached in time,
and stderr says why.)";

constexpr const char* of_watch_before =
   R"(Follows the Sentinels and the master and prints one line for each event, with
its time, until Ctrl-C or SIGTERM (exit status 0). It sends nothing but
questions to the Sentinels and a PING to the master.

  holdfast watch -u redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster
  holdfast watch --json | jq 'select(.event == "master_named")'
)";

constexpr const char* of_watch_after = R"(
A line of --json is {"time": "2031-12-24T18:00:00.000Z", "event": "connected",
...}, its other fields depending on the event. Bytes that are not UTF-8 become
{"base64": "..."}.

Exit status: 0 ended by a signal; 1 stdout could not be written; 2 usage; 3 at
the start nobody could be reached, or a password or the master's name was wrong.)";

constexpr const char* of_sim = R"(Builds worlds of a master, replicas, Sentinels and clients, with a clock, a
network and processes that are all simulated, and runs the library's own engine
in them. Faults strike while commands are under way; checkers compare what servers
ran with what callers were told. Each seed is one world, with a mixture of faults
of its own; the same seed gives the same run.

  holdfast sim                          a thousand worlds
  holdfast sim --minutes 30 --runs 1000000000
  holdfast sim --fault stop,cut --runs 10000
  holdfast sim --seed 17 --trace        what happens in world 17
  holdfast sim --clients 10000          so many lose their master at once
  holdfast sim --clients 10000 --spread 1s

A failover counts if a command was in flight at the fault and the promotion
completed. Of a world that fails, the faults that it does not need are left out,
and the command that replays the rest is printed.

Exit status: 0 all promises kept; 1 a promise was broken; 2 usage.)";

}  // namespace

std::string help_of_holdfast() {
   return R"(Start here:
  holdfast drill        real servers, real failovers, what became of the writes
  holdfast exec PING    one command on the server at 127.0.0.1:6379

  export HOLDFAST_URI=redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster
  holdfast exec INCR hits    the same through Sentinel, and through a failover
  holdfast resolve           where the master is
  holdfast watch             what happens there

`holdfast SUBCOMMAND --help` says more; so does `man holdfast`.

Exit status: 0 done; 1 the server answered an error, too few replicas
acknowledged, or a drill broke a promise; 2 usage; 3 not executed (unreachable,
deadline); 4 outcome unknown.)";
}

std::string help_of_exec() { return std::string(of_exec_before) + of_uris + of_exec_after; }
std::string help_of_resolve() { return std::string(of_resolve_before) + of_uris + of_resolve_after; }
std::string help_of_sim() { return of_sim; }
std::string help_of_watch() { return std::string(of_watch_before) + of_uris + of_watch_after; }

}  // namespace holdfast::cli

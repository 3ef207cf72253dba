// How a client finds its servers and what it promises its callers.
#pragma once

#include <holdfast/command_observer.hpp>
#include <holdfast/delivery.hpp>
#include <holdfast/endpoint.hpp>
#include <holdfast/event.hpp>
#include <holdfast/policy/backoff.hpp>
#include <holdfast/policy/circuit_breaker.hpp>
#include <holdfast/policy/retry_budget.hpp>
#include <holdfast/result.hpp>
#include <holdfast/time.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

// When a client follows the Sentinels to another master.
enum class cutover {
   // When a Sentinel's event names the selected node and the node itself says that it is a master, some 0.8 to 2 s
   // before the Sentinels give out its address. At risk: should the leading Sentinel die between promoting the node and
   // announcing it, the writes of that time go to a node that may not stay the master (docs/guarantees.md).
   eager,
   // When the Sentinels give out its address and the node itself says that it is a master.
   confirmed,
};

std::string_view to_string(cutover);

// What bounds the resending of commands that were written once already. A command that was never written is not resent
// but waits for a master; none of this concerns it.
struct resend_settings {
   // For each command, besides the deadline; unset: no such bound. A time bounds better than a count.
   std::optional<unsigned> max_resends = {};
   // The delay between tries to connect; the first comes at once, and with it what is to be resent. Replies that ask
   // for patience bring delays of their own: LOADING and BUSY 100 ms to 1 s, NOREPLICAS 50 to 500 ms (lab: it lasts
   // 0.8 s after a promotion), ... The default, 20 ms doubled up to 1 s with full jitter, makes some 20 tries in a
   // failover of 6 s.
   holdfast::backoff backoff = exponential_backoff();
   // For all commands of the client together: 20 % of them and 10 more each second, over 10 s.
   retry_budget_settings budget = {};
};

// What is over a limit is refused at once, with an error that says so and outcome not_executed; a reply over a limit
// ends its connection, as the rest of the stream can't be understood. All of them 1 or more.
struct limit_settings {
   // Commands waiting to be written, and their bytes together (errc::queue_full). Unset: 10 000 for `client`, whose one
   // caller fills that in a second: a flood fails fast, where a queue without bound would eat the memory in an outage
   // of 30 s. 1 000 000 for clients of many callers.
   std::optional<std::size_t> parked_commands = {};
   std::size_t parked_bytes = 64U << 20;  // 64 MiB
   // Commands written and unanswered; the others wait, parked.
   std::size_t in_flight = 10'000;
   // The same on a new connection until it has answered once: a server that has just recovered is not given everything
   // at a stroke.
   std::size_t in_flight_before_first_reply = 1000;
   // One reply with its framing, at most 4 GiB - 1. The default, 512 MiB, is Redis' own for one string
   // (proto-max-bulk-len).
   std::size_t reply_bytes = 512U << 20;
   // Levels of arrays within one reply, at most 1000. Redis' own replies have fewer than ten; a script's may have more.
   std::size_t reply_nesting = 64;
   // Values within one reply, on all levels together, at most 2^31 - 1. The smallest takes four bytes on the wire and
   // some 32 in memory: 16 Mi of them take about what the longest string does.
   std::size_t reply_elements = 16U << 20;
   // Commands that block on the server (BLPOP, XREAD BLOCK ...) at a time, each with a connection of its own,
   // where a client has many callers; the others wait for one, parked. Lanes of `dedicated()` are not counted.
   std::size_t lanes = 64;
};

// All that a client can be told. An aggregate: `config{.server = {"127.0.0.1", 6379}}`, or `config::from_uri`.
// Either `sentinels` and `master`, or `server` must be set; all else has a default that fits most. A plain value,
// read when the client is made: later changes to it have no effect. "Lab" is Redis 7.0.15 on one machine, one master,
// two replicas and three Sentinels.
struct config {
   // ---- where ----
   // The Sentinels to ask, in any order; one reachable suffices. The others of the deployment are found by asking, but
   // never forgotten are these. Port 26379 is usual.
   std::vector<endpoint> sentinels = {};
   // The name of the master as the Sentinels know it ("mymaster").
   std::string master = {};
   // One server, without Sentinels. A host with a port (6379 is usual), or the path of a Unix socket. Of a name with
   // several addresses the one that is a master is used; a replica only where the name never led to a master.
   endpoint server = {};

   // ---- who ----
   // For AUTH on the servers. AUTH is sent if either is set; without a username, it is the default user's password.
   std::string username = {};
   std::string password = {};
   // The same for the Sentinels, which have users of their own. Never guessed from the servers' ones.
   std::string sentinel_username = {};
   std::string sentinel_password = {};
   // The database that each connection selects, from 0 (default; then no SELECT is sent) up.
   unsigned db = 0;
   // For CLIENT SETNAME on each connection, to be seen in CLIENT LIST. Printable ASCII without spaces; empty: none.
   std::string client_name = {};

   // ---- how long ----
   // For each command, from when it is given to its reply: queueing, DNS, connecting, discovery and resends included.
   // More than 0. Unset: read from the deployment, max(12 s, its down-after-milliseconds + 8 s), or 10 s where no
   // Sentinel says. (A failover takes down-after and 1.2 to 1.5 s in the lab, 4.5 s by the periods in Sentinel's
   // source. Sentinels that were rebuilt from nothing must agree for ten seconds.) A blocking command's own timeout is
   // added to it. `call_options::deadline` comes first.
   std::optional<time_span> deadline = {};
   // How long a connection may be silent, while a written command waits for its reply, before it is suspected (and a
   // second one probes the server); it is given up at twice this time. A byte of a reply that comes, or of the oldest
   // command that goes, is no silence: what takes long to transfer is bounded by the deadline alone. More than 0. Keep
   // it above the time that the slowest command runs: what is given up is of unknown outcome. The default is longer
   // than a slow fork or fsync of the server stalls it. A blocking command's own timeout is added to it. A server whose
   // host is gone is noticed within 7 s, whatever stands here.
   duration attempt_timeout = std::chrono::seconds(2);
   // For one connection to a server, with its handshake and the look-up of its name. More than 0. Of a name's addresses
   // each that is silent takes as long, once a round. The default is when Linux would send its first
   // SYN again. (A Sentinel's: `sentinel_timeout`.)
   duration connect_timeout = std::chrono::seconds(1);

   // ---- what is promised ----
   // For each command; `call_options::delivery` comes first.
   holdfast::delivery delivery = holdfast::delivery::automatic;
   resend_settings resend = {};
   // Unset: no breaker. Fit for a cache, whose callers would rather have no answer than wait. It sees what became of
   // commands after their resends: a failover that was ridden out within the deadline never opens it. A new master
   // starts with a closed one.
   std::optional<circuit_breaker_settings> breaker = {};
   limit_settings limits = {};

   // ---- how a failover is met ----
   holdfast::cutover cutover = holdfast::cutover::eager;
   // Keep a connection to each replica (at most 16), for `eager`: its end is the first sign of a promotion. Without, a
   // node that is selected is connected to then, and asked for its role until it is promoted, some 10 to 250 ms apart.
   // What it costs: docs/operating.md.
   bool warm_replicas = true;
   // How long new writes are held once the Sentinels have selected a node to promote, so that none goes to the old
   // master that is to lose it. From 0 (not held) up. In the lab the promotion follows after some 70 ms; if it does
   // not, the writes go on to the old master. Reads are not held, but those behind a write that is. For `eager` only.
   duration hold_on_selected = std::chrono::milliseconds(250);
   // Each client waits a random time up to this before it reconnects to a new master (and, once more, before a warm
   // connection to a selected node is made anew), for fleets so large that they would overrun it. From 0 (the default:
   // at once) up.
   duration reconnect_spread = {};
   // Where the master that the Sentinels name says that it is a slave, go to the node that it follows, if that says
   // that it is a master, though no Sentinel names it. For deployments that move the role by the FAILOVER command
   // (Redis 6.2), of which Sentinels learn 30 s later (lab). The user needs ROLE, or INFO, for it.
   bool follow_role_hint = false;

   // ---- who is told ----
   // Told of everything that happens (event.hpp says in which thread); empty: nobody.
   holdfast::observer observer = {};

   // ---- added later; the order above is fixed ----
   // For one connection to one Sentinel, and for each of its answers. More than 0. Redis' guidelines for Sentinel
   // clients ask for a few hundred milliseconds, as the next one is to be asked then. Where nothing comes in time the
   // next try has twice as long, up to four times this; after an answer, twice what that took.
   duration sentinel_timeout = std::chrono::milliseconds(300);
   // The name servers to ask instead of the system's: "ADDRESS[:PORT],ADDRESS[:PORT]...", e.g. "127.0.0.1:8600"; empty:
   // those of resolv.conf. Search domains and /etc/hosts are the system's in any case.
   std::string name_servers = {};
   // Told of each command at its end (command_observer.hpp); empty: nobody.
   holdfast::command_observer command_observer = {};

   // Reads
   //    redis://[[USER]:PASSWORD@]HOST[:PORT][/DB][?OPTION=VALUE&...]                  port 6379
   //    unix://[[USER]:PASSWORD@]/PATH[?db=DB&...]
   //    redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]/MASTER[/DB][?...]     port 26379
   // A host is a name, an IPv4 address, or an IPv6 address in brackets. USER and PASSWORD are those of the Redis
   // servers. Names, passwords, paths and values may be percent-encoded, and must be where they would be mistaken
   // for a part of the syntax.
   // OPTION is one of: username, password, sentinel_username, sentinel_password, db, client_name; deadline,
   // attempt_timeout, connect_timeout, sentinel_timeout, hold_on_selected, reconnect_spread (a number with its unit:
   // us, ms, s, m or h, e.g. 500ms or 1.5s); delivery (automatic, at_most_once, at_least_once, exactly_once; hyphens
   // will do); max_resends; cutover (eager, confirmed); warm_replicas, follow_role_hint, breaker (true, false: with its
   // defaults).
   //
   // A bad URI is errc::invalid_argument, outcome not_executed; `causes` names the part that is wrong and what to write
   // instead, and never shows a password. rediss:// is errc::not_supported: TLS is not built yet. What it returns
   // passes `validate`.
   static result<config> from_uri(std::string_view uri);
};

// Whether a client can be made of it; if not, errc::invalid_argument (outcome not_executed), and `causes` has a line
// for each member that is wrong. The constructors of the clients throw the same as `failure`.
result<void> validate(const config&);

}  // namespace holdfast

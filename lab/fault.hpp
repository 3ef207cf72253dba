// What can be done to a deployment. One fault, one file in lab/faults/; a new one is added to lab/faults/all.hpp and to
// the list in fault.cpp, and is then known to the drill and to its --help.
#pragma once

#include "lab/deployment.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::lab {

// What a fault costs a client that rides it out. A run that costs more broke a promise; one that costs nothing, where
// something was to be lost, has shown nothing.
enum class toll {
   nothing,     // no connection with commands under way, until a replica is promoted (if one is)
   connection,  // one or more, whether commands were under way or not
   fence,       // the same, and the client comes back to the same master behind a fence
};

// What a master acknowledged and a fault may take away, replication being asynchronous. `moments` is what a client can
// do at best where nobody plans the failover: it holds one that cuts over eagerly; one that waits for the Sentinels'
// confirmation may go on writing to the old master meanwhile, and may lose all of that.
enum class loss {
   nothing,
   moments,  // what was acknowledged in the last moments before the fault
   anything,
};

// Needs of a fault: how the deployment must be. What is left out stays as the settings want it.
struct requirements {
   bool alone = false;                    // one server, without replicas and Sentinels
   unsigned replicas = 0, sentinels = 0;  // at least
   bool durable = false;
   bool proxy = false;
   milliseconds down_after = {};  // at least
   std::optional<milliseconds> failover_timeout = {};
   std::string password = {};                  // of the nodes, where none is wanted
   std::vector<std::string> node_config = {};  // besides what is wanted
};

// Defaults below that name `promotes` are computed when the value is made, and stay if `promotes` is set afterwards.
struct fault {
   std::string name;
   // What it does, in a sentence or two without a full stop at the end, for --help.
   std::string description;
   // What a run of it shows of the client, the same way.
   std::string shows = {};
   // Why it cannot be done on this machine (a program that is missing, a right that we do not have). Empty: it can. A
   // drill skips it and says so.
   std::string unavailable = {};
   requirements needs = {};
   // Whether a replica is promoted because of it. If so, it is over when that has happened and `after_promotion` was
   // called; if not, when `inject` returns.
   bool promotes = false;
   // Whether no server runs commands while it lasts, however long this machine takes for it.
   bool interrupts = false;
   // How many failovers follow from it. Where there are several, `inject` returns when the last is to come.
   unsigned failovers = promotes ? 1 : 0;
   loss may_lose = promotes ? loss::anything : loss::nothing;
   // The role is moved without the Sentinels: nobody ends the clients' connections, and no Sentinel names the new
   // master. Only a client that takes a node's own word rides it out.
   bool past_the_sentinels = false;
   // The node that a client must leave, or must never go to: what it applies is watched.
   std::optional<std::size_t> forbidden_node = promotes ? std::optional<std::size_t>(0) : std::nullopt;
   // Whether it is over only when the Sentinels have made the forbidden node a replica.
   bool lasts_until_demoted = false;
   // Whether it does something to the Sentinels, so that no other trouble of theirs can be told from it.
   bool touches_sentinels = false;
   toll costs = toll::connection;
   // Does it, while the workload runs, and returns the moment that it took effect first. Returns early (within a
   // second) if the stop is asked for, as does `after_promotion`. Throws if it cannot be done.
   std::function<clock::time_point(deployment&, const std::stop_token&)> inject = {};
   std::function<void(deployment&, const std::stop_token&)> after_promotion = [](deployment&, const std::stop_token&) {
   };

   deployment_options shape(deployment_options wanted) const;
};

// Returns when so much time has passed, or `stop` is asked for.
void pass(milliseconds, const std::stop_token& stop);

// In the order in which a drill runs them.
std::vector<fault> every_fault();
std::optional<fault> fault_named(std::string_view name);

}  // namespace holdfast::lab

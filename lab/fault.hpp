// What can be done to a deployment. One fault, one file in lab/faults/; a new one is added to lab/faults/all.hpp and to
// the list in fault.cpp, and is then known to the drill and to its --help.
#pragma once

#include "lab/deployment.hpp"

#include <cstddef>
#include <memory>
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

class fault {
 public:
   virtual ~fault() = default;

   virtual std::string_view name() const = 0;
   // What it does, in a sentence or two without a full stop at the end, for --help.
   virtual std::string_view description() const = 0;
   // What a run of it shows of the client, the same way.
   virtual std::string_view shows() const { return {}; }
   // Why it cannot be done on this machine (a program that is missing, a right that we do not have). Empty: it can. A
   // drill skips it and says so.
   virtual std::string unavailable() const { return {}; }
   // What the deployment must be like.
   virtual deployment_options shape(deployment_options wanted) const { return wanted; }
   // Whether a replica is promoted because of it. If so, it is over when that has happened and `after_promotion` was
   // called; if not, when `inject` returns.
   virtual bool promotes() const = 0;
   // Whether no server runs commands while it lasts, however long this machine takes for it.
   virtual bool interrupts() const { return false; }
   // How many failovers follow from it. Where there are several, `inject` returns when the last is to come.
   virtual unsigned failovers() const { return promotes() ? 1 : 0; }
   virtual loss may_lose() const { return promotes() ? loss::anything : loss::nothing; }
   // The role is moved without the Sentinels: nobody ends the clients' connections, and no Sentinel names the new
   // master. Only a client that takes a node's own word rides it out.
   virtual bool past_the_sentinels() const { return false; }
   // The node that a client must leave, or must never go to: what it applies is watched.
   virtual std::optional<std::size_t> forbidden_node() const {
      return promotes() ? std::optional<std::size_t>(0) : std::nullopt;
   }
   // Whether it is over only when the Sentinels have made the forbidden node a replica.
   virtual bool lasts_until_demoted() const { return false; }
   // Whether it does something to the Sentinels, so that no other trouble of theirs can be told from it.
   virtual bool touches_sentinels() const { return false; }
   virtual toll costs() const { return toll::connection; }
   // Does it, while the workload runs, and returns the moment that it took effect first. Returns early (within a
   // second) if `stop` is asked for, as does `after_promotion`. Throws if it cannot be done.
   virtual clock::time_point inject(deployment&, const std::stop_token& stop) = 0;
   virtual void after_promotion(deployment&, const std::stop_token&) {}
};

// In the order in which a drill runs them.
std::vector<std::unique_ptr<fault>> every_fault();
// Null if there is none of that name.
std::unique_ptr<fault> fault_named(std::string_view name);

}  // namespace holdfast::lab

#include "lab/faults/all.hpp"

namespace holdfast::lab {

fault faults::takeover() {
   fault f{.name = "takeover",
           .description =
              "FAILOVER (Redis 6.2 or later), behind the Sentinels' backs: a replica is made the master and the master "
              "its replica, no connection is ended, and the Sentinels name the old master for another half a minute",
           .shows =
              "that a client which may take a node's own word (--follow-role-hint) finds the new master without the "
              "Sentinels",
           .needs = {.replicas = 1, .sentinels = 1},
           .promotes = true,
           // The master holds writes back until the replica has all of them.
           .may_lose = loss::nothing,
           .past_the_sentinels = true};
   f.inject = [](deployment& d, const std::stop_token&) {
      const endpoint heir = d.node(1).address();
      control master = d.node(0).connect();
      const auto at = clock::now();
      master.run({"FAILOVER", "TO", heir.host, std::to_string(heir.port), "TIMEOUT", "5000"});
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

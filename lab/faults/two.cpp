#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr milliseconds until_elected(45000);  // a lost election is held again after 2 x failover-timeout

void await_replica(server& master, const std::stop_token& stop) {
   control connection = master.connect();
   const auto followed = [&] {
      const std::string line = connection.info("replication", "slave0");
      return line.find("state=online") != std::string::npos || stop.stop_requested();
   };
   await("a replica follows the successor", followed, until_elected, milliseconds(10));
}

}  // namespace

fault faults::two() {
   fault f{.name = "two",
           .description = "SIGKILL to the master, and to its successor as soon as a Sentinel names it",
           .shows = "a command outlives two failovers in a row, within one deadline",
           .needs = {.replicas = 2,
                     // Two Sentinels often stand for the second election at once, and it is lost. The next, after twice
                     // this time, shall still come within a command's deadline.
                     .failover_timeout = milliseconds(1700)},
           .promotes = true,
           .failovers = 2};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      const endpoint old = d.node(0).address();
      const auto at = clock::now();
      d.node(0).kill();
      endpoint successor;
      // Not sooner: the Sentinel that leads the failover would wait for what died, and give up after failover-timeout.
      const auto named = [&] {
         for (std::size_t i = 0; i < d.sentinels() && successor.empty(); ++i)
            if (const endpoint master = d.named_master(i); master != old) successor = master;
         return !successor.empty() || stop.stop_requested();
      };
      await("a Sentinel names a successor", named, until_elected, milliseconds(1));
      if (successor.empty()) return at;
      // After a lost election. A replica whose link was down for longer than ten times down-after is promoted by
      // nobody.
      if (clock::now() - at > 8 * d.options().down_after) await_replica(d.node_at(successor), stop);
      d.node_at(successor).kill();
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

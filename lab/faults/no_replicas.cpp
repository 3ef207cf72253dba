#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr milliseconds gone_for(1500);

}  // namespace

fault faults::no_replicas() {
   fault f{.name = "noreplicas",
           .description =
              "min-replicas-to-write is 1, and all replicas are gone (SIGKILL) for 1.5 s: the master refuses writes "
              "(NOREPLICAS) until one is back and has caught up",
           .shows = "that refused writes wait for the replicas with the same master, and none is lost",
           .needs = {.replicas = 1},
           .costs = toll::nothing};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      control master = d.node(0).connect();
      master.run({"CONFIG", "SET", "min-replicas-to-write", "1"});
      const auto before = refusals(master);
      for (std::size_t i = 1; i < d.nodes(); ++i) d.node(i).kill();
      const auto at = clock::now();
      await("a write was turned away", [&] { return refusals(master) != before || stop.stop_requested(); }, patience);
      pass(gone_for, stop);
      for (std::size_t i = 1; i < d.nodes(); ++i) d.node(i).start();
      await(
         "a replica is good again",
         [&] { return master.info("replication", "min_slaves_good_slaves") != "0" || stop.stop_requested(); },
         patience);
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

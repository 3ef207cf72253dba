#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr std::size_t replica = 1;

bool says_slave(const server& node) {
   try {
      return node.connect().role() == "slave";
   } catch (const control_error&) {
      return false;  // they end its connections
   }
}

}  // namespace

fault faults::rogue() {
   fault f{.name = "rogue",
           .description =
              "REPLICAOF NO ONE by hand to a replica that no Sentinel has selected, and the clients' connections to it "
              "are ended, while the master lives; until the Sentinels make it a replica again, 8 to 20 s later",
           .shows = "that nobody writes to a node that says that it is a master, if no Sentinel has said so",
           .needs = {.replicas = 1, .sentinels = 1},
           .forbidden_node = replica,
           .costs = toll::nothing};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      server& node = d.node(replica);
      control by_hand = node.connect();
      by_hand.run({"REPLICAOF", "NO", "ONE"});
      const auto at = clock::now();
      // As Sentinel does to whom it promotes: who waits for such an end is to be tempted.
      kill_workload_clients(by_hand);
      // Sentinels look at a replica every 10 s, and wait 8 s before they correct what it says of itself.
      await(
         "the Sentinels have made it a replica again", [&] { return stop.stop_requested() || says_slave(node); },
         patience, milliseconds(20));
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

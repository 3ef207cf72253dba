#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

#include <algorithm>

namespace holdfast::lab {
namespace {

constexpr std::size_t rogue = 1;
// The Sentinels look at a replica every 10 s, and wait 8 s before they correct what it says of itself.

class rogue_fault final : public fault {
 public:
   std::string_view name() const override { return "rogue"; }
   std::string_view description() const override {
      return "REPLICAOF NO ONE by hand to a replica that no Sentinel has selected, and the clients' connections to it "
             "are ended, while the master lives; until the Sentinels make it a replica again, 8 to 20 s later";
   }
   std::string_view shows() const override {
      return "that nobody writes to a node that says that it is a master, if no Sentinel has said so";
   }
   deployment_options shape(deployment_options wanted) const override {
      wanted.replicas = std::max(wanted.replicas, 1U);
      wanted.sentinels = std::max(wanted.sentinels, 1U);
      return wanted;
   }
   bool promotes() const override { return false; }
   std::optional<std::size_t> forbidden_node() const override { return rogue; }
   toll costs() const override { return toll::nothing; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      server& node = d.node(rogue);
      control by_hand = node.connect();
      by_hand.run({"REPLICAOF", "NO", "ONE"});
      const auto at = clock::now();
      // As Sentinel does to whom it promotes: who waits for such an end is to be tempted.
      kill_workload_clients(by_hand);
      await(
         "the Sentinels have made it a replica again", [&] { return stop.stop_requested() || says_slave(node); },
         patience, milliseconds(20));
      return at;
   }

 private:
   static bool says_slave(const server& node) {
      try {
         return node.connect().role() == "slave";
      } catch (const control_error&) {
         return false;  // they end its connections
      }
   }
};

}  // namespace

std::unique_ptr<fault> make_rogue() { return std::make_unique<rogue_fault>(); }

}  // namespace holdfast::lab

#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

#include <algorithm>

namespace holdfast::lab {
namespace {

constexpr milliseconds gone_for(1500);

class no_replicas_fault final : public fault {
 public:
   std::string_view name() const override { return "noreplicas"; }
   std::string_view description() const override {
      return "min-replicas-to-write is 1, and all replicas are gone (SIGKILL) for 1.5 s: the master refuses writes "
             "(NOREPLICAS) until one is back and has caught up";
   }
   std::string_view shows() const override {
      return "that refused writes wait for the replicas with the same master, and none is lost";
   }
   deployment_options shape(deployment_options wanted) const override {
      wanted.replicas = std::max(wanted.replicas, 1U);
      return wanted;
   }
   bool promotes() const override { return false; }
   toll costs() const override { return toll::nothing; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      control master = d.node(0).connect();
      master.run({"CONFIG", "SET", "min-replicas-to-write", "1"});
      const auto before = refusals(master);
      for (std::size_t i = 1; i < d.nodes(); ++i) d.node(i).kill();
      const auto at = clock::now();
      await("a write was turned away", [&] { return refusals(master) != before || stop.stop_requested(); }, patience);
      became_true([&] { return stop.stop_requested(); }, gone_for);
      for (std::size_t i = 1; i < d.nodes(); ++i) d.node(i).start();
      await(
         "a replica is good again",
         [&] { return master.info("replication", "min_slaves_good_slaves") != "0" || stop.stop_requested(); },
         patience);
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_no_replicas() { return std::make_unique<no_replicas_fault>(); }

}  // namespace holdfast::lab

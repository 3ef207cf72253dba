#include "lab/faults/all.hpp"

#include <algorithm>

namespace holdfast::lab {
namespace {

class takeover_fault final : public fault {
 public:
   std::string_view name() const override { return "takeover"; }
   std::string_view description() const override {
      return "FAILOVER (Redis 6.2 or later), behind the Sentinels' backs: a replica is made the master and the master "
             "its replica, no connection is ended, and the Sentinels name the old master for another half a minute";
   }
   std::string_view shows() const override {
      return "that a client which may take a node's own word (--follow-role-hint) finds the new master without the "
             "Sentinels";
   }
   deployment_options shape(deployment_options wanted) const override {
      wanted.replicas = std::max(wanted.replicas, 1U);
      wanted.sentinels = std::max(wanted.sentinels, 1U);
      return wanted;
   }
   bool promotes() const override { return true; }
   // The master holds writes back until the replica has all of them.
   loss may_lose() const override { return loss::nothing; }
   bool past_the_sentinels() const override { return true; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      const endpoint heir = d.node(1).address();
      control master = d.node(0).connect();
      const auto at = clock::now();
      master.run({"FAILOVER", "TO", heir.host, std::to_string(heir.port), "TIMEOUT", "5000"});
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_takeover() { return std::make_unique<takeover_fault>(); }

}  // namespace holdfast::lab

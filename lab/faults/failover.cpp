#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

class failover_fault final : public fault {
 public:
   std::string_view name() const override { return "failover"; }
   std::string_view description() const override {
      return "SENTINEL FAILOVER: planned; the old master goes on acknowledging writes that will be lost";
   }
   std::string_view shows() const override { return "how soon the client leaves the old master"; }
   bool promotes() const override { return true; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      // The last one: what a client's first Sentinel does is another matter.
      control sentinel = d.sentinel(d.sentinels() - 1).connect();
      const auto at = clock::now();
      sentinel.run({"SENTINEL", "FAILOVER", d.options().master_name});
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_failover() { return std::make_unique<failover_fault>(); }

}  // namespace holdfast::lab

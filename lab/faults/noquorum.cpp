#include "lab/faults/all.hpp"

#include <algorithm>

namespace holdfast::lab {
namespace {

constexpr milliseconds without_quorum_for(2500);

class noquorum_fault final : public fault {
 public:
   std::string_view name() const override { return "noquorum"; }
   std::string_view description() const override {
      return "SIGKILL to all Sentinels but the last, and to the master; the Sentinels are started again 2.5 s later";
   }
   std::string_view shows() const override {
      return "commands wait until there is a quorum again, and the Sentinels that come back are believed";
   }
   deployment_options shape(deployment_options wanted) const override {
      wanted.sentinels = std::max(wanted.sentinels, 3U);
      return wanted;
   }
   bool promotes() const override { return true; }
   loss may_lose() const override { return loss::moments; }
   bool touches_sentinels() const override { return true; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      // Ended, not stopped: one that wakes after more than 2 s is in TILT, and takes part in nothing for half a minute.
      for (std::size_t i = 0; i + 1 < d.sentinels(); ++i) d.sentinel(i).kill();
      const auto at = clock::now();
      d.node(0).kill();
      became_true([&] { return stop.stop_requested(); }, without_quorum_for);
      if (stop.stop_requested()) return at;
      for (std::size_t i = 0; i + 1 < d.sentinels(); ++i) d.sentinel(i).start();
      for (std::size_t i = 0; i + 1 < d.sentinels(); ++i) d.sentinel(i).await_pong();
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_noquorum() { return std::make_unique<noquorum_fault>(); }

}  // namespace holdfast::lab

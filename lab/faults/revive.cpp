#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

class revive_fault final : public fault {
 public:
   std::string_view name() const override { return "revive"; }
   std::string_view description() const override {
      return "SIGKILL to the master, with appendonly and fsync always; after the promotion it is started again, says "
             "that it is a master, and takes writes until the Sentinels make it a replica, some 10 s later";
   }
   std::string_view shows() const override {
      return "that a master that comes back with its old data is not written to, though nobody but the Sentinels knows "
             "better";
   }
   deployment_options shape(deployment_options wanted) const override {
      wanted.durable = true;
      return wanted;
   }
   bool promotes() const override { return true; }
   loss may_lose() const override { return loss::moments; }
   bool lasts_until_demoted() const override { return true; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      const auto at = clock::now();
      d.node(0).kill();
      return at;
   }
   void after_promotion(deployment& d, const std::stop_token&) override {
      d.node(0).start();
      d.node(0).await_pong();
   }
};

}  // namespace

std::unique_ptr<fault> make_revive() { return std::make_unique<revive_fault>(); }

}  // namespace holdfast::lab

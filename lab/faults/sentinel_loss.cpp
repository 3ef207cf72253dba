#include "lab/deaf_listener.hpp"
#include "lab/faults/all.hpp"

#include <algorithm>

namespace holdfast::lab {
namespace {

class sentinel_loss_fault final : public fault {
 public:
   std::string_view name() const override { return "sentinel-loss"; }
   std::string_view description() const override {
      return "SIGSTOP to the first Sentinel of the client's list, then SIGKILL to the master";
   }
   std::string_view shows() const override {
      return "a Sentinel that hangs delays nothing: the others are heard as soon";
   }
   deployment_options shape(deployment_options wanted) const override {
      wanted.sentinels = std::max(wanted.sentinels, 3U);
      return wanted;
   }
   bool promotes() const override { return true; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      d.sentinel(0).stop();
      const auto at = clock::now();
      d.node(0).kill();
      return at;
   }
};

// The Sentinel has ended, and what listens at its place never answers.
class sentinel_deaf_fault final : public fault {
 public:
   std::string_view name() const override { return "sentinel-deaf"; }
   std::string_view description() const override {
      return "at the address of the first Sentinel somebody listens who never answers; then SIGKILL to the master";
   }
   std::string_view shows() const override {
      return "connecting anew to a Sentinel that never answers delays nothing either";
   }
   deployment_options shape(deployment_options wanted) const override {
      wanted.sentinels = std::max(wanted.sentinels, 3U);
      return wanted;
   }
   bool promotes() const override { return true; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      d.sentinel(0).kill();
      silence_ = std::make_unique<deaf_listener>(d.sentinel(0).own_address());
      const auto at = clock::now();
      d.node(0).kill();
      return at;
   }

 private:
   std::unique_ptr<deaf_listener> silence_ = {};
};

}  // namespace

std::unique_ptr<fault> make_sentinel_loss() { return std::make_unique<sentinel_loss_fault>(); }

std::unique_ptr<fault> make_sentinel_deaf() { return std::make_unique<sentinel_deaf_fault>(); }

}  // namespace holdfast::lab

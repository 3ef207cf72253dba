#include "lab/faults/all.hpp"

#include <thread>

namespace holdfast::lab {
namespace {

constexpr milliseconds down_for(500);

class restart_fault final : public fault {
 public:
   std::string_view name() const override { return "restart"; }
   std::string_view description() const override {
      return "one server without Sentinel, appendonly with fsync always: SIGKILL, and started again half a second "
             "later";
   }
   std::string_view shows() const override { return "that refused connections are waited out"; }
   deployment_options shape(deployment_options wanted) const override {
      wanted.replicas = 0;
      wanted.sentinels = 0;
      wanted.durable = true;
      return wanted;
   }
   bool promotes() const override { return false; }
   bool interrupts() const override { return true; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      const auto at = clock::now();
      d.node(0).kill();
      std::this_thread::sleep_for(down_for);
      d.node(0).start();
      d.node(0).await_pong();
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_restart() { return std::make_unique<restart_fault>(); }

}  // namespace holdfast::lab

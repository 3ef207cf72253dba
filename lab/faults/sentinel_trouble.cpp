#include "lab/sentinel_trouble.hpp"

#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

// The death of a master while something is the matter with a Sentinel.
class kill_in_trouble : public fault {
 public:
   explicit kill_in_trouble(trouble what) : what_(what) {}
   deployment_options shape(deployment_options wanted) const override { return shape_for(what_, std::move(wanted)); }
   bool promotes() const override { return true; }
   loss may_lose() const override { return loss::moments; }
   bool touches_sentinels() const override { return true; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      sentinel_.emplace(what_, d, stop);
      const auto at = clock::now();
      d.node(0).kill();
      return at;
   }

 private:
   trouble what_;
   std::optional<troubled_sentinel> sentinel_ = {};
};

class sentinel_loss_fault final : public kill_in_trouble {
 public:
   sentinel_loss_fault() : kill_in_trouble(trouble::stopped) {}
   std::string_view name() const override { return "sentinel-loss"; }
   std::string_view description() const override {
      return "SIGSTOP to the first Sentinel of the client's list, then SIGKILL to the master";
   }
   std::string_view shows() const override {
      return "a Sentinel that hangs delays nothing: the others are heard as soon";
   }
};

class sentinel_deaf_fault final : public kill_in_trouble {
 public:
   sentinel_deaf_fault() : kill_in_trouble(trouble::deaf) {}
   std::string_view name() const override { return "sentinel-deaf"; }
   std::string_view description() const override {
      return "at the address of the first Sentinel somebody listens who never answers; then SIGKILL to the master";
   }
   std::string_view shows() const override {
      return "connecting anew to a Sentinel that never answers delays nothing either";
   }
};

class sentinel_stale_fault final : public kill_in_trouble {
 public:
   sentinel_stale_fault() : kill_in_trouble(trouble::stale) {}
   std::string_view name() const override { return "sentinel-stale"; }
   std::string_view description() const override {
      return "the first Sentinel is cut off from all servers, but not from clients; then SIGKILL to the master: it "
             "goes on naming what is dead";
   }
   std::string_view shows() const override {
      return "of what the Sentinels say the newest epoch counts, not the first answer";
   }
};

}  // namespace

std::unique_ptr<fault> make_sentinel_loss() { return std::make_unique<sentinel_loss_fault>(); }

std::unique_ptr<fault> make_sentinel_deaf() { return std::make_unique<sentinel_deaf_fault>(); }

std::unique_ptr<fault> make_sentinel_stale() { return std::make_unique<sentinel_stale_fault>(); }

}  // namespace holdfast::lab

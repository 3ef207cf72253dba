#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

class kill_fault final : public fault {
 public:
   std::string_view name() const override { return "kill"; }
   std::string_view description() const override { return "SIGKILL to the master: its connections end at once"; }
   std::string_view shows() const override {
      return "the wait for a new master, and what becomes of the one command in flight";
   }
   bool promotes() const override { return true; }
   loss may_lose() const override { return loss::moments; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      const auto at = clock::now();
      d.node(0).kill();
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_kill() { return std::make_unique<kill_fault>(); }

}  // namespace holdfast::lab

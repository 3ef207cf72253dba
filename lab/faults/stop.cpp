#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

class stop_fault final : public fault {
 public:
   std::string_view name() const override { return "stop"; }
   std::string_view description() const override {
      return "SIGSTOP to the master: its connections stay, nothing answers; after the promotion it wakes, still a "
             "master";
   }
   std::string_view shows() const override {
      return "that silence is noticed, and that a master that wakes up too late is not believed";
   }
   bool promotes() const override { return true; }
   loss may_lose() const override { return loss::moments; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      d.node(0).stop();
      return clock::now();
   }
   void after_promotion(deployment& d, const std::stop_token&) override { d.node(0).resume(); }
};

}  // namespace

std::unique_ptr<fault> make_stop() { return std::make_unique<stop_fault>(); }

}  // namespace holdfast::lab

#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

class shutdown_fault final : public fault {
 public:
   std::string_view name() const override { return "shutdown"; }
   std::string_view description() const override {
      return "SHUTDOWN: the master waits for its replicas, then ends its connections and itself";
   }
   std::string_view shows() const override { return "the same as kill, with a farewell"; }
   bool promotes() const override { return true; }
   loss may_lose() const override { return loss::moments; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      server& master = d.node(0);
      control connection = master.connect(milliseconds(12000));
      const auto at = clock::now();
      try {
         const reply refused = connection.ask({"SHUTDOWN", "NOSAVE"});
         throw std::runtime_error("the master refused to shut down: " + refused.text);
      } catch (const control_error&) {
         // Obeyed: it ends without an answer.
      }
      if (!master.ended(milliseconds(5000))) throw fact_missing("the master does not shut down");
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_shutdown() { return std::make_unique<shutdown_fault>(); }

}  // namespace holdfast::lab

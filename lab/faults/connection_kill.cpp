#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

#include <thread>

namespace holdfast::lab {
namespace {

constexpr milliseconds between_rounds(20);  // some commands shall succeed between two storms

class connection_kill_fault final : public fault {
 public:
   explicit connection_kill_fault(unsigned rounds)
      : rounds_(rounds),
        description_("a storm of CLIENT KILL: the master ends every client's connection, " + std::to_string(rounds) +
                     " times, 20 ms apart") {}
   std::string_view name() const override { return "connkill"; }
   std::string_view description() const override { return description_; }
   std::string_view shows() const override { return "the same, at the hands of the server"; }
   bool promotes() const override { return false; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      control master = d.node(0).connect();
      const auto at = clock::now();
      for (unsigned i = 0; i < rounds_ && !stop.stop_requested(); ++i) {
         await(
            "a client is connected to be killed",
            [&] { return kill_workload_clients(master) != 0 || stop.stop_requested(); }, patience, milliseconds(1));
         std::this_thread::sleep_for(between_rounds);
      }
      return at;
   }

 private:
   unsigned rounds_;
   std::string description_;
};

}  // namespace

std::unique_ptr<fault> make_connection_kill(unsigned rounds) { return std::make_unique<connection_kill_fault>(rounds); }

}  // namespace holdfast::lab

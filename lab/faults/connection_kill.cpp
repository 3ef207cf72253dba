#include "lab/faults/all.hpp"

#include <sstream>
#include <thread>

namespace holdfast::lab {
namespace {

constexpr unsigned rounds = 20;
constexpr milliseconds between_rounds(20);  // some commands shall succeed between two storms
constexpr milliseconds patience(15000);

// The ids of the workload's connections in the answer to CLIENT LIST: neither the Sentinels' nor the lab's own, which
// have told their names.
std::vector<std::string> strangers(const std::string& list, const std::string& own_id) {
   std::vector<std::string> ids;
   std::istringstream lines(list);
   for (std::string line; std::getline(lines, line);) {
      const std::string id = line.substr(3, line.find(' ') - 3);
      const bool sentinel = line.find(" name=sentinel-") != std::string::npos;
      const bool ours = id == own_id || line.find(" name=lab ") != std::string::npos;
      if (!sentinel && !ours) ids.push_back(id);
   }
   return ids;
}

class connection_kill_fault final : public fault {
 public:
   std::string_view name() const override { return "connkill"; }
   std::string_view description() const override {
      return "a storm of CLIENT KILL: the master ends every client's connection, 20 times, 20 ms apart";
   }
   bool promotes() const override { return false; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      control master = d.node(0).connect();
      const std::string own_id = std::to_string(master.client_id());
      const auto at = clock::now();
      for (unsigned i = 0; i < rounds && !stop.stop_requested(); ++i) {
         await(
            "a client is connected to be killed",
            [&] { return kill_all(master, own_id) != 0 || stop.stop_requested(); }, patience, milliseconds(1));
         std::this_thread::sleep_for(between_rounds);
      }
      return at;
   }

 private:
   static std::size_t kill_all(control& master, const std::string& own_id) {
      std::vector<std::vector<std::string>> kills;
      for (const std::string& id : strangers(master.run({"CLIENT", "LIST", "TYPE", "normal"}).text, own_id))
         kills.push_back({"CLIENT", "KILL", "ID", id});
      master.run_all(kills);
      return kills.size();
   }
};

}  // namespace

std::unique_ptr<fault> make_connection_kill() { return std::make_unique<connection_kill_fault>(); }

}  // namespace holdfast::lab

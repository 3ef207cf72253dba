#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr milliseconds full_for(2000);

class max_clients_fault final : public fault {
 public:
   std::string_view name() const override { return "maxclients"; }
   std::string_view description() const override {
      return "the master is full: the clients' connections are ended, and new ones turned away (max number of clients "
             "reached) for 2 s";
   }
   std::string_view shows() const override {
      return "that the client comes back when there is room, and asks a full server less and less often";
   }
   bool promotes() const override { return false; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      control master = d.node(0).connect();
      const std::string room = master.run({"CONFIG", "GET", "maxclients"}).field("maxclients");
      const auto turned_away = [&] { return master.info("stats", "rejected_connections"); };
      const std::string before = turned_away();
      const auto at = clock::now();
      // Those that are in stay in: Sentinels, replicas, and this one.
      master.run({"CONFIG", "SET", "maxclients", "1"});
      kill_workload_clients(master);
      await("a connection was turned away", [&] { return turned_away() != before || stop.stop_requested(); }, patience);
      became_true([&] { return stop.stop_requested(); }, full_for);
      master.run({"CONFIG", "SET", "maxclients", room});
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_max_clients() { return std::make_unique<max_clients_fault>(); }

}  // namespace holdfast::lab

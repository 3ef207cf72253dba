#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr milliseconds full_for(2000);

}  // namespace

fault faults::max_clients() {
   fault f{.name = "maxclients",
           .description =
              "the master is full: the clients' connections are ended, and new ones turned away (max number of clients "
              "reached) for 2 s",
           .shows = "that the client comes back when there is room, and asks a full server less and less often"};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      control master = d.node(0).connect();
      const std::string room = master.run({"CONFIG", "GET", "maxclients"}).field("maxclients");
      const auto turned_away = [&] { return master.info("stats", "rejected_connections"); };
      const std::string before = turned_away();
      const auto at = clock::now();
      // Those that are in stay in: Sentinels, replicas, and this one.
      master.run({"CONFIG", "SET", "maxclients", "1"});
      kill_workload_clients(master);
      await("a connection was turned away", [&] { return turned_away() != before || stop.stop_requested(); }, patience);
      pass(full_for, stop);
      master.run({"CONFIG", "SET", "maxclients", room});
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

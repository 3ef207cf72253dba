#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr milliseconds between_rounds(20);  // some commands shall succeed between two storms

}  // namespace

fault faults::connection_kill(unsigned rounds) {
   fault f{.name = "connkill",
           .description = "a storm of CLIENT KILL: the master ends every client's connection, " +
                          std::to_string(rounds) + " times, 20 ms apart",
           .shows = "the same, at the hands of the server"};
   f.inject = [rounds](deployment& d, const std::stop_token& stop) {
      control master = d.node(0).connect();
      const auto at = clock::now();
      for (unsigned i = 0; i < rounds && !stop.stop_requested(); ++i) {
         await(
            "a client is connected to be killed",
            [&] { return kill_workload_clients(master) != 0 || stop.stop_requested(); }, patience, milliseconds(1));
         pass(between_rounds, stop);
      }
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

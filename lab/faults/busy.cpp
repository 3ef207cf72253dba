#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

#include <thread>

namespace holdfast::lab {
namespace {

constexpr milliseconds busy_for(3000);

void run_for_ever(const server& node) {
   try {
      control connection = node.connect(busy_for + patience);
      connection.ask({"EVAL", "while true do end", "0"});  // an error: it is killed
   } catch (const control_error&) {
      // The server has ended: `inject` says so.
   }
}

}  // namespace

fault faults::busy() {
   fault f{.name = "busy",
           .description =
              "one server without Sentinel: somebody's Lua script runs for 3 s, and from 100 ms on the server answers "
              "everything with BUSY; then SCRIPT KILL",
           .shows =
              "that refused commands wait for the script's end. (Sentinels take BUSY for silence: after down-after "
              "they send SCRIPT KILL, and fail over)",
           .needs = {.alone = true},
           .costs = toll::nothing};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      control master = d.node(0).connect(patience);
      master.run({"CONFIG", "SET", "lua-time-limit", "100"});  // its name before Redis 7, which still knows it
      const auto before = refusals(master);
      clock::time_point at;
      std::jthread somebody([&d] { run_for_ever(d.node(0)); });
      const auto is_busy = [&] {
         const auto asked = clock::now();
         const bool pongs = master.pongs();
         if (pongs) at = asked;
         return !pongs;
      };
      await("the server is busy", is_busy, patience);
      pass(busy_for, stop);
      master.run({"SCRIPT", "KILL"});
      somebody.join();
      if (!stop.stop_requested() && refusals(master) == before) throw fact_missing("no command was turned away");
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr unsigned rounds = 6;

// Something is written again, so that the next round meets another command.
void await_writes(control& master, const std::stop_token& stop) {
   const auto changes = [&] { return master.info("persistence", "rdb_changes_since_last_save"); };
   const std::string before = changes();
   await("a write passes again", [&] { return changes() != before || stop.stop_requested(); }, patience);
}

}  // namespace

fault faults::out_of_memory() {
   fault f{.name = "oom",
           .description =
              "maxmemory is set below what is in use, with noeviction, and lifted again as soon as a write was turned "
              "away; 6 times",
           .shows =
              "that a write turned away for want of memory is sent again, a few times and not at once; one that meets "
              "OOM for longer than some 350 ms is told to its caller",
           .costs = toll::nothing};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      control master = d.node(0).connect();
      master.run({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
      const auto at = clock::now();
      for (unsigned i = 0; i < rounds && !stop.stop_requested(); ++i) {
         const auto before = refusals(master);
         master.run({"CONFIG", "SET", "maxmemory", "1"});
         await(
            "a write was turned away", [&] { return refusals(master) != before || stop.stop_requested(); }, patience);
         // At once: a client asks a server that says OOM again a few times only, as nobody fails over because of it,
         // and memory that is full for long is for the caller to know.
         master.run({"CONFIG", "SET", "maxmemory", "0"});
         await_writes(master, stop);
      }
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

namespace holdfast::lab {
fault faults::misconf() {
   fault f{.name = "misconf",
           .description =
              "the master cannot save its snapshot any more (a directory is in its way): it answers writes and PING "
              "with MISCONF, reads still work, and the Sentinels, who count that PING as none, replace it",
           .shows = "that refused writes wait for the new master; none is lost, as the old one took no more",
           .promotes = true,
           // From the first refusal on it acknowledges nothing, and its replicas have a second to get what was before.
           .may_lose = loss::nothing,
           .costs = toll::nothing};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      control master = d.node(0).connect();
      std::filesystem::create_directory(d.folder() / d.node(0).name() / "dump.rdb");
      master.run({"CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"});
      master.run({"CONFIG", "SET", "save", "3600 1"});
      const auto before = refusals(master);
      master.run({"BGSAVE"});
      await(
         "a snapshot failed",
         [&] { return master.info("persistence", "rdb_last_bgsave_status") == "err" || stop.stop_requested(); },
         patience, milliseconds(1));
      const auto at = clock::now();
      await("a write was turned away", [&] { return refusals(master) != before || stop.stop_requested(); }, patience);
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

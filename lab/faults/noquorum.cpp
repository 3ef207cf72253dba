#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr milliseconds without_quorum_for(2500);

}  // namespace

fault faults::noquorum() {
   fault f{.name = "noquorum",
           .description =
              "SIGKILL to all Sentinels but the last, and to the master; the Sentinels are started again 2.5 s later",
           .shows = "commands wait until there is a quorum again, and the Sentinels that come back are believed",
           .needs = {.sentinels = 3},
           .promotes = true,
           .may_lose = loss::moments,
           .touches_sentinels = true};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      // Ended, not stopped: one that wakes after more than 2 s is in TILT, and takes part in nothing for half a minute.
      for (std::size_t i = 0; i + 1 < d.sentinels(); ++i) d.sentinel(i).kill();
      const auto at = clock::now();
      d.node(0).kill();
      pass(without_quorum_for, stop);
      if (stop.stop_requested()) return at;
      for (std::size_t i = 0; i + 1 < d.sentinels(); ++i) d.sentinel(i).start();
      for (std::size_t i = 0; i + 1 < d.sentinels(); ++i) d.sentinel(i).await_pong();
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

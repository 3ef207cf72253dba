#include "lab/faults/all.hpp"

namespace holdfast::lab {

fault faults::kill() {
   fault f{.name = "kill",
           .description = "SIGKILL to the master: its connections end at once",
           .shows = "the wait for a new master, and what becomes of the one command in flight",
           .promotes = true,
           .may_lose = loss::moments};
   f.inject = [](deployment& d, const std::stop_token&) {
      const auto at = clock::now();
      d.node(0).kill();
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

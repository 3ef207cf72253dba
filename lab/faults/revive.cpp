#include "lab/faults/all.hpp"

namespace holdfast::lab {

fault faults::revive() {
   fault f = kill();
   f.name = "revive";
   f.description =
      "SIGKILL to the master, with appendonly and fsync always; after the promotion it is started again, says that it "
      "is a master, and takes writes until the Sentinels make it a replica, some 10 s later";
   f.shows =
      "that a master that comes back with its old data is not written to, though nobody but the Sentinels knows better";
   f.needs.durable = true;
   f.lasts_until_demoted = true;
   f.after_promotion = [](deployment& d, const std::stop_token&) {
      d.node(0).start();
      d.node(0).await_pong();
   };
   return f;
}

}  // namespace holdfast::lab

#include "lab/sentinel_trouble.hpp"

#include "lab/faults/all.hpp"

namespace holdfast::lab {

// Each is the death of a master while something is the matter with a Sentinel.

fault faults::sentinel_loss() {
   fault f = with_trouble(trouble::stopped, kill());
   f.name = "sentinel-loss";
   f.description = "SIGSTOP to the first Sentinel of the client's list, then SIGKILL to the master";
   f.shows = "a Sentinel that hangs delays nothing: the others are heard as soon";
   return f;
}

fault faults::sentinel_deaf() {
   fault f = with_trouble(trouble::deaf, kill());
   f.name = "sentinel-deaf";
   f.description =
      "at the address of the first Sentinel somebody listens who never answers; then SIGKILL to the master";
   f.shows = "connecting anew to a Sentinel that never answers delays nothing either";
   return f;
}

fault faults::sentinel_stale() {
   fault f = with_trouble(trouble::stale, kill());
   f.name = "sentinel-stale";
   f.description =
      "the first Sentinel is cut off from all servers, but not from clients; then SIGKILL to the master: it goes on "
      "naming what is dead";
   f.shows = "of what the Sentinels say the newest epoch counts, not the first answer";
   return f;
}

}  // namespace holdfast::lab

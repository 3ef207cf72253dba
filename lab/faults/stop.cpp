#include "lab/faults/all.hpp"

namespace holdfast::lab {

fault faults::stop() {
   fault f{
      .name = "stop",
      .description =
         "SIGSTOP to the master: its connections stay, nothing answers; after the promotion it wakes, still a master",
      .shows = "that silence is noticed, and that a master that wakes up too late is not believed",
      .promotes = true,
      .may_lose = loss::moments};
   f.inject = [](deployment& d, const std::stop_token&) {
      d.node(0).stop();
      return clock::now();
   };
   f.after_promotion = [](deployment& d, const std::stop_token&) { d.node(0).resume(); };
   return f;
}

}  // namespace holdfast::lab

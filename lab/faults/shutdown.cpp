#include "lab/faults/all.hpp"

namespace holdfast::lab {

fault faults::shutdown() {
   fault f{.name = "shutdown",
           .description = "SHUTDOWN: the master waits for its replicas, then ends its connections and itself",
           .shows = "the same as kill, with a farewell",
           .promotes = true,
           .may_lose = loss::moments};
   f.inject = [](deployment& d, const std::stop_token&) {
      server& master = d.node(0);
      control connection = master.connect(milliseconds(12000));
      const auto at = clock::now();
      try {
         const reply refused = connection.ask({"SHUTDOWN", "NOSAVE"});
         throw std::runtime_error("the master refused to shut down: " + refused.text);
      } catch (const control_error&) {
         // Obeyed: it ends without an answer.
      }
      if (!master.ended(milliseconds(5000))) throw fact_missing("the master does not shut down");
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

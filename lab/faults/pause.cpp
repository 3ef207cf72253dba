#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

#include <sys/socket.h>

#include <future>
#include <optional>

namespace holdfast::lab {
namespace {

// Longer than a client waits for a reply before it grows suspicious, and shorter than it waits before it gives up.
constexpr milliseconds paused_for(3000);

}  // namespace

fault faults::pause() {
   fault f{.name = "pause",
           .description =
              "one server without Sentinel: CLIENT PAUSE of 3 s, first of writes, then of all commands: they are "
              "neither answered nor refused, and run when it ends",
           .shows =
              "that a long silence raises suspicion and costs nothing else: no connection is given up, nothing becomes "
              "unknown",
           .needs = {.alone = true},
           .costs = toll::nothing};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      control master = d.node(0).connect(paused_for + patience);
      std::optional<clock::time_point> at;
      for (const char* what : {"WRITE", "ALL"}) {
         if (stop.stop_requested()) break;
         // A write on a connection of our own stands in line with those of the workload.
         control waiting = d.node(0).connect(paused_for + patience);
         const auto begun = clock::now();
         master.run({"CLIENT", "PAUSE", std::to_string(paused_for.count()), what});
         if (!at) at = clock::now();
         auto passed = std::async(std::launch::async, [&] { waiting.run({"DEL", "lab:paused"}); });
         const auto over = [&] { return passed.wait_for(milliseconds(0)) == std::future_status::ready; };
         await("the pause is over", [&] { return over() || stop.stop_requested(); }, paused_for + patience);
         // Nothing that could be said to the server ends a pause of all commands: only our own waiting ends.
         if (!over()) ::shutdown(waiting.descriptor(), SHUT_RDWR);
         if (stop.stop_requested()) break;
         passed.get();
         // Servers count whole milliseconds.
         if (clock::now() - begun < paused_for - milliseconds(10))
            throw fact_missing("a write passed during the pause");
      }
      return at.value_or(clock::now());
   };
   return f;
}

}  // namespace holdfast::lab

#include "lab/faults/all.hpp"

#include <optional>

namespace holdfast::lab {
namespace {

constexpr unsigned replies_lost = 3;

}  // namespace

fault faults::reply_loss() {
   fault f{.name = "replyloss",
           .description =
              "a proxy passes a write on to the master, swallows the reply and resets the connection; INCR, RPUSH and "
              "SET, 3 times each",
           .shows = "that a write is never sent twice, and is reported as unknown where it may have run",
           .needs = {.proxy = true},
           .costs = toll::fence};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      fault_proxy& between = *d.proxy();
      std::optional<clock::time_point> first;
      for (unsigned i = 0; i < replies_lost; ++i) {
         // Only a workload says these; Sentinels and replicas pass through unharmed.
         for (const char* marker : {"\r\nINCR\r\n", "\r\nRPUSH\r\n", "\r\nSET\r\n"}) {
            between.lose_reply_to(marker);
            await(
               "a reply was lost", [&] { return between.done() || stop.stop_requested(); }, patience, milliseconds(1));
            if (!first) first = between.last_loss();
            if (stop.stop_requested()) return *first;
         }
      }
      return *first;
   };
   return f;
}

}  // namespace holdfast::lab

#include "lab/faults/all.hpp"

#include <set>

namespace holdfast::lab {
namespace {

// The proxy is what clients, replicas and Sentinels know as the master; only the checker has another way to it.
clock::time_point keep_apart(deployment& d, const std::stop_token&) {
   const auto at = clock::now();
   d.proxy()->hold();
   return at;
}

void await_majority_against(const endpoint& old, deployment& d, const std::stop_token& stop) {
   std::set<std::size_t> silent;  // not to be asked again: to wait for one that hangs takes time
   const auto names_another = [&](std::size_t i) {
      try {
         return !silent.contains(i) && d.named_master(i) != old;
      } catch (const control_error&) {
         silent.insert(i);
         return false;
      }
   };
   const auto majority = [&] {
      std::size_t count = 0;
      for (std::size_t i = 0; i < d.sentinels(); ++i) count += names_another(i);
      return stop.stop_requested() || 2 * count > d.sentinels();
   };
   await("a majority of the Sentinels names the new master", majority, patience);
}

}  // namespace

fault faults::partition() {
   fault f{.name = "partition",
           .description =
              "a proxy before the master passes nothing on, and a connect through it hangs; when a majority of the "
              "Sentinels names the new master, it delivers what was held",
           .shows =
              "the command in flight is given up when the Sentinels name another master, and what the old master makes "
              "of it afterwards counts nowhere",
           .needs = {.proxy = true},
           .promotes = true,
           .may_lose = loss::moments,
           .inject = keep_apart};
   f.after_promotion = [](deployment& d, const std::stop_token& stop) {
      await_majority_against(d.node(0).address(), d, stop);
      d.proxy()->heal(fault_proxy::healing::intact);
   };
   return f;
}

fault faults::partition_reset() {
   fault f = partition();
   f.name = "partition-reset";
   f.description =
      "the same, but it heals at the promotion, when the Sentinels still name the old master, and resets the "
      "connections";
   f.shows = "the old master is written to as long as the Sentinels name it, behind a fence";
   f.after_promotion = [](deployment& d, const std::stop_token&) { d.proxy()->heal(fault_proxy::healing::reset); };
   return f;
}

// Over before a Sentinel takes it for a death.
fault faults::blackout() {
   fault f{.name = "blackout",
           .description =
              "the proxy passes nothing on for 6 s, less than down-after, and then delivers what was held: nobody is "
              "promoted",
           .shows =
              "the client gives its connection up and comes back to the same master together with what it had said "
              "before: behind a fence",
           .needs = {.proxy = true, .down_after = milliseconds(15000)},
           .costs = toll::fence};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      const auto at = keep_apart(d, stop);
      pass(milliseconds(6000), stop);
      d.proxy()->heal(fault_proxy::healing::intact);
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

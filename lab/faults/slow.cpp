#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr milliseconds lasting(5000);

auto delay(milliseconds each_way) {
   return [each_way](deployment& d, const std::stop_token& stop) {
      const auto at = clock::now();
      const auto late = both_ways({.what = network_fault::kind::delay, .time = each_way});
      d.proxy()->impose(late);
      pass(lasting, stop);
      d.proxy()->lift(late);
      pass(each_way, stop);  // until the last of what was under way then has come
      return at;
   };
}

// The Sentinels' own PINGs pass through the proxy too, as all but the checker's: they must not take it for a death.
const requirements patient_sentinels{.proxy = true, .down_after = milliseconds(15000)};

}  // namespace

fault faults::slow() {
   return {
      .name = "slow",
      .description = "a proxy delays what passes by 1.5 s in each direction, for 5 s: every reply is late, and comes",
      .shows = "late replies are waited for: no command fails, none is sent twice",
      .needs = patient_sentinels,
      .costs = toll::nothing,
      .inject = delay(milliseconds(1500))};
}

fault faults::slower() {
   return {.name = "slower",
           .description =
              "8 s in each direction, for 5 s: the client gives its connection up and comes back without delay, while "
              "what it had said is still under way",
           .shows = "what is sent again does not meet what was sent first: the fence stands between them",
           .needs = patient_sentinels,
           .costs = toll::fence,
           .inject = delay(milliseconds(8000))};
}

}  // namespace holdfast::lab

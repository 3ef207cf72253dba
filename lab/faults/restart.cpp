#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr milliseconds down_for(500);

}  // namespace

fault faults::restart() {
   fault f{
      .name = "restart",
      .description =
         "one server without Sentinel, appendonly with fsync always: SIGKILL, and started again half a second later",
      .shows = "that refused connections are waited out",
      .needs = {.alone = true, .durable = true},
      .interrupts = true};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      const auto at = clock::now();
      d.node(0).kill();
      pass(down_for, stop);
      d.node(0).start();
      d.node(0).await_pong();
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

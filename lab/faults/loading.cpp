#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr unsigned keys = 12000;

bool answers(server& node) {
   if (!node.running()) throw std::runtime_error(node.name() + " ended. Its log:\n" + node.log_end());
   try {
      return node.connect(milliseconds(500)).pongs();
   } catch (const control_error&) {
      return false;
   }
}

void fill(server& node, const std::stop_token& stop) {
   control connection = node.connect(patience);
   std::vector<std::string> all = {"MSET"};
   for (unsigned i = 0; i < keys; ++i) all.insert(all.end(), {"lab:" + std::to_string(i), std::string(20, 'x')});
   connection.run(all);
   // Into the snapshot that the append-only file begins with: what stands behind it is loaded command by command.
   connection.run({"BGREWRITEAOF"});
   await(
      "the append-only file is rewritten",
      [&] {
         return stop.stop_requested() || (connection.info("persistence", "aof_rewrite_in_progress") == "0" &&
                                          connection.info("persistence", "aof_rewrite_scheduled") == "0");
      },
      patience);
}

}  // namespace

fault faults::loading() {
   fault f{
      .name = "loading",
      .description =
         "one server without Sentinel, appendonly with fsync always: SIGKILL, and started again at once with a data "
         "set that takes it some 3 s to load; until then it answers LOADING",
      .shows = "that the client is back at once, waits with what is refused, and that nothing acknowledged is lost",
      .needs = {.alone = true,
                .durable = true,
                // Microseconds for each key; and it answers in between, as it does with a data set of gigabytes.
                .node_config = {"key-load-delay 150", "loading-process-events-interval-bytes 1024"}},
      .interrupts = true};
   f.inject = [](deployment& d, const std::stop_token& stop) {
      server& node = d.node(0);
      fill(node, stop);
      const auto at = clock::now();
      node.kill();
      node.start();
      await("it is loaded", [&] { return answers(node) || stop.stop_requested(); }, patience, milliseconds(20));
      if (stop.stop_requested()) return at;
      control again = node.connect();
      if (refusals(again) == 0) throw fact_missing("no command was turned away");
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

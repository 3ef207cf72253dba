#include "lab/faults/all.hpp"

#include <algorithm>

namespace holdfast::lab {
namespace {

constexpr milliseconds until_elected(45000);  // a lost election is held again after 2 x failover-timeout

class two_fault final : public fault {
 public:
   std::string_view name() const override { return "two"; }
   std::string_view description() const override {
      return "SIGKILL to the master, and to its successor as soon as a Sentinel names it";
   }
   std::string_view shows() const override { return "a command outlives two failovers in a row, within one deadline"; }
   deployment_options shape(deployment_options wanted) const override {
      wanted.replicas = std::max(wanted.replicas, 2U);
      // Two Sentinels often stand for the second election at once, and it is lost. The next, after twice this time,
      // shall still come within a command's deadline.
      wanted.failover_timeout = milliseconds(1700);
      return wanted;
   }
   bool promotes() const override { return true; }
   unsigned failovers() const override { return 2; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      const endpoint old = d.node(0).address();
      const auto at = clock::now();
      d.node(0).kill();
      endpoint successor;
      // Not sooner: the Sentinel that leads the failover would wait for what died, and give up after failover-timeout.
      const auto named = [&] {
         for (std::size_t i = 0; i < d.sentinels() && successor.empty(); ++i)
            if (const endpoint master = d.named_master(i); master != old) successor = master;
         return !successor.empty() || stop.stop_requested();
      };
      await("a Sentinel names a successor", named, until_elected, milliseconds(1));
      if (successor.empty()) return at;
      // After a lost election. A replica whose link was down for longer than ten times down-after is promoted by
      // nobody.
      if (clock::now() - at > 8 * d.options().down_after) await_replica(d.node_at(successor), stop);
      d.node_at(successor).kill();
      return at;
   }

 private:
   static void await_replica(server& master, const std::stop_token& stop) {
      control connection = master.connect();
      const auto followed = [&] {
         const std::string line = connection.info("replication", "slave0");
         return line.find("state=online") != std::string::npos || stop.stop_requested();
      };
      await("a replica follows the successor", followed, until_elected, milliseconds(10));
   }
};

}  // namespace

std::unique_ptr<fault> make_two() { return std::make_unique<two_fault>(); }

}  // namespace holdfast::lab

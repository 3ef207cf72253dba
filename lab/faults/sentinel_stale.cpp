#include "lab/faults/all.hpp"

#include <algorithm>

namespace holdfast::lab {
namespace {

class sentinel_stale_fault final : public fault {
 public:
   std::string_view name() const override { return "sentinel-stale"; }
   std::string_view description() const override {
      return "the first Sentinel is cut off from all servers, but not from clients; then SIGKILL to the master: it "
             "goes "
             "on naming what is dead";
   }
   std::string_view shows() const override {
      return "of what the Sentinels say the newest epoch counts, not the first answer";
   }
   // A Sentinel is cut off from the nodes by a password that is not theirs.
   deployment_options shape(deployment_options wanted) const override {
      wanted.sentinels = std::max(wanted.sentinels, 3U);
      if (wanted.node_login.password.empty()) wanted.node_login = {.password = "lab"};
      return wanted;
   }
   bool promotes() const override { return true; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      const std::string& name = d.options().master_name;
      control cut_off = d.sentinel(0).connect();
      // What the other Sentinels tell it and ask it is refused; clients say neither.
      cut_off.run({"ACL", "SETUSER", "default", "-publish", "-sentinel|is-master-down-by-addr"});
      // It must not try a failover of its own: nobody would hear it.
      cut_off.run({"SENTINEL", "SET", name, "quorum", std::to_string(d.sentinels() + 1)});
      cut_off.run({"SENTINEL", "SET", name, "auth-pass", "none of theirs"});
      const auto at = clock::now();
      d.node(0).kill();
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_sentinel_stale() { return std::make_unique<sentinel_stale_fault>(); }

}  // namespace holdfast::lab

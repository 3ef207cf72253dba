#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr milliseconds wrong_for(2000);

class auth_fault final : public fault {
 public:
   std::string_view name() const override { return "auth"; }
   std::string_view description() const override {
      return "the password is changed on every node under way, and the clients' connections are ended; 2 s after one "
             "was refused (WRONGPASS) the one that they hold is good again";
   }
   std::string_view shows() const override {
      return "that a client whose password was good before keeps trying, and says so only when it stays wrong";
   }
   deployment_options shape(deployment_options wanted) const override {
      if (wanted.node_login.password.empty()) wanted.node_login.password = "before";
      return wanted;
   }
   bool promotes() const override { return false; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      const credentials& who = d.options().node_login;
      // Connections that are logged in stay so: those of the Sentinels, of the replicas, and these.
      std::vector<control> nodes;
      for (std::size_t i = 0; i < d.nodes(); ++i) nodes.push_back(d.node(i).connect());
      const auto set_password = [&](const std::string& password) {
         for (control& node : nodes) {
            if (who.username.empty())
               node.run({"CONFIG", "SET", "requirepass", password});
            else
               node.run({"ACL", "SETUSER", who.username, "resetpass", ">" + password});
         }
      };
      const auto refused = [&] { return nodes[0].info("errorstats", "errorstat_WRONGPASS"); };
      const std::string before = refused();
      const auto at = clock::now();
      set_password(who.password + "-changed");
      kill_workload_clients(nodes[0]);
      await("a client was refused", [&] { return refused() != before || stop.stop_requested(); }, patience);
      became_true([&] { return stop.stop_requested(); }, wrong_for);
      set_password(who.password);
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_auth() { return std::make_unique<auth_fault>(); }

}  // namespace holdfast::lab

#include "lab/clients.hpp"
#include "lab/faults/all.hpp"

namespace holdfast::lab {
namespace {

constexpr milliseconds wrong_for(2000);

}  // namespace

fault faults::auth() {
   fault f{.name = "auth",
           .description =
              "the password is changed on every node under way, and the clients' connections are ended; 2 s after one "
              "was refused (WRONGPASS) the one that they hold is good again",
           .shows = "that a client whose password was good before keeps trying, and says so only when it stays wrong",
           .needs = {.password = "before"}};
   f.inject = [](deployment& d, const std::stop_token& stop) {
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
      pass(wrong_for, stop);
      set_password(who.password);
      return at;
   };
   return f;
}

}  // namespace holdfast::lab

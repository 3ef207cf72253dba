// `holdfast resolve`: where the master is, for scripts.
#include "exit_status.hpp"
#include "explain.hpp"
#include "help.hpp"
#include "interrupt.hpp"
#include "notices.hpp"
#include "options.hpp"
#include "subcommands.hpp"
#include "terminal.hpp"
#include "uri.hpp"

#include <holdfast/client.hpp>

#include <memory>

namespace holdfast::cli {
namespace {

struct resolve_settings {
   std::string uri = {};
   call_options call = {};
};

exit_status report(const error& e, const config& servers, const uri_choice& chosen) {
   complain(explain_unreachable(e, servers) + chosen.reminder());
   return exit_status_of_search(e);
}

exit_status resolve(const resolve_settings& s) {
   const uri_choice chosen = choose_uri(s.uri);
   auto servers = read_uri(chosen);
   if (!servers) return report(servers.error(), config{}, chosen);
   notices told(complain, notices::clock::now());
   servers->observer = [&](const any_event& e) { told.on(e, notices::clock::now()); };
   const result<endpoint> master = [&] {
      const interrupt signals;
      client redis(*servers);
      call_options call = s.call;
      call.stop = signals.token();
      return redis.master(call);
   }();
   if (!master) return report(master.error(), *servers, chosen);
   return print(to_string(*master) + "\n") ? exit_status::done : exit_status::failed;
}

}  // namespace

void add_resolve(command_line& line) {
   auto s = std::make_shared<resolve_settings>();
   subcommand resolve_line = line.add("resolve", "Print host:port of the master", "[OPTIONS]", help_of_resolve());
   add_uri(resolve_line, s->uri);
   add_deadline(resolve_line, s->call.deadline);
   resolve_line.when_chosen([s] { return resolve(*s); });
}

}  // namespace holdfast::cli

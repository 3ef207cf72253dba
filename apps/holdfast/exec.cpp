// `holdfast exec`: one command, as redis-cli would run it, but through a failover.
#include "exit_status.hpp"
#include "explain.hpp"
#include "help.hpp"
#include "interrupt.hpp"
#include "json.hpp"
#include "notices.hpp"
#include "options.hpp"
#include "reply_text.hpp"
#include "subcommands.hpp"
#include "terminal.hpp"
#include "uri.hpp"

#include <holdfast/client.hpp>

#include <csignal>
#include <memory>

namespace holdfast::cli {
namespace {

struct exec_settings {
   std::string uri = {};
   call_options call = {};
   bool json = false;
};

// What the events tell of the command that a successful reply does not.
struct course {
   endpoint master = {};
   unsigned attempts = 1;

   void on(const any_event& any) {
      if (const auto* connected = std::get_if<event::connected>(&any)) master = connected->master;
      if (const auto* resent = std::get_if<event::resent>(&any)) attempts = resent->attempt;
   }
};

exit_status report(const value& reply, const course& c, duration took, bool as_json) {
   std::string text;
   if (as_json) {
      text = one_line({{"reply", reply_as_json(reply)},
                       {"outcome", to_string(outcome::executed)},
                       {"attempts", c.attempts},
                       {"elapsed_ms", in_ms(took)},
                       {"endpoint", endpoint_as_json(c.master)}}) +
             "\n";
   } else {
      text = stdout_is_terminal() ? formatted(reply) : raw(reply);
   }
   return print(text) ? exit_status::done : exit_status::failed;
}

exit_status report(const error& e, const config& servers, const uri_choice& chosen, bool as_json) {
   const exit_status status = exit_status_of(e);
   if (as_json) return print(one_line({{"error", error_as_json(e)}}) + "\n") ? status : exit_status::failed;
   if (e.reply != nullptr) print(stdout_is_terminal() ? formatted(*e.reply) : raw(*e.reply));
   // The answer to the command is its result, also when it is an error; as redis-cli has it.
   if (e.code() == errc::server_error && e.attempts != 0) {
      print(stdout_is_terminal() ? formatted_error(e.server_text) : raw_error(e.server_text));
      if (e.outcome == outcome::not_executed) return status;
   }
   complain(explain(e, servers) + (status == exit_status::not_executed ? chosen.reminder() : ""));
   return status;
}

exit_status exec(const exec_settings& s, const std::vector<std::string>& words) {
   // The reader of our output may be gone: the exit status still tells what became of the command.
   std::signal(SIGPIPE, SIG_IGN);
   const uri_choice chosen = choose_uri(s.uri);
   auto servers = read_uri(chosen);
   if (!servers) return report(servers.error(), config{}, chosen, s.json);
   course seen;
   notices told(complain, notices::clock::now());
   servers->observer = [&](const any_event& e) {
      seen.on(e);
      told.on(e, notices::clock::now());
   };
   const auto begin = notices::clock::now();
   result<value> reply = [&] {
      const interrupt signals;
      client redis(*servers);
      call_options call = s.call;
      call.stop = signals.token();
      return redis.run(command::from(words), call);
   }();
   if (!reply) return report(reply.error(), *servers, chosen, s.json);
   return report(*reply, seen, notices::clock::now() - begin, s.json);
}

}  // namespace

subcommand add_exec(command_line& line, const std::vector<std::string>& words) {
   auto s = std::make_shared<exec_settings>();
   subcommand exec_line =
      line.add("exec", "Run one command, through a failover if need be", "[OPTIONS] COMMAND [ARG...]", help_of_exec());
   add_uri(exec_line, s->uri);
   add_deadline(exec_line, s->call.deadline);
   add_delivery(exec_line, s->call.delivery);
   add_acks(exec_line, s->call.acks);
   exec_line.add_flag("--json", s->json, "Print the reply, or the error, as one line of JSON");
   exec_line.when_chosen([s, &words] {
      if (!words.empty()) return exec(*s, words);
      complain("COMMAND is required; see holdfast exec --help");
      return exit_status::usage;
   });
   return exec_line;
}

}  // namespace holdfast::cli

#include "options.hpp"

#include "core/parse.hpp"

#include <holdfast/call_options.hpp>

namespace holdfast::cli {

const char* const uri_help =
   "Where the servers are (-u; else $HOLDFAST_URI; else $REDIS_URL; else redis://127.0.0.1:6379):\n"
   "  redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]/MASTER[/DB]   Sentinels, and the master's name\n"
   "  redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]                                    one server\n"
   "  unix://[[USER]:PASSWORD@]/PATH[?db=DB]                                        its Unix socket\n"
   "  USER and PASSWORD are those of the Redis servers. The Sentinels' own are options: append\n"
   "  ?sentinel_username=USER&sentinel_password=PASSWORD. Write reserved characters as %XX, a slash as %2F.\n"
   "  Others see a command line, and so a password in it; they do not see a variable.\n";

void add_uri(CLI::App& app, std::string& into) {
   app.add_option("-u,--uri", into, "Where the servers are; see below")->type_name("URI");
}

void add_deadline(CLI::App& app, std::optional<duration>& into) {
   app.add_option_function<std::string>(
         "--deadline",
         [&into](const std::string& text) {
            into = parse_duration(text);
            if (!into || *into <= duration::zero()) {
               throw CLI::ValidationError("--deadline",
                                          "write a number above 0 and its unit, e.g. 30s, 500ms or 2m, not " + text);
            }
         },
         "How long it may take, everything included. Default: the deployment's\n"
         "down-after-milliseconds + 8 s; 10 s where no Sentinel says")
      ->type_name("TIME");
}

void add_delivery(CLI::App& app, std::optional<delivery>& into) {
   app.add_option_function<std::string>(
         "--delivery",
         [&into](const std::string& text) {
            into = parse_delivery(text);
            if (!into) {
               throw CLI::ValidationError("--delivery",
                                          "write automatic, at-most-once, at-least-once or exactly-once, not " + text);
            }
         },
         "What may be sent again after its reply was lost; see below.\nDefault: automatic")
      ->type_name("MODE");
}

void add_acks(CLI::App& app, unsigned& into) {
   app.add_option_function<std::string>(
         "--acks",
         [&into](const std::string& text) {
            const auto number = parse_number<unsigned>(text);
            if (!number && text != "all")
               throw CLI::ValidationError("--acks", "write a number of replicas, or all, not " + text);
            into = number.value_or(all_replicas);
         },
         "How many replicas must have acknowledged the write (not built yet)")
      ->type_name("N|all");
}

}  // namespace holdfast::cli

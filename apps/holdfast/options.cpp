#include "options.hpp"

#include "config/parse.hpp"

#include <holdfast/call_options.hpp>

namespace holdfast::cli {

void add_uri(CLI::App& app, std::string& into) {
   app.add_option("-u,--uri", into, "Where the servers are; below")->type_name("URI");
}

void add_deadline(CLI::App& app, std::optional<time_span>& into) {
   app.add_option_function<std::string>(
         "--deadline",
         [&into](const std::string& text) {
            into = parse_duration(text);
            if (!into || *into <= duration::zero()) {
               throw CLI::ValidationError("--deadline",
                                          "write a number above 0 and its unit, e.g. 30s, 500ms or 2m, not " + text);
            }
         },
         "How long it may take, all in all: 30s, 500ms, 2m.\n"
         "Default: the deployment's down-after-milliseconds and\n"
         "8 s more, 12 s at least; 10 s where no Sentinel says")
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
         "What may be sent again when its reply was lost; below")
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
         "Replicas that must have the write (not built yet)")
      ->type_name("N|all");
}

}  // namespace holdfast::cli

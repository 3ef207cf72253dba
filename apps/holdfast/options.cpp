#include "options.hpp"

#include "config/parse.hpp"

#include <holdfast/call_options.hpp>

namespace holdfast::cli {

void add_uri(subcommand& to, std::string& into) {
   to.add_text("-u,--uri", into, "Where the servers are; below", "URI");
}

void add_deadline(subcommand& to, std::optional<time_span>& into) {
   const auto read = [&into](const std::string& word) -> std::string {
      into = parse_duration(word);
      if (into && *into > duration::zero()) return {};
      return "write a number above 0 and its unit, e.g. 30s, 500ms or 2m, not " + word;
   };
   to.add_read("--deadline", read,
               "How long it may take, all in all: 30s, 500ms, 2m.\n"
               "Default: the deployment's down-after-milliseconds and\n"
               "8 s more, 12 s at least; 10 s where no Sentinel says",
               "TIME");
}

void add_delivery(subcommand& to, std::optional<delivery>& into) {
   const auto read = [&into](const std::string& word) {
      into = parse_delivery(word);
      return into ? "" : "write automatic, at-most-once, at-least-once or exactly-once, not " + word;
   };
   to.add_read("--delivery", read, "What may be sent again when its reply was lost; below", "MODE");
}

void add_acks(subcommand& to, unsigned& into) {
   const auto read = [&into](const std::string& word) {
      const auto number = parse_number<unsigned>(word);
      into = number.value_or(all_replicas);
      return number || word == "all" ? "" : "write a number of replicas, or all, not " + word;
   };
   to.add_read("--acks", read, "Replicas that must have the write (not built yet)", "N|all");
}

}  // namespace holdfast::cli

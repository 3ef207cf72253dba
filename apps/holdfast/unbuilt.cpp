// Subcommands that are to come. Known, so that nobody takes them for a typing error.
#include "exit_status.hpp"
#include "subcommands.hpp"
#include "terminal.hpp"

#include <string>
#include <utility>

namespace holdfast::cli {

void add_unbuilt(CLI::App& app, int& status) {
   const std::pair<const char*, const char*> all[] = {
      {"check", "Look for what would make a failover fail"},
      {"switchover", "A planned failover that loses no write"},
      {"proxy", "For clients that know of no failover"},
   };
   for (const auto& [name, purpose] : all) {
      CLI::App* later = app.add_subcommand(name, purpose)->group("Not built yet");
      later->allow_extras();
      later->set_help_flag();
      later->callback([name = std::string(name), &status] {
         complain(name + " is not built yet; holdfast --help lists what there is");
         status = static_cast<int>(exit_status::usage);
      });
   }
}

}  // namespace holdfast::cli

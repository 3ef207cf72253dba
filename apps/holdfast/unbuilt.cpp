// Subcommands that are to come. Known, so that nobody takes them for a typing error.
#include "exit_status.hpp"
#include "subcommands.hpp"
#include "terminal.hpp"

namespace holdfast::cli {

void add_unbuilt(CLI::App& app, int& status) {
   for (const char* const name : {"check", "switchover", "proxy", "sim"}) {
      CLI::App* later = app.add_subcommand(name, "Not built yet")->group("Not built yet");
      later->allow_extras();
      later->callback([name, &status] {
         complain(std::string(name) + " is not built yet; holdfast --help lists what there is");
         status = static_cast<int>(exit_status::usage);
      });
   }
}

}  // namespace holdfast::cli

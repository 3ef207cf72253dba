#include "drill/drill.hpp"
#include "exit_status.hpp"
#include "habits.hpp"
#include "help.hpp"
#include "subcommands.hpp"
#include "terminal.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace holdfast::cli;

// Takes COMMAND and its arguments off the command line of exec: they are the server's, whatever they look like.
std::vector<std::string> take_words(const CLI::App& app, std::vector<std::string>& line) {
   if (line.empty() || line.front() != "exec") return {};
   const CLI::App* const exec = app.get_subcommand("exec");
   auto at = line.begin() + 1;
   while (at != line.end() && at->starts_with('-') && at->size() > 1) {
      if (*at == "--") {
         at = line.erase(at);
         break;
      }
      const CLI::Option* const option = exec->get_option_no_throw(*at);
      const bool takes_next = option != nullptr && option->get_items_expected_min() > 0;
      at += takes_next && at + 1 != line.end() ? 2 : 1;
   }
   std::vector<std::string> words(at, line.end());
   line.erase(at, line.end());
   return words;
}

int run(std::vector<std::string> line) {
   CLI::App app("Redis commands that ride out a failover.", "holdfast");
   app.formatter(std::make_shared<help_layout>("holdfast SUBCOMMAND [OPTIONS]"));
   app.footer(help_of_holdfast());
   app.set_version_flag("--version", "holdfast " HOLDFAST_VERSION, "Print the version and exit");
   app.require_subcommand(1);
   app.failure_message([](const CLI::App* failed, const CLI::Error& e) {
      const auto chosen = failed->get_subcommands();
      std::string what = e.what();
      if (what.find("://") != std::string::npos) what = "a URI was not expected there";  // it may hold a password
      return "holdfast: " + what + "; see holdfast " + (chosen.empty() ? "" : chosen.front()->get_name() + " ") +
             "--help\n";
   });
   int status = 0;
   std::vector<std::string> words;
   add_exec(app, words, status);
   add_resolve(app, status);
   add_watch(app, status);
   holdfast::drill::add_drill(app, status);
   app.get_subcommand("drill")->formatter(std::make_shared<help_layout>("holdfast drill [OPTIONS]"));
   add_sim(app, status);
   add_unbuilt(app, status);
   if (const std::string instead = instead_of_habit(line); !instead.empty()) {
      complain(instead);
      return static_cast<int>(exit_status::usage);
   }
   const auto is_meant = [&](const CLI::App* subcommand) { return subcommand->get_name() == line.front(); };
   if (!line.empty() && !line.front().starts_with('-') && app.get_subcommands(is_meant).empty()) {
      complain("there is no subcommand \"" + line.front() + "\"; a Redis command goes through holdfast exec [-u URI] " +
               line.front() + (line.size() == 1 ? "" : " ...") + "; see holdfast --help");
      return static_cast<int>(exit_status::usage);
   }
   words = take_words(app, line);
   try {
      std::reverse(line.begin(), line.end());
      app.parse(std::move(line));
   } catch (const CLI::ParseError& e) {
      return app.exit(e) == 0 ? 0 : static_cast<int>(exit_status::usage);
   }
   return status;
}

}  // namespace

int main(int argc, char** argv) {
   stand_in_for_closed_streams();
   try {
      return run({argv + 1, argv + argc});
   } catch (const std::exception& e) {
      complain(e.what());
      return static_cast<int>(exit_status::failed);
   }
}

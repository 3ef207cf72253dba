#include "command_line.hpp"
#include "drill/drill.hpp"
#include "exit_status.hpp"
#include "habits.hpp"
#include "help.hpp"
#include "subcommands.hpp"
#include "terminal.hpp"

#include <exception>
#include <string>
#include <vector>

namespace {

using namespace holdfast::cli;

// Takes COMMAND and its arguments off the command line of exec: they are the server's, whatever they look like.
std::vector<std::string> take_words(const subcommand& exec, std::vector<std::string>& line) {
   if (line.empty() || line.front() != "exec") return {};
   auto at = line.begin() + 1;
   while (at != line.end() && at->starts_with('-') && at->size() > 1) {
      if (*at == "--") {
         at = line.erase(at);
         break;
      }
      at += exec.takes_a_word(*at) && at + 1 != line.end() ? 2 : 1;
   }
   std::vector<std::string> words(at, line.end());
   line.erase(at, line.end());
   return words;
}

exit_status run(std::vector<std::string> line) {
   command_line all(help_of_holdfast());
   std::vector<std::string> words;
   const subcommand exec = add_exec(all, words);
   add_resolve(all);
   add_watch(all);
   holdfast::drill::add_drill(all);
   add_sim(all);
   all.add_unbuilt("check", "Look for what would make a failover fail");
   all.add_unbuilt("switchover", "A planned failover that loses no write");
   all.add_unbuilt("proxy", "For clients that know of no failover");
   if (const std::string instead = instead_of_habit(line); !instead.empty()) {
      complain(instead);
      return exit_status::usage;
   }
   if (!line.empty() && !line.front().starts_with('-') && !all.has(line.front())) {
      complain("there is no subcommand \"" + line.front() + "\"; a Redis command goes through holdfast exec [-u URI] " +
               line.front() + (line.size() == 1 ? "" : " ...") + "; see holdfast --help");
      return exit_status::usage;
   }
   words = take_words(exec, line);
   return all.run(std::move(line));
}

}  // namespace

int main(int argc, char** argv) {
   stand_in_for_closed_streams();
   try {
      return static_cast<int>(run({argv + 1, argv + argc}));
   } catch (const std::exception& e) {
      complain(e.what());
      return static_cast<int>(exit_status::failed);
   }
}

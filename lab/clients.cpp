#include "lab/clients.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace holdfast::lab {
namespace {

// What is said for other reasons than a workload's.
constexpr std::array<std::string_view, 11> of_others = {"auth",  "client",  "config",   "hello", "info",  "ping",
                                                        "psync", "publish", "replconf", "role",  "script"};

}  // namespace

std::vector<std::string> workload_clients(control& server) {
   std::vector<std::string> ids;
   std::istringstream lines(server.run({"CLIENT", "LIST", "TYPE", "normal"}).text);
   for (std::string line; std::getline(lines, line);) {
      if (line.rfind("id=", 0) != 0) continue;
      const bool sentinel = line.find(" name=sentinel-") != std::string::npos;
      const bool ours = line.find(" name=lab ") != std::string::npos;
      if (!sentinel && !ours) ids.push_back(line.substr(3, line.find(' ') - 3));
   }
   return ids;
}

std::size_t kill_workload_clients(control& server) {
   std::vector<std::vector<std::string>> kills;
   for (const std::string& id : workload_clients(server)) kills.push_back({"CLIENT", "KILL", "ID", id});
   // One that has left meanwhile is an error and no harm.
   for (const auto& kill : kills) server.ask(kill);
   return kills.size();
}

std::uint64_t refusals(control& server) {
   constexpr std::string_view before_name = "cmdstat_";
   constexpr std::string_view before_number = "rejected_calls=";
   std::uint64_t count = 0;
   std::istringstream lines(server.run({"INFO", "commandstats"}).text);
   for (std::string line; std::getline(lines, line);) {
      const std::size_t number = line.find(before_number);
      if (line.rfind(before_name, 0) != 0 || number == std::string::npos) continue;
      const std::string name = line.substr(before_name.size(), line.find_first_of(":|") - before_name.size());
      if (std::find(of_others.begin(), of_others.end(), name) != of_others.end()) continue;
      count += std::stoull(line.substr(number + before_number.size()));
   }
   return count;
}

}  // namespace holdfast::lab

#include "lab/clients.hpp"

#include <sstream>

namespace holdfast::lab {

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

}  // namespace holdfast::lab

// Where and when a run was made.
#pragma once

#include <string>

namespace holdfast::bench {

struct machine {
   std::string date = {};       // of the day, UTC
   std::string processor = {};  // its name
   unsigned cores = 0;
   std::string kernel = {};
   std::string compiler = {};
   std::string server = {};  // version of Redis
   double load_before = 0;   // of the last minute, as uptime tells it
   double load_after = 0;
   unsigned rounds = 0;
};

// All but the last three, which are of the run.
machine this_machine();
double load_now();

}  // namespace holdfast::bench

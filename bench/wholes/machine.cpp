#include "bench/wholes/machine.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>

namespace holdfast::bench {
namespace {

std::string name_of_processor() {
   std::ifstream lines("/proc/cpuinfo");
   for (std::string line; std::getline(lines, line);)
      if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
   return "unknown";
}

std::string today() {
   const std::time_t now = std::time(nullptr);
   std::tm day = {};
   ::gmtime_r(&now, &day);
   char text[16];
   std::strftime(text, sizeof text, "%Y-%m-%d", &day);
   return text;
}

}  // namespace

machine this_machine() {
   machine m{.date = today(), .processor = name_of_processor()};
   m.cores = static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN));
   utsname system = {};
   if (::uname(&system) == 0) m.kernel = std::string(system.sysname) + " " + system.release;
   m.compiler = "g++ " __VERSION__;
   m.load_before = load_now();
   return m;
}

double load_now() {
   double load = 0;
   return ::getloadavg(&load, 1) == 1 ? load : 0;
}

}  // namespace holdfast::bench

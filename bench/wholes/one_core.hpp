// Keeps processes on one processor while it lives.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <vector>

namespace holdfast::bench {

class one_core {
 public:
   // With all their threads. Throws std::system_error.
   explicit one_core(std::vector<pid_t> processes);
   ~one_core();  // each may again run where this process may
   one_core(const one_core&) = delete;
   one_core& operator=(const one_core&) = delete;

 private:
   void allow(const cpu_set_t&) const;

   std::vector<pid_t> processes_;
   cpu_set_t before_;
};

}  // namespace holdfast::bench

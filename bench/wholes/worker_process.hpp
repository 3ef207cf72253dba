// A worker as seen from outside: a process of this same program, which ends with it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace holdfast::bench {

class worker_process {
 public:
   // Starts `arguments[0]`, sought in $PATH. Throws std::system_error.
   explicit worker_process(std::vector<std::string> arguments);
   ~worker_process();  // ends it, and waits for its end
   worker_process(const worker_process&) = delete;
   worker_process& operator=(const worker_process&) = delete;

   // The numbers behind `ok`. Throws std::runtime_error with the text of an error, or if the process has ended.
   std::vector<double> ask(const std::string& request);
   pid_t pid() const { return pid_; }

 private:
   std::string next_line();

   int socket_ = -1;
   pid_t pid_ = -1;
   std::string received_;
};

}  // namespace holdfast::bench

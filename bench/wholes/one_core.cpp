#include "bench/wholes/one_core.hpp"

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace holdfast::bench {

one_core::one_core(std::vector<pid_t> processes) : processes_(std::move(processes)) {
   if (::sched_getaffinity(0, sizeof before_, &before_) != 0)
      throw std::system_error(errno, std::generic_category(), "which processors may be used");
   int first = 0;
   while (!CPU_ISSET(first, &before_)) ++first;
   cpu_set_t one;
   CPU_ZERO(&one);
   CPU_SET(first, &one);
   allow(one);
}

one_core::~one_core() { allow(before_); }

void one_core::allow(const cpu_set_t& cores) const {
   for (const pid_t process : processes_) {
      std::error_code gone;
      for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", gone))
         ::sched_setaffinity(std::stoi(task.path().filename().string()), sizeof cores, &cores);
   }
}

}  // namespace holdfast::bench

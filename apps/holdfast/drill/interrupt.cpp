#include "drill/interrupt.hpp"

#include <pthread.h>
#include <unistd.h>

#include <ctime>

namespace holdfast::drill {

interrupt::interrupt() {
   ::sigemptyset(&waited_for_);
   for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&waited_for_, signal);
   ::pthread_sigmask(SIG_BLOCK, &waited_for_, &before_);
   thread_ = std::jthread([this](const std::stop_token& over) {
      constexpr timespec look_again = {0, 50'000'000};
      while (!over.stop_requested()) {
         const int signal = ::sigtimedwait(&waited_for_, nullptr, &look_again);
         if (signal < 0) continue;
         if (source_.stop_requested()) ::_exit(128 + signal);
         source_.request_stop();
      }
   });
}

interrupt::~interrupt() {
   thread_.request_stop();
   thread_.join();
   ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace holdfast::drill

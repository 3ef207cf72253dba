// Ctrl-C and SIGTERM as a stop token.
#pragma once

#include <signal.h>

#include <stop_token>
#include <thread>

namespace holdfast::drill {

// While it lives, SIGINT, SIGTERM and SIGHUP request the stop instead of ending the program; a second one ends it at
// once (the lab's supervisors then clean up). Threads made meanwhile inherit that. Make it before any other thread.
class interrupt {
 public:
   interrupt();
   ~interrupt();
   interrupt(const interrupt&) = delete;
   interrupt& operator=(const interrupt&) = delete;

   std::stop_token token() const { return source_.get_token(); }

 private:
   sigset_t waited_for_ = {};
   sigset_t before_ = {};
   std::stop_source source_;
   std::jthread thread_;
};

}  // namespace holdfast::drill

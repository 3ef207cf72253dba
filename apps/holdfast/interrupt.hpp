// Ctrl-C, SIGTERM and SIGHUP as a stop token.
#pragma once

#include <signal.h>

#include <stop_token>
#include <thread>

namespace holdfast::cli {

// While it lives, these signals request the stop instead of ending the program; afterwards they end it again, also one
// that came at the very last. They are taken from the kernel by a thread, so that nothing runs in a signal handler.
// Make it before any other thread: threads made meanwhile inherit that the signals are held back.
class interrupt {
 public:
   interrupt();  // throws std::system_error
   ~interrupt();
   interrupt(const interrupt&) = delete;
   interrupt& operator=(const interrupt&) = delete;

   std::stop_token token() const { return source_.get_token(); }

 private:
   void listen();

   sigset_t before_ = {};
   int signals_ = -1;
   int over_ = -1;
   std::stop_source source_;
   std::thread thread_;
};

}  // namespace holdfast::cli

#pragma once

#include <signal.h>

namespace holdfast::impl {

// Blocks all signals of this thread for a while. A thread that is started meanwhile has them blocked for good: the
// program's signals are for the program's own threads.
class all_signals_blocked {
 public:
   all_signals_blocked() {
      ::sigset_t all;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, &before_);
   }
   ~all_signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
   all_signals_blocked(const all_signals_blocked&) = delete;
   all_signals_blocked& operator=(const all_signals_blocked&) = delete;

 private:
   ::sigset_t before_;
};

}  // namespace holdfast::impl

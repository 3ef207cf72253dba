// Something done in a forked child.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::test {

// Exits with 0 if `f` says so, within the time that a test may take.
template <class F>
bool in_a_child(F f) {
   const pid_t child = ::fork();
   if (child == 0) {
      ::alarm(30);
      ::_exit(f() ? 0 : 1);
   }
   int status = -1;
   return ::waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace holdfast::test

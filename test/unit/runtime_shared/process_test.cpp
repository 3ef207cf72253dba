// Which process this is, after forks of any kind.
#include "runtime/shared/process.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace holdfast::impl::process_test {
namespace {

template <class F>
bool in_child(pid_t child, F f) {
   if (child == 0) ::_exit(f() ? 0 : 1);
   int status = -1;
   return ::waitpid(child, &status, 0) == child && status == 0;
}

TEST(process, number_stays_while_the_process_does) {
   const process_number n = this_process();
   EXPECT_NE(n, 0U);
   EXPECT_EQ(this_process(), n);
   EXPECT_TRUE(is_this_process(n));
}

TEST(process, child_and_grandchild_are_others) {
   const process_number n = this_process();
   EXPECT_TRUE(in_child(::fork(), [&] {
      if (is_this_process(n)) return false;
      const process_number mine = this_process();
      return mine > n && is_this_process(mine) &&
             in_child(::fork(), [&] { return !is_this_process(n) && !is_this_process(mine) && this_process() > mine; });
   }));
   EXPECT_TRUE(is_this_process(n));
}

// No handler of the C library's runs here.
TEST(process, child_of_a_bare_system_call_is_another) {
   const process_number n = this_process();
   EXPECT_TRUE(in_child(static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)),
                        [&] { return !is_this_process(n) && this_process() > n; }));
   EXPECT_TRUE(is_this_process(n));
}

}  // namespace
}  // namespace holdfast::impl::process_test

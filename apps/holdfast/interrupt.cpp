#include "interrupt.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace holdfast::cli {

interrupt::interrupt() {
   sigset_t ours;
   ::sigemptyset(&ours);
   for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      // What the parent had ignored (nohup) stays ignored.
      struct sigaction present = {};
      if (::sigaction(signal, nullptr, &present) == 0 && present.sa_handler == SIG_IGN) continue;
      ::sigaddset(&ours, signal);
   }
   signals_ = ::signalfd(-1, &ours, SFD_CLOEXEC);
   over_ = ::eventfd(0, EFD_CLOEXEC);
   if (signals_ < 0 || over_ < 0) throw std::system_error(errno, std::system_category(), "waiting for signals");
   ::pthread_sigmask(SIG_BLOCK, &ours, &before_);
   thread_ = std::thread([this] { listen(); });
}

interrupt::~interrupt() {
   const std::uint64_t one = 1;
   [[maybe_unused]] const auto written = ::write(over_, &one, sizeof one);
   thread_.join();
   ::close(signals_);
   ::close(over_);
   ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void interrupt::listen() {
   pollfd both[] = {{over_, POLLIN, 0}, {signals_, POLLIN, 0}};
   while (!source_.stop_requested()) {
      if (::poll(both, 2, -1) < 0 && errno != EINTR) return;
      if (both[0].revents != 0) return;
      if (both[1].revents == 0) continue;
      signalfd_siginfo taken = {};
      if (::read(signals_, &taken, sizeof taken) > 0) source_.request_stop();
   }
}

}  // namespace holdfast::cli

#include "bench/wholes/worker_process.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace holdfast::bench {

worker_process::worker_process(std::vector<std::string> arguments) {
   int ends[2] = {-1, -1};
   if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      throw std::system_error(errno, std::generic_category(), "no socket for a worker");
   std::vector<char*> words;
   for (std::string& a : arguments) words.push_back(a.data());
   words.push_back(nullptr);
   posix_spawn_file_actions_t actions;
   ::posix_spawn_file_actions_init(&actions);
   ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
   ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
   const int failed = ::posix_spawnp(&pid_, words[0], &actions, nullptr, words.data(), environ);
   ::posix_spawn_file_actions_destroy(&actions);
   ::close(ends[1]);
   socket_ = ends[0];
   if (failed == 0) return;
   ::close(socket_);
   throw std::system_error(failed, std::generic_category(), "cannot start " + arguments[0]);
}

worker_process::~worker_process() {
   ::close(socket_);
   ::kill(pid_, SIGKILL);
   ::waitpid(pid_, nullptr, 0);
}

std::vector<double> worker_process::ask(const std::string& request) {
   const std::string line = request + "\n";
   if (::send(socket_, line.data(), line.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("a worker has ended");
   const std::string answer = next_line();
   std::istringstream words(answer);
   std::string verdict;
   words >> verdict;
   if (verdict != "ok") throw std::runtime_error(answer);
   std::vector<double> numbers;
   for (double n = 0; words >> n;) numbers.push_back(n);
   return numbers;
}

std::string worker_process::next_line() {
   for (;;) {
      const auto end = received_.find('\n');
      if (end != std::string::npos) {
         std::string line = received_.substr(0, end);
         received_.erase(0, end + 1);
         return line;
      }
      char buffer[4096];
      const auto n = ::recv(socket_, buffer, sizeof buffer, 0);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) throw std::runtime_error("a worker has ended without an answer");
      received_.append(buffer, static_cast<std::size_t>(n));
   }
}

}  // namespace holdfast::bench

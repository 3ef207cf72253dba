#include "lab/supervisor.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace holdfast::lab {
namespace {

constexpr std::size_t longest_request = 8192;
constexpr std::size_t most_processes = 256;
constexpr std::size_t most_arguments = 64;

// Everything below runs in a process forked off a program that may have had many threads: system calls and memory laid
// out beforehand, no allocation, no exception.

struct nursery {
   int socket = -1;
   const char* folder = nullptr;  // null: to be kept
   std::array<pid_t, most_processes> running = {};
   std::array<char, longest_request + 1> request = {};
};

[[noreturn]] void become_server(pid_t supervisor, char* const* arguments, const char* log) {
   ::setpgid(0, 0);
   ::prctl(PR_SET_PDEATHSIG, SIGKILL);
   if (::getppid() != supervisor) ::_exit(126);  // it died before prctl could take note
   const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
   if (out >= 0) {
      ::dup2(out, STDOUT_FILENO);
      ::dup2(out, STDERR_FILENO);
   }
   for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_DFL);
   sigset_t none;
   ::sigemptyset(&none);
   ::sigprocmask(SIG_SETMASK, &none, nullptr);
   ::execv(arguments[0], arguments);
   const char* const complaint = "could not be executed\n";
   [[maybe_unused]] const auto told = ::write(STDERR_FILENO, complaint, std::strlen(complaint));
   ::_exit(127);
}

// The request: 'S', the log's path, NUL, and each argument with its NUL.
int start_server(nursery& n, std::size_t size) {
   std::array<char*, most_arguments + 1> arguments = {};
   std::size_t count = 0;
   char* const end = n.request.data() + size;
   char* const log = n.request.data() + 1;
   for (char* at = log + std::strlen(log) + 1; at < end; at += std::strlen(at) + 1) {
      if (count == most_arguments) return -E2BIG;
      arguments[count++] = at;
   }
   for (pid_t& slot : n.running) {
      if (slot != 0) continue;
      const pid_t self = ::getpid();
      const pid_t child = ::fork();
      if (child == 0) become_server(self, arguments.data(), log);
      if (child < 0) return -errno;
      return slot = child;
   }
   return -EAGAIN;
}

// The request: 'W' and the pid in digits. The answer: the status, or -EAGAIN while it runs.
int reap_server(nursery& n) {
   const pid_t pid = std::atoi(n.request.data() + 1);
   for (pid_t& slot : n.running) {
      if (slot != pid || pid == 0) continue;
      siginfo_t ended = {};
      if (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT) < 0) return -errno;
      if (ended.si_pid == 0) return -EAGAIN;
      ::kill(-pid, SIGKILL);  // as long as its leader is not reaped, the group is no stranger's
      int status = 0;
      if (::waitpid(pid, &status, 0) < 0) return -errno;
      slot = 0;
      while (::waitpid(-pid, nullptr, 0) > 0) {  // what it left has become our child
      }
      return status;
   }
   return -ECHILD;
}

// Our children, also those that were orphaned below us. False if the kernel does not tell.
bool kill_children(nursery& n) {
   const int list = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
   if (list < 0) return false;
   const ssize_t size = ::read(list, n.request.data(), longest_request);
   ::close(list);
   if (size < 0) return false;
   n.request[static_cast<std::size_t>(size)] = '\0';
   char* after = nullptr;
   // A number that was cut off at the end is not taken: the space behind it is missing.
   for (const char* at = n.request.data(); *at != '\0'; at = after + 1) {
      const auto pid = static_cast<pid_t>(std::strtol(at, &after, 10));
      if (after == at || *after != ' ') break;
      ::kill(pid, SIGKILL);
   }
   return true;
}

[[noreturn]] void end_all(nursery& n) {
   for (const pid_t pid : n.running) {
      if (pid == 0) continue;
      ::kill(-pid, SIGKILL);  // with what it started itself
      ::kill(pid, SIGKILL);   // should it not lead its group yet
   }
   for (const pid_t pid : n.running)
      if (pid != 0) ::waitpid(pid, nullptr, 0);
   // What left its group comes to us when its parent has ended, and may leave children in its turn.
   while (kill_children(n) && ::waitpid(-1, nullptr, 0) > 0) {
   }
   if (n.folder != nullptr) ::execl("/bin/rm", "rm", "-rf", "--", n.folder, static_cast<char*>(nullptr));
   ::_exit(0);
}

[[noreturn]] void supervise(nursery& n) {
   ::setpgid(0, 0);  // a Ctrl-C is for the parent, which then tells us
   ::prctl(PR_SET_NAME, "holdfast-lab");
   ::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
   for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2})
      ::signal(signal, SIG_IGN);
   ::signal(SIGCHLD, SIG_DFL);
   // Whatever the parent has open must not be held open by us: its sockets, and those to other supervisors.
   const int null = ::open("/dev/null", O_RDWR);
   for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
   const auto own = static_cast<unsigned>(n.socket);
   if (own > 3) ::close_range(3, own - 1, 0);
   ::close_range(own + 1, ~0U, 0);
   for (;;) {
      const ssize_t size = ::recv(n.socket, n.request.data(), longest_request, 0);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0 || n.request[0] == 'E') end_all(n);
      n.request[static_cast<std::size_t>(size)] = '\0';
      const int answer = n.request[0] == 'S' ? start_server(n, static_cast<std::size_t>(size)) : reap_server(n);
      if (::send(n.socket, &answer, sizeof answer, MSG_NOSIGNAL) < 0) end_all(n);
   }
}

// A Sentinel writes its state with fsync before it goes on: on a busy disk a failover then waits for seconds. Memory
// has no such moods, and outlives a SIGKILL of the server as well as a disk does.
std::string place_for_folders() {
   if (const char* const told = std::getenv("TMPDIR"); told != nullptr && *told != '\0') return told;
   constexpr const char* memory = "/dev/shm";
   constexpr std::uintmax_t enough = std::uintmax_t{512} << 20;
   std::error_code none;
   const bool has_room = std::filesystem::space(memory, none).available >= enough && !none;
   return has_room && ::access(memory, W_OK | X_OK) == 0 ? memory : "/tmp";
}

std::filesystem::path make_folder() {
   std::string pattern = place_for_folders() + "/holdfast-lab-XXXXXX";
   if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), "cannot make a temporary folder " + pattern);
   }
   return pattern;
}

}  // namespace

supervisor::supervisor() : folder_(make_folder()) {
   int sockets[2];
   if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
      throw std::system_error(errno, std::generic_category(), "socketpair");
   }
   const std::string folder = folder_.string();
   static nursery birth;  // copied by fork; static, because it is too large for some stacks
   static std::mutex one_birth_at_a_time;
   const std::lock_guard guard(one_birth_at_a_time);
   birth = {};
   birth.socket = sockets[1];
   birth.folder = std::getenv("HOLDFAST_LAB_KEEP") == nullptr ? folder.c_str() : nullptr;
   pid_ = ::fork();
   if (pid_ == 0) supervise(birth);
   const int failed = errno;
   ::close(sockets[1]);
   socket_ = sockets[0];
   if (pid_ < 0) {
      ::close(socket_);
      std::filesystem::remove_all(folder_);
      throw std::system_error(failed, std::generic_category(), "fork");
   }
}

supervisor::~supervisor() {
   ::send(socket_, "E", 1, MSG_NOSIGNAL);
   ::close(socket_);
   while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
   }
}

int supervisor::ask(const std::string& request) {
   if (request.size() > longest_request) throw std::system_error(E2BIG, std::generic_category(), "lab supervisor");
   const std::lock_guard guard(asking_);
   int answer = 0;
   ssize_t size = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
   if (size >= 0) {
      do size = ::recv(socket_, &answer, sizeof answer, 0);
      while (size < 0 && errno == EINTR);
   }
   if (size != static_cast<ssize_t>(sizeof answer)) {
      throw std::system_error(size < 0 ? errno : EPIPE, std::generic_category(), "the lab's supervisor is gone");
   }
   return answer;
}

pid_t supervisor::start(const std::vector<std::string>& arguments, const std::filesystem::path& log) {
   std::string request = "S" + log.string() + '\0';
   for (const std::string& argument : arguments) request += argument + '\0';
   const int answer = ask(request);
   if (answer < 0) throw std::system_error(-answer, std::generic_category(), "cannot start " + arguments.at(0));
   return answer;
}

std::optional<int> supervisor::reaped(pid_t pid) {
   const int answer = ask("W" + std::to_string(pid));
   if (answer == -EAGAIN) return std::nullopt;
   if (answer < 0) throw std::system_error(-answer, std::generic_category(), "no process of this lab");
   return answer;
}

}  // namespace holdfast::lab

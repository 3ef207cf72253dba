#include "cli/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace holdfast::cli_test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

int open_terminal() {
   const int fd = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
   if (fd < 0 || ::grantpt(fd) != 0 || ::unlockpt(fd) != 0)
      throw std::system_error(errno, std::system_category(), "no pseudo terminal");
   return fd;
}

}  // namespace

program::program(const words& arguments, const surroundings& around) {
   std::string pattern = (fs::temp_directory_path() / "holdfast-cli-XXXXXX").string();
   folder_ = ::mkdtemp(pattern.data());
   if (around.terminal) terminal_ = open_terminal();
   const int slave = around.terminal ? ::open(::ptsname(terminal_), O_RDWR | O_NOCTTY) : -1;
   if (slave >= 0) {  // newlines as they are written
      termios raw = {};
      ::tcgetattr(slave, &raw);
      ::cfmakeraw(&raw);
      ::tcsetattr(slave, TCSANOW, &raw);
   }
   begun_ = lab::clock::now();
   pid_ = ::fork();
   if (pid_ == 0) become(arguments, around, slave);
   if (slave >= 0) ::close(slave);
}

void program::become(const words& arguments, const surroundings& around, int terminal) const {
   const auto into = [](const std::string& file, int fd) {
      ::dup2(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), fd);
   };
   ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
   if (terminal >= 0)
      ::dup2(terminal, STDOUT_FILENO);
   else
      into(around.stdout_file.empty() ? (folder_ / "out").string() : around.stdout_file, STDOUT_FILENO);
   into((folder_ / "err").string(), STDERR_FILENO);
   if (around.stdout_closed) ::close(STDOUT_FILENO);
   int ends[2] = {-1, -1};
   if (around.output_unread && ::pipe(ends) == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::dup2(ends[1], STDERR_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
   }
   const char* const path = ::getenv("PATH");
   std::vector<std::string> environment = {std::string("PATH=") + (path == nullptr ? "/usr/bin:/bin" : path)};
   for (const auto& [name, value] : around.environment) environment.push_back(name + "=" + value);
   words all = {around.binary.empty() ? HOLDFAST_BINARY : around.binary};
   all.insert(all.end(), arguments.begin(), arguments.end());
   const auto pointers = [](words& texts) {
      std::vector<char*> list;
      for (std::string& text : texts) list.push_back(text.data());
      list.push_back(nullptr);
      return list;
   };
   ::execvpe(all.front().c_str(), pointers(all).data(), pointers(environment).data());
   ::_exit(126);
}

program::~program() {
   if (!ended_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
   }
   if (terminal_ >= 0) ::close(terminal_);
   std::error_code ignored;
   fs::remove_all(folder_, ignored);
}

void program::signal(int number) const { ::kill(pid_, number); }

bool program::look() {
   if (ended_ || ::waitpid(pid_, &status_, WNOHANG) != pid_) return ended_;
   took_ms_ = lab::ms_between(begun_, lab::clock::now());
   return ended_ = true;
}

bool program::says(const std::string& text, std::chrono::milliseconds patience) {
   const auto said = [&] { return (out() + err()).find(text) != std::string::npos; };
   lab::became_true([&] { return said() || look(); }, patience);
   return said();
}

int program::status() {
   if (!lab::became_true([this] { return look(); }, 60s, 1ms)) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status_, 0);
      ended_ = true;
   }
   return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

std::string program::out() {
   if (terminal_ < 0) return text_of("out");
   char bytes[4096];
   for (ssize_t size = 0; (size = ::read(terminal_, bytes, sizeof bytes)) > 0;)
      out_.append(bytes, static_cast<std::size_t>(size));
   return out_;
}

std::string program::err() const { return text_of("err"); }

std::size_t program::err_lines() const {
   const std::string text = err();
   return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::string program::text_of(const char* file) const {
   std::ifstream in(folder_ / file);
   std::ostringstream text;
   text << in.rdbuf();
   return text.str();
}

}  // namespace holdfast::cli_test

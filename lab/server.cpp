#include "lab/server.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace holdfast::lab {

std::filesystem::path redis_server_program() {
   if (const char* chosen = std::getenv("HOLDFAST_REDIS_SERVER"); chosen != nullptr && *chosen != '\0') {
      if (::access(chosen, X_OK) == 0) return std::filesystem::absolute(chosen);
      throw std::runtime_error(std::string("HOLDFAST_REDIS_SERVER names no program: ") + chosen);
   }
   const char* const path = std::getenv("PATH");
   std::istringstream folders(std::string(path != nullptr ? path : "") + ":/usr/bin:/usr/local/bin");
   for (std::string folder; std::getline(folders, folder, ':');) {
      const auto candidate = std::filesystem::path(folder) / "redis-server";
      if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) return std::filesystem::absolute(candidate);
   }
   throw std::runtime_error(
      "redis-server is not installed: install it (Debian: redis-server), or name it in "
      "HOLDFAST_REDIS_SERVER");
}

server::server(supervisor& s, std::string name, kind k, credentials who)
   : supervisor_(&s), name_(std::move(name)), kind_(k), who_(std::move(who)), folder_(s.folder() / name_) {
   std::filesystem::create_directory(folder_);
}

void server::configure(std::vector<std::string> lines) {
   std::ofstream file(folder_ / "conf");
   file << "bind 127.0.0.1\nport " << port_.number() << "\ndir " << folder_.string() << "\ndaemonize no\n";
   for (const std::string& line : lines) file << line << '\n';
   if (!file.flush()) throw std::runtime_error("cannot write " + (folder_ / "conf").string());
}

void server::start() {
   std::vector<std::string> arguments = {redis_server_program().string(), (folder_ / "conf").string()};
   if (kind_ == kind::sentinel) arguments.emplace_back("--sentinel");
   pid_ = supervisor_->start(arguments, log());
}

bool server::running() {
   if (pid_ != 0 && supervisor_->reaped(pid_)) pid_ = 0;
   return pid_ != 0;
}

void server::await_pong(milliseconds patience) {
   const auto end = clock::now() + patience;
   for (std::string why = "it never answered";;) {
      if (!running()) throw std::runtime_error(name_ + " ended. Its log:\n" + log_end());
      try {
         if (connect(milliseconds(500)).pongs()) return;
      } catch (const control_error& e) {
         why = e.what();
      }
      if (clock::now() >= end) throw fact_missing(name_ + " does not answer (" + why + "). Its log:\n" + log_end());
      ::usleep(2000);
   }
}

void server::signal(int number) {
   // The process is not reaped before running() has said so: the pid cannot be a stranger's.
   if (pid_ != 0) ::kill(pid_, number);
}

void server::kill() {
   signal(SIGKILL);
   await(name_ + " is gone", [this] { return !running(); }, milliseconds(5000), milliseconds(1));
}

void server::stop() {
   signal(SIGSTOP);
   // Until then it may still acknowledge.
   await(name_ + " is stopped", [this] { return state() == 'T'; }, milliseconds(1000), milliseconds(0));
}

char server::state() const {
   std::ifstream stat("/proc/" + std::to_string(pid_) + "/stat");
   std::string line;
   std::getline(stat, line);
   const std::size_t end_of_name = line.rfind(')');
   return end_of_name == std::string::npos || end_of_name + 2 >= line.size() ? '?' : line[end_of_name + 2];
}

void server::resume() { signal(SIGCONT); }

bool server::ended(milliseconds patience) {
   return became_true([this] { return !running(); }, patience);
}

std::string server::log_end(std::size_t lines) const {
   std::ifstream file(log());
   std::deque<std::string> last;
   for (std::string line; std::getline(file, line);) {
      last.push_back(std::move(line));
      if (last.size() > lines) last.pop_front();
   }
   std::string text;
   for (const std::string& line : last) text += "   " + line + '\n';
   return text;
}

}  // namespace holdfast::lab

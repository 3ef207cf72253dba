#include "cli/slow_path.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace holdfast::cli_test {

using lab::clock;

namespace {

sockaddr_in loopback(std::uint16_t port) {
   sockaddr_in address = {};
   address.sin_family = AF_INET;
   address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
   address.sin_port = htons(port);
   return address;
}

void send_at_once(int fd) {
   const int yes = 1;
   ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

}  // namespace

slow_path::slow_path(const endpoint& server, std::chrono::milliseconds delay) : server_(server), delay_(delay) {
   listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
   sockaddr_in address = loopback(0);
   socklen_t size = sizeof address;
   auto* const generic = reinterpret_cast<sockaddr*>(&address);
   if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
       ::getsockname(listener_, generic, &size) != 0) {
      throw std::system_error(errno, std::system_category(), "no listener");
   }
   port_ = ntohs(address.sin_port);
   over_ = ::eventfd(0, EFD_CLOEXEC);
   thread_ = std::thread([this] { run(); });
}

slow_path::~slow_path() {
   const std::uint64_t one = 1;
   [[maybe_unused]] const auto written = ::write(over_, &one, sizeof one);
   thread_.join();
   for (const passage& p : passages_) ::close(p.client), ::close(p.server);
   ::close(over_);
   ::close(listener_);
}

void slow_path::become_slow() {
   const std::lock_guard hold(guard_);
   slow_ = true;
}

std::vector<slow_path::connection> slow_path::connections() const {
   const std::lock_guard hold(guard_);
   return records_;
}

void slow_path::run() {
   while (true) {
      std::vector<pollfd> fds = {{over_, POLLIN, 0}, {listener_, POLLIN, 0}};
      auto next = clock::time_point::max();
      for (const passage& p : passages_) {
         fds.push_back({p.client, POLLIN, 0});
         fds.push_back({p.server, POLLIN, 0});
         if (!p.down.empty()) next = std::min(next, p.down.front().due);
      }
      const auto left = next == clock::time_point::max() ? std::chrono::nanoseconds(std::chrono::seconds(10))
                                                         : std::max(next - clock::now(), clock::duration::zero());
      const timespec limit = {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
      if (::ppoll(fds.data(), fds.size(), &limit, nullptr) < 0 && errno != EINTR) return;
      if (fds[0].revents != 0) return;
      std::size_t at = 2;
      for (passage& p : passages_) {
         if (fds[at++].revents != 0) pass_up(p);
         if (fds[at++].revents != 0 && !p.broken) take_down(p);
         pass_down(p, clock::now());
      }
      passages_.remove_if([](const passage& p) {
         if (p.broken) ::close(p.client), ::close(p.server);
         return p.broken;
      });
      if (fds[1].revents != 0) accept_one();
   }
}

void slow_path::accept_one() {
   passage p;
   p.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
   p.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
   const sockaddr_in address = loopback(server_.port);
   p.broken = ::connect(p.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
   send_at_once(p.client);
   send_at_once(p.server);
   const std::lock_guard hold(guard_);
   p.record = records_.size();
   records_.push_back({.accepted = clock::now()});
   passages_.push_back(std::move(p));
}

void slow_path::pass_up(passage& p) {
   std::array<char, 65536> bytes;
   const ssize_t size = ::recv(p.client, bytes.data(), bytes.size(), 0);
   p.broken = size <= 0 || ::send(p.server, bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) != size;
   if (p.broken) return;
   const std::lock_guard hold(guard_);
   auto& turns = records_[p.record].turns;
   if (turns.empty() || turns.back().answered != clock::time_point{}) turns.push_back({.sent = clock::now()});
   turns.back().said.append(bytes.data(), static_cast<std::size_t>(size));
}

void slow_path::take_down(passage& p) {
   std::array<char, 65536> bytes;
   const ssize_t size = ::recv(p.server, bytes.data(), bytes.size(), 0);
   const std::lock_guard hold(guard_);
   const auto due = clock::now() + (slow_ ? delay_ : std::chrono::milliseconds(0));
   const std::size_t begun = records_[p.record].turns.size();
   p.down.push_back({due, std::string(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))), begun - 1});
}

void slow_path::pass_down(passage& p, clock::time_point now) {
   while (!p.broken && !p.down.empty() && p.down.front().due <= now) {
      const held h = std::move(p.down.front());
      p.down.pop_front();
      p.broken = h.bytes.empty() || ::send(p.client, h.bytes.data(), h.bytes.size(), MSG_NOSIGNAL) < 0;
      const std::lock_guard hold(guard_);
      auto& turns = records_[p.record].turns;
      if (!p.broken && h.turn < turns.size() && turns[h.turn].answered == clock::time_point{})
         turns[h.turn].answered = clock::now();
   }
}

}  // namespace holdfast::cli_test

// A way to a server on which bytes trickle: a relay that passes so many a second in each direction, or none for a
// while.
#pragma once

#include "lab/port.hpp"
#include "lab/sockets.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

namespace holdfast::test {

class slow_way {
 public:
   slow_way(const endpoint& server, std::size_t bytes_a_second) : server_(server), piece_(bytes_a_second / 100) {
      listener_ = small_socket();
      const int on = 1;
      ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      const auto where = lab::address_of(address());
      if (::bind(listener_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0 ||
          ::listen(listener_, 8) != 0)
         throw std::system_error(errno, std::system_category(), "slow_way");
      acceptor_ = std::jthread([this] { accept_all(); });
   }
   ~slow_way() {
      over_ = true;
      acceptor_ = {};
      pumps_.clear();
      ::close(listener_);
      for (const int fd : open_) ::close(fd);
   }
   slow_way(const slow_way&) = delete;
   slow_way& operator=(const slow_way&) = delete;

   endpoint address() const { return {"127.0.0.1", port_.number()}; }
   void stand_still(bool yes) { still_ = yes; }
   std::size_t connections() const { return count_; }
   std::size_t passed() const { return passed_; }  // bytes, in both directions

 private:
   // As little as possible is on the way.
   static int small_socket() {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const int little = 16 * 1024;
      for (const int option : {SO_RCVBUF, SO_SNDBUF}) ::setsockopt(fd, SOL_SOCKET, option, &little, sizeof little);
      return fd;
   }
   static bool readable(int fd) {
      pollfd p{fd, POLLIN, 0};
      return ::poll(&p, 1, 50) == 1;
   }
   void accept_all() {
      while (!over_) {
         if (!readable(listener_)) continue;
         const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
         const int server = small_socket();
         const auto where = lab::address_of(server_);
         if (client < 0 || ::connect(server, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) continue;
         open_.insert(open_.end(), {client, server});
         ++count_;
         pumps_.emplace_back([this, client, server] { pump(client, server); });
         pumps_.emplace_back([this, client, server] { pump(server, client); });
      }
   }
   void pump(int from, int to) {
      std::vector<char> piece(piece_);
      while (!over_) {
         if (still_) {
            ::poll(nullptr, 0, 10);
            continue;
         }
         if (!readable(from)) continue;
         const auto n = ::recv(from, piece.data(), piece.size(), 0);
         passed_ += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
         if (n <= 0 || ::send(to, piece.data(), static_cast<std::size_t>(n), MSG_NOSIGNAL) != n) break;
         ::poll(nullptr, 0, 10);
      }
      for (const int fd : {from, to}) ::shutdown(fd, SHUT_RDWR);
   }

   lab::reserved_port port_;
   endpoint server_;
   std::size_t piece_;
   int listener_ = -1;
   std::vector<int> open_;  // the acceptor's
   std::vector<std::jthread> pumps_;
   std::atomic<std::size_t> count_ = 0;
   std::atomic<std::size_t> passed_ = 0;
   std::atomic<bool> over_ = false;
   std::atomic<bool> still_ = false;
   std::jthread acceptor_;
};

}  // namespace holdfast::test

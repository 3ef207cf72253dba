#include "lab/cutter.hpp"

#include "lab/sockets.hpp"

#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace holdfast::lab {
namespace {

// What one read found.
struct heard {
   std::string bytes = {};
   bool ended = false;  // FIN, RST
};

heard listen_to(int fd, std::size_t at_most) {
   heard h;
   h.bytes.resize(at_most);
   const ssize_t size = ::recv(fd, h.bytes.data(), at_most, MSG_DONTWAIT);
   h.ended = size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
   h.bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
   return h;
}

// Hands bytes on, waiting for as long as the receiver is slow: nothing of this passage could go on before them anyway.
bool hand_on(int fd, std::string_view bytes) {
   while (!bytes.empty()) {
      const ssize_t size = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
      if (size < 0 && errno != EAGAIN && errno != EINTR) return false;
      pollfd writable = {fd, POLLOUT, 0};
      if (!bytes.empty() && ::poll(&writable, 1, 5000) <= 0) return false;
   }
   return true;
}

void await_empty(int fd, unsigned long queue) {
   int held = 1;
   for (int looks = 0; looks < 1000 && ::ioctl(fd, queue, &held) == 0 && held > 0; ++looks) ::poll(nullptr, 0, 1);
}

// An RST throws away what was not sent yet: the bytes before it must be on their way first.
void await_sending(int fd) { await_empty(fd, SIOCOUTQNSD); }

// What the other side has not acknowledged is sent again and again, also by a machine that should have vanished.
void await_acknowledgement(int fd) { await_empty(fd, SIOCOUTQ); }

// A filter that drops every packet before TCP sees it: nothing is acknowledged any more. Needs no privilege.
void stop_acknowledging(int fd) {
   sock_filter drop_all[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
   const sock_fprog program = {1, drop_all};
   ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

struct passage {
   int client = -1;  // -1: closed
   int server = -1;
   std::optional<cut> planned = {};
   std::size_t counted = 0;  // of the planned direction, since it was planned
   bool silent = false;
   bool server_told = false;  // our FIN to the server is out
   bool client_told = false;
   cutter::passed so_far = {};

   // How many bytes may still go in that direction.
   std::size_t allowed(direction d, std::size_t wanted) const {
      return planned && planned->towards == d ? std::min(wanted, planned->after - counted) : wanted;
   }
   bool due() const { return planned && !so_far.cut && counted == planned->after; }
};

}  // namespace

struct cutter::state {
   int listener = -1;
   int wake = -1;
   sockaddr_in server = {};
   mutable std::mutex guard;  // of all that follows
   bool stopping = false;
   std::deque<cut> waiting;
   std::deque<passage> passages;

   void nudge() const {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(wake, &one, sizeof one);
   }
   void admit();
   void pass(passage&, direction);
   void perform(passage&);
   static void end(passage&, bool by_reset);
};

cutter::cutter(const endpoint& server) : state_(std::make_unique<state>()) {
   state& s = *state_;
   s.server = address_of(server);
   s.wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
   s.listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
   const int yes = 1;
   ::setsockopt(s.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
   const sockaddr_in own = address_of(address());
   if (s.wake < 0 || ::bind(s.listener, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
       ::listen(s.listener, 511) != 0) {
      const int why = errno;
      ::close(s.listener);
      ::close(s.wake);
      throw std::system_error(why, std::generic_category(), "the cutter cannot listen");
   }
   thread_ = std::thread([this] { run(); });
}

cutter::~cutter() {
   {
      const std::lock_guard lock(state_->guard);
      state_->stopping = true;
   }
   state_->nudge();
   thread_.join();
   for (passage& p : state_->passages) state::end(p, true);
   ::close(state_->listener);
   ::close(state_->wake);
}

void cutter::cut_next(cut c) {
   const std::lock_guard lock(state_->guard);
   state_->waiting.push_back(c);
}

void cutter::cut_open(cut c) {
   const std::lock_guard lock(state_->guard);
   for (passage& p : state_->passages) {
      if (p.so_far.over || p.so_far.cut) continue;
      p.planned = c;
      p.counted = 0;
   }
   state_->nudge();
}

void cutter::heal() {
   const std::lock_guard lock(state_->guard);
   state_->waiting.clear();
   for (passage& p : state_->passages) {
      if (p.silent) state::end(p, true);
   }
   state_->nudge();
}

std::vector<cutter::passed> cutter::connections() const {
   const std::lock_guard lock(state_->guard);
   std::vector<passed> all;
   for (const passage& p : state_->passages) all.push_back(p.so_far);
   return all;
}

std::size_t cutter::open() const {
   const auto all = connections();
   return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const passed& p) { return !p.over; }));
}

std::size_t cutter::cuts() const {
   const auto all = connections();
   return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const passed& p) { return p.cut; }));
}

void cutter::state::admit() {
   for (;;) {
      passage p;
      p.client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (p.client < 0) return;
      p.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const int yes = 1;
      ::setsockopt(p.client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      ::setsockopt(p.server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      // On the loopback address a connect ends at once, either way.
      const bool reached = ::connect(p.server, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0;
      if (reached && !waiting.empty()) {
         p.planned = waiting.front();
         waiting.pop_front();
      }
      if (!reached) end(p, true);
      passages.push_back(p);
   }
}

void cutter::state::end(passage& p, bool by_reset) {
   for (int* fd : {&p.client, &p.server}) {
      if (*fd >= 0) by_reset ? close_with_reset(*fd) : static_cast<void>(::close(*fd));
      *fd = -1;
   }
   p.silent = false;
   p.so_far.over = true;
}

// The server's side stays until it closes as well: then it has read all that it was given. So does the client's where
// it is to see a FIN: to close what has unread bytes would send an RST.
void cutter::state::perform(passage& p) {
   p.so_far.cut = true;
   if (p.planned->how == ending::silence || p.planned->how == ending::vanish) {
      await_sending(p.client);
      if (p.planned->how == ending::vanish) {
         await_acknowledgement(p.client);
         stop_acknowledging(p.client);
      }
      p.silent = true;
      return;
   }
   if (p.planned->how == ending::reset) {
      await_sending(p.client);
      close_with_reset(std::exchange(p.client, -1));
   } else if (!p.client_told) {
      ::shutdown(p.client, SHUT_WR);
   }
   p.client_told = true;
   if (!p.server_told) ::shutdown(p.server, SHUT_WR);
   p.server_told = true;
}

void cutter::state::pass(passage& p, direction d) {
   constexpr std::size_t chunk = 64 * 1024;
   const bool up = d == direction::to_server;
   const heard h = listen_to(up ? p.client : p.server, chunk);
   if (p.so_far.cut) {  // nobody hears it any more
      if (!h.ended) return;
      if (p.silent) return end(p, true);
      int& ended = up ? p.client : p.server;
      ::close(std::exchange(ended, -1));
      p.so_far.over = p.client < 0 && p.server < 0;
      return;
   }
   const std::size_t size = p.allowed(d, h.bytes.size());
   if (!hand_on(up ? p.server : p.client, std::string_view(h.bytes).substr(0, size))) return end(p, true);
   (up ? p.so_far.to_server : p.so_far.to_client) += size;
   if (p.planned && p.planned->towards == d) p.counted += size;
   if (!h.ended || p.due()) return;
   bool& told = up ? p.server_told : p.client_told;
   ::shutdown(up ? p.server : p.client, SHUT_WR);
   told = true;
   if (p.server_told && p.client_told) end(p, false);
}

void cutter::run() {
   state& s = *state_;
   std::vector<pollfd> watched;
   for (;;) {
      watched.assign({{s.wake, POLLIN, 0}, {s.listener, POLLIN, 0}});
      {
         const std::lock_guard lock(s.guard);
         if (s.stopping) return;
         for (passage& p : s.passages) {
            if (p.due()) s.perform(p);
            // A side that has ended is left out of poll: it would report its end for ever.
            watched.push_back({p.server_told && !p.so_far.cut ? -1 : p.client, POLLIN, 0});
            watched.push_back({p.client_told && !p.so_far.cut ? -1 : p.server, POLLIN, 0});
         }
      }
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      const std::lock_guard lock(s.guard);
      std::uint64_t nudges = 0;
      if (watched[0].revents != 0) [[maybe_unused]]
         const auto size = ::read(s.wake, &nudges, sizeof nudges);
      std::size_t at = 2;
      for (passage& p : s.passages) {
         if (watched[at].revents != 0 && p.client >= 0) s.pass(p, direction::to_server);
         if (p.due()) s.perform(p);
         if (watched[at + 1].revents != 0 && p.server >= 0) s.pass(p, direction::to_client);
         if (p.due()) s.perform(p);
         at += 2;
      }
      if (watched[1].revents != 0) s.admit();
   }
}

}  // namespace holdfast::lab

#include "lab/relay.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <list>
#include <mutex>
#include <system_error>
#include <vector>

namespace holdfast::lab {
namespace {

constexpr std::size_t chunk_size = 64 * 1024;
constexpr std::size_t most_buffered = 1024 * 1024;  // beyond it the sender is not read from: TCP holds it back

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

void close_with_reset(int fd) {
   const linger now = {1, 0};
   ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
   ::close(fd);
}

sockaddr_in address_of(const endpoint& where) {
   sockaddr_in address = {};
   address.sin_family = AF_INET;
   address.sin_port = htons(where.port);
   ::inet_pton(AF_INET, where.host.c_str(), &address.sin_addr);
   return address;
}

// One direction of a connection that passes through.
struct stream {
   int from = -1;
   int to = -1;
   std::string waiting = {};
   bool ended = false;  // `from` has sent its FIN
   bool shut = false;   // and `to` was told

   bool wants_read() const { return !ended && waiting.size() < most_buffered; }
   bool wants_write() const { return !waiting.empty(); }

   // False: the connection broke.
   bool read() {
      std::array<char, chunk_size> bytes;
      const ssize_t size = ::recv(from, bytes.data(), bytes.size(), 0);
      if (size < 0) return errno == EAGAIN || errno == EINTR;
      if (size == 0) ended = true;
      waiting.append(bytes.data(), static_cast<std::size_t>(size));
      return true;
   }
   bool write() {
      if (!waiting.empty()) {
         const ssize_t size = ::send(to, waiting.data(), waiting.size(), MSG_NOSIGNAL);
         if (size < 0) return errno == EAGAIN || errno == EINTR;
         waiting.erase(0, static_cast<std::size_t>(size));
      }
      if (waiting.empty() && ended && !shut) shut = true, ::shutdown(to, SHUT_WR);
      return true;
   }
};

struct passage {
   int client = -1;
   int server = -1;
   stream up = {};
   stream down = {};
   std::string last_said = {};  // the end of what the client said, should a marker be split between two reads
   bool reply_to_be_lost = false;
   bool broken = false;

   bool over() const { return broken || (up.shut && down.shut); }
};

}  // namespace

struct relay::state {
   int listener = -1;
   int wake = -1;
   sockaddr_in server = {};
   std::atomic<bool> stopping = false;
   std::atomic<unsigned> lost = 0;
   std::atomic<unsigned> passing = 0;
   std::atomic<unsigned> asked = 0;
   std::atomic<clock::time_point> last_loss = clock::time_point();
   std::mutex guard;
   std::vector<std::string> markers;  // by `guard`
   std::list<passage> passages;       // of the relay's thread alone

   void admit();
   void heard_client(passage&, std::size_t already);
   void serve(passage&, short client_events, short server_events);
   void lose(passage&);
};

relay::relay(const endpoint& server) : state_(std::make_unique<state>()) {
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
      throw std::system_error(why, std::generic_category(), "the relay cannot listen");
   }
   thread_ = std::thread([this] { run(); });
}

relay::~relay() {
   state_->stopping = true;
   const std::uint64_t one = 1;
   [[maybe_unused]] const auto written = ::write(state_->wake, &one, sizeof one);
   thread_.join();
   ::close(state_->listener);
   ::close(state_->wake);
}

void relay::lose_reply_to(const std::string& marker) {
   const std::lock_guard lock(state_->guard);
   state_->markers.push_back(marker);
   ++state_->asked;
}

unsigned relay::replies_lost() const { return state_->lost; }

clock::time_point relay::last_loss() const { return state_->last_loss; }

bool relay::done() const { return state_->lost == state_->asked; }

unsigned relay::connections() const { return state_->passing; }

void relay::state::admit() {
   for (;;) {
      const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (client < 0) return;
      const int upstream = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      // On the loopback address a connect ends at once, either way.
      if (::connect(upstream, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
         ::close(upstream);
         close_with_reset(client);
         continue;
      }
      set_nonblocking(upstream);
      const int yes = 1;
      ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      ::setsockopt(upstream, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      passage p;
      p.client = client;
      p.server = upstream;
      p.up = {client, upstream};
      p.down = {upstream, client};
      passages.push_back(std::move(p));
   }
}

void relay::state::heard_client(passage& p, std::size_t already) {
   constexpr std::size_t longest_marker = 64;
   const std::size_t old = p.last_said.size();
   p.last_said.append(p.up.waiting, already);
   const std::lock_guard lock(guard);
   // What was said before the marker was asked for does not count: it must end in the new bytes.
   const auto found = std::find_if(markers.begin(), markers.end(), [&](const std::string& marker) {
      const std::size_t from = old < marker.size() ? 0 : old - marker.size() + 1;
      return p.last_said.find(marker, from) != std::string::npos;
   });
   if (found != markers.end() && !p.reply_to_be_lost) {
      markers.erase(found);
      p.reply_to_be_lost = true;
   }
   if (p.last_said.size() > longest_marker) p.last_said.erase(0, p.last_said.size() - longest_marker);
}

void relay::state::lose(passage& p) {
   p.down.waiting.clear();
   p.broken = true;
   last_loss = clock::now();
   ++lost;
}

void relay::state::serve(passage& p, short client_events, short server_events) {
   constexpr short readable = POLLIN | POLLHUP | POLLERR;
   bool whole = true;
   if ((client_events & readable) != 0 && p.up.wants_read()) {
      const std::size_t already = p.up.waiting.size();
      whole = p.up.read();
      heard_client(p, already);
   }
   if (whole && (server_events & readable) != 0 && p.down.wants_read()) {
      whole = p.down.read();
      if (whole && p.reply_to_be_lost) return lose(p);
   }
   if (!whole || !p.up.write() || !p.down.write()) p.broken = true;
}

void relay::run() {
   state& s = *state_;
   std::vector<pollfd> watched;
   while (!s.stopping) {
      watched.clear();
      watched.push_back({s.wake, POLLIN, 0});
      watched.push_back({s.listener, POLLIN, 0});
      const auto events = [](const stream& in, const stream& out) {
         return static_cast<short>((in.wants_read() ? POLLIN : 0) | (out.wants_write() ? POLLOUT : 0));
      };
      // A side that is not to be read is left out of poll: it would report its HUP for ever.
      const auto watch = [&](int fd, short wanted) { watched.push_back({wanted != 0 ? fd : -1, wanted, 0}); };
      for (const passage& p : s.passages) {
         watch(p.client, events(p.up, p.down));
         watch(p.server, events(p.down, p.up));
      }
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      std::size_t at = 2;
      for (passage& p : s.passages) {
         s.serve(p, watched[at].revents, watched[at + 1].revents);
         at += 2;
      }
      s.passages.remove_if([](const passage& p) {
         if (!p.over()) return false;
         p.broken ? close_with_reset(p.client) : static_cast<void>(::close(p.client));
         p.broken ? close_with_reset(p.server) : static_cast<void>(::close(p.server));
         return true;
      });
      if ((watched[1].revents & POLLIN) != 0) s.admit();
      s.passing = static_cast<unsigned>(s.passages.size());
   }
   for (const passage& p : s.passages) ::close(p.client), ::close(p.server);
}

}  // namespace holdfast::lab

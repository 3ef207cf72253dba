#include "lab/relay.hpp"

#include "lab/passage.hpp"
#include "lab/sockets.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <vector>

namespace holdfast::lab {
namespace {

constexpr int backlog = 511;

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

}  // namespace

struct relay::state {
   // What was ordered last; carried out by the relay's thread.
   struct orders {
      bool held = false;
      healing how = healing::intact;
      milliseconds delay = milliseconds(0);
   };

   int listener = -1;
   int wake = -1;
   sockaddr_in own = {};
   sockaddr_in server = {};
   std::atomic<bool> stopping = false;
   std::atomic<unsigned> lost = 0;
   std::atomic<unsigned> passing = 0;
   std::atomic<unsigned> asked = 0;
   std::atomic<clock::time_point> last_loss = clock::time_point();
   std::mutex guard;
   std::vector<std::string> markers;  // by `guard`, as are the next four
   orders wanted;
   std::uint64_t ordered = 0;
   std::uint64_t obeyed = 0;
   std::condition_variable obedience;
   // Of the relay's thread alone:
   std::list<passage> passages;
   orders current;
   int stopper = -1;  // fills the backlog while it holds

   void obey();
   void hold();
   void heal(healing);
   void admit();
   void heard_client(passage&, std::string_view fresh);
   void serve(passage&, short client_events, short server_events);
   void lose(passage&);
   void clear_away();
   int patience() const;
   void call() const;
};

relay::relay(const endpoint& server) : state_(std::make_unique<state>()) {
   state& s = *state_;
   s.server = address_of(server);
   s.own = address_of(address());
   s.wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
   s.listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
   const int yes = 1;
   ::setsockopt(s.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
   if (s.wake < 0 || ::bind(s.listener, reinterpret_cast<const sockaddr*>(&s.own), sizeof s.own) != 0 ||
       ::listen(s.listener, backlog) != 0) {
      const int why = errno;
      ::close(s.listener);
      ::close(s.wake);
      throw std::system_error(why, std::generic_category(), "the relay cannot listen");
   }
   thread_ = std::thread([this] { run(); });
}

relay::~relay() {
   state_->stopping = true;
   state_->call();
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

template <class Change>
void relay::order(Change change) {
   state& s = *state_;
   std::unique_lock lock(s.guard);
   change(s.wanted);
   const std::uint64_t mine = ++s.ordered;
   s.call();
   s.obedience.wait(lock, [&] { return s.obeyed >= mine; });
}

void relay::hold() {
   order([](state::orders& o) { o.held = true; });
}

void relay::heal(healing how) {
   order([how](state::orders& o) { o.held = false, o.how = how; });
}

void relay::delay(milliseconds each_way) {
   order([each_way](state::orders& o) { o.delay = each_way; });
}

// ---- in the relay's thread -----------------------------------------------------------------------------------------

void relay::state::call() const {
   const std::uint64_t one = 1;
   [[maybe_unused]] const auto written = ::write(wake, &one, sizeof one);
}

void relay::state::obey() {
   std::uint64_t calls = 0;
   [[maybe_unused]] const auto got = ::read(wake, &calls, sizeof calls);
   const std::lock_guard lock(guard);
   if (wanted.held && !current.held) hold();
   if (!wanted.held && current.held) heal(wanted.how);
   current = wanted;
   obeyed = ordered;
   obedience.notify_all();
}

void relay::state::hold() {
   admit();
   // A backlog of none holds one connection, and that one is ours: every SYN from now on is dropped.
   ::listen(listener, 0);
   stopper = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
   ::connect(stopper, reinterpret_cast<const sockaddr*>(&own), sizeof own);
}

void relay::state::heal(healing how) {
   // First: who is reset comes back at once, and is to be let in.
   ::listen(listener, backlog);
   ::close(stopper);
   if (how == healing::reset)
      for (passage& p : passages) p.broken = true;
   clear_away();
}

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
      ++passing;
   }
}

void relay::state::heard_client(passage& p, std::string_view fresh) {
   constexpr std::size_t longest_marker = 64;
   const std::size_t old = p.last_said.size();
   p.last_said.append(fresh);
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
   p.broken = true;
   last_loss = clock::now();
   ++lost;
}

void relay::state::serve(passage& p, short client_events, short server_events) {
   constexpr short readable = POLLIN | POLLHUP | POLLERR;
   if ((client_events & readable) != 0 && p.up.wants_read()) heard_client(p, p.up.read(current.delay));
   if ((server_events & readable) != 0 && p.down.wants_read()) {
      const bool answered = !p.down.read(current.delay).empty();
      if (answered && p.reply_to_be_lost) return lose(p);
   }
   const auto now = clock::now();
   if (!p.up.write(now) || !p.down.write(now)) p.broken = true;
}

void relay::state::clear_away() {
   passages.remove_if([](const passage& p) {
      if (!p.over()) return false;
      p.broken ? close_with_reset(p.client) : static_cast<void>(::close(p.client));
      p.broken ? close_with_reset(p.server) : static_cast<void>(::close(p.server));
      return true;
   });
   passing = static_cast<unsigned>(passages.size());
}

// As poll() takes it: how long nothing is due.
int relay::state::patience() const {
   if (current.held) return -1;
   std::optional<clock::time_point> first;
   for (const passage& p : passages) {
      for (const auto& due : {p.up.next_due(), p.down.next_due()})
         if (due && (!first || *due < *first)) first = due;
   }
   if (!first) return -1;
   return static_cast<int>(std::max(std::chrono::ceil<milliseconds>(*first - clock::now()), milliseconds(0)).count());
}

void relay::run() {
   state& s = *state_;
   std::vector<pollfd> watched;
   while (!s.stopping) {
      watched.clear();
      watched.push_back({s.wake, POLLIN, 0});
      watched.push_back({s.current.held ? -1 : s.listener, POLLIN, 0});
      const auto events = [](const stream& in, const stream& out) {
         return static_cast<short>((in.wants_read() ? POLLIN : 0) | (out.wants_write() ? POLLOUT : 0));
      };
      // A side that is not to be read is left out of poll: it would report its HUP for ever.
      const auto watch = [&](int fd, short wanted) { watched.push_back({wanted != 0 ? fd : -1, wanted, 0}); };
      for (const passage& p : s.passages) {
         watch(s.current.held ? -1 : p.client, events(p.up, p.down));
         watch(s.current.held ? -1 : p.server, events(p.down, p.up));
      }
      if (::poll(watched.data(), watched.size(), s.patience()) < 0) continue;
      if (watched[0].revents != 0) {
         // An order counts for what is said after it: what has come already is taken in as before.
         if (!s.current.held)
            for (passage& p : s.passages) s.serve(p, POLLIN, POLLIN);
         s.clear_away();
         s.obey();
         continue;  // what poll has told need not be so any more
      }
      std::size_t at = 2;
      for (passage& p : s.passages) {
         if (!s.current.held) s.serve(p, watched[at].revents, watched[at + 1].revents);
         at += 2;
      }
      s.clear_away();
      if ((watched[1].revents & POLLIN) != 0) s.admit();
   }
   for (const passage& p : s.passages) ::close(p.client), ::close(p.server);
   if (s.current.held) ::close(s.stopper);
}

}  // namespace holdfast::lab

#include "lab/fault_proxy.hpp"

#include "lab/sockets.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/sockios.h>
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
#include <limits>
#include <list>
#include <mutex>
#include <utility>

namespace holdfast::lab {
namespace {

using kind = network_fault::kind;
using std::chrono::nanoseconds;

constexpr int backlog = 511;
constexpr std::size_t most_read = 64UL * 1024;
constexpr std::size_t most_underway = 1024UL * 1024;  // beyond it nothing is read: TCP holds the sender back
constexpr milliseconds between_dribbles(10);

struct piece {
   enum class what { bytes, end, reset };
   what sort = what::bytes;
   std::string bytes = {};
   clock::time_point came = {};
   clock::time_point due = {};
};

// One direction of a connection.
struct stream {
   std::deque<piece> pieces = {};
   std::size_t sent = 0;                // of the first piece
   std::size_t underway = 0;            // of all pieces, in bytes
   clock::time_point readable_at = {};  // a dribble's next read
   bool heard_out = false;              // the sender has ended
   bool told = false;                   // and the receiver has our FIN
};

struct planned {
   network_fault fault;
   std::size_t counted = 0;
   bool begun = false;
};

struct link {
   int client = -1;  // -1: closed
   int server = -1;
   std::string source = {};
   std::size_t number = 0;
   std::array<stream, 2> streams = {};
   std::vector<planned> faults = {};
   std::string last_said = {};  // the end of what the client said, should a marker be split between two reads
   bool reply_to_be_lost = false;
   bool cut = false;
   bool silent = false;
   bool over = false;

   stream& towards(direction d) { return streams[static_cast<std::size_t>(d)]; }
   const stream& towards(direction d) const { return streams[static_cast<std::size_t>(d)]; }
   int from(direction d) const { return d == direction::to_server ? client : server; }
   int to(direction d) const { return d == direction::to_server ? server : client; }

   bool has(kind what, direction d) const {
      return std::any_of(faults.begin(), faults.end(),
                         [&](const planned& p) { return p.begun && p.fault.what == what && p.fault.towards == d; });
   }
   bool swallows(direction d) const { return cut || has(kind::swallow, d) || has(kind::half_close, d); }
   bool finished(direction d) const { return towards(d).told || (towards(d).heard_out && swallows(d)); }
   // How many bytes may be read now.
   std::size_t room(direction d, clock::time_point now) const {
      const stream& s = towards(d);
      if (from(d) < 0 || s.heard_out || has(kind::stall, d) || s.readable_at > now) return 0;
      if (swallows(d)) return most_read;
      std::size_t least = most_read;
      std::size_t underway = most_underway;
      for (const planned& p : faults) {
         if (p.fault.towards != d) continue;
         if (!p.begun) least = std::min(least, p.fault.after - p.counted);
         if (p.begun && p.fault.what == kind::dribble) least = underway = std::min(least, dribble_of(p.fault));
      }
      return s.underway < underway ? least : 0;
   }
   static std::size_t dribble_of(const network_fault& f) {
      return std::max(f.rate * static_cast<std::size_t>(between_dribbles.count()) / 1000, std::size_t(1));
   }
};

void await_empty(int fd, unsigned long queue) {
   int held = 1;
   for (int looks = 0; looks < 1000 && ::ioctl(fd, queue, &held) == 0 && held > 0; ++looks) ::poll(nullptr, 0, 1);
}

// A filter that drops every packet before TCP sees it: nothing is acknowledged any more. Needs no privilege. What the
// other side has not acknowledged before that would be sent to it again and again.
void stop_acknowledging(int fd) {
   await_empty(fd, SIOCOUTQ);
   sock_filter drop_all[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
   const sock_fprog program = {1, drop_all};
   ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

// To be called before the connection is made: later it would make windows that stand still.
void buffer_little(int fd) {
   for (const int option : {SO_RCVBUF, SO_SNDBUF}) set_option(fd, SOL_SOCKET, option, 16 * 1024);
}

sockaddr_in name_of(int fd, int (*which)(int, sockaddr*, socklen_t*)) {
   sockaddr_in name = {};
   socklen_t size = sizeof name;
   which(fd, reinterpret_cast<sockaddr*>(&name), &size);
   return name;
}

}  // namespace

std::vector<network_fault> both_ways(network_fault f) {
   f.towards = direction::to_server;
   std::vector<network_fault> both(2, f);
   both[1].towards = direction::to_client;
   return both;
}

struct fault_proxy::state {
   int listener = -1;
   int wake = -1;
   sockaddr_in own = {};
   sockaddr_in server = {};
   mutable std::mutex guard;  // of all that follows
   bool stopping = false;
   std::uint64_t orders = 0;
   std::list<link> links = {};
   std::vector<connection> known = {};
   std::vector<network_fault> everywhere = {};
   std::deque<network_fault> for_next = {};
   std::vector<std::string> markers = {};
   std::size_t replies_to_lose = 0;
   clock::time_point last_loss = {};
   int stopper = -1;  // fills the backlog while nothing is let in
   std::function<void(const passage&)> listener_in = {};

   void run();
   void admit();
   void take_in(link&, direction);
   void hear_client(link&, std::string_view fresh);
   void hand_on(link&, direction);
   void serve(link&);
   void begin(link&, planned&);
   void cut(link&, kind);
   void end(link&, bool by_reset);
   void end_of(link&, direction, bool by_reset);
   void clear_away() {
      links.remove_if([](const link& l) { return l.over; });
   }
   void unplan(const std::function<bool(const network_fault&)>& which);
   timespec patience() const;
};

fault_proxy::fault_proxy(const endpoint& server) : state_(std::make_unique<state>()) {
   state& s = *state_;
   s.server = address_of(server);
   s.own = address_of(address());
   s.listener = listening_at(address(), backlog, SOCK_NONBLOCK);
   s.wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
   if (s.wake < 0) {
      const int why = errno;
      ::close(s.listener);
      throw std::system_error(why, std::generic_category(), "the proxy cannot be woken");
   }
   thread_ = std::thread([&s] { s.run(); });
}

fault_proxy::~fault_proxy() {
   order([](state& s) { s.stopping = true; });
   thread_.join();
   for (link& l : state_->links) state_->end(l, true);
   for (const int fd : {state_->listener, state_->wake, state_->stopper})
      if (fd >= 0) ::close(fd);
}

template <class Change>
void fault_proxy::order(Change change) {
   state& s = *state_;
   const std::lock_guard lock(s.guard);
   for (link& l : s.links) s.serve(l);
   change(s);
   for (link& l : s.links) s.serve(l);
   s.clear_away();
   ++s.orders;
   const std::uint64_t one = 1;
   [[maybe_unused]] const auto written = ::write(s.wake, &one, sizeof one);
}

void fault_proxy::impose(const std::vector<network_fault>& faults) {
   order([&](state& s) {
      for (const network_fault& f : faults) {
         s.everywhere.push_back(f);
         if (f.what == kind::dribble) buffer_little(s.listener);  // connections inherit it
         for (link& l : s.links)
            if (l.source != f.spared) l.faults.push_back({f});
      }
   });
}

void fault_proxy::impose_on_open(const network_fault& f) {
   order([&](state& s) {
      for (link& l : s.links)
         if (l.source != f.spared) l.faults.push_back({f});
   });
}

void fault_proxy::impose_on_next(const network_fault& f) {
   order([&](state& s) { s.for_next.push_back(f); });
}

void fault_proxy::lose_reply_to(const std::string& marker) {
   order([&](state& s) { s.markers.push_back(marker), ++s.replies_to_lose; });
}

void fault_proxy::state::unplan(const std::function<bool(const network_fault&)>& which) {
   std::erase_if(everywhere, which);
   for (link& l : links) std::erase_if(l.faults, [&](const planned& p) { return which(p.fault); });
}

void fault_proxy::lift(const std::vector<network_fault>& faults) {
   order([&](state& s) {
      s.unplan([&](const network_fault& f) { return std::find(faults.begin(), faults.end(), f) != faults.end(); });
   });
}

void fault_proxy::lift_all() {
   order([](state& s) {
      s.unplan([](const network_fault&) { return true; });
      s.for_next.clear();
      for (link& l : s.links)
         if (l.silent) s.end(l, true);
   });
}

void fault_proxy::hold() {
   order([](state& s) {
      s.admit();
      // A backlog of none holds one connection, and that one is ours: every SYN from now on is dropped.
      ::listen(s.listener, 0);
      s.stopper = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      ::connect(s.stopper, reinterpret_cast<const sockaddr*>(&s.own), sizeof s.own);
   });
   impose(both_ways({.what = kind::stall}));
}

void fault_proxy::heal(healing how) {
   order([&](state& s) {
      if (s.stopper < 0) return;
      // First: a client that is reset comes back at once, and is to be let in.
      ::listen(s.listener, backlog);
      if (how == healing::reset)
         for (link& l : s.links) s.end(l, true);
      s.unplan([](const network_fault& f) { return f.what == kind::stall; });
      s.admit();
      ::close(std::exchange(s.stopper, -1));
   });
}

std::vector<fault_proxy::connection> fault_proxy::connections() const {
   const std::lock_guard lock(state_->guard);
   return state_->known;
}

std::size_t fault_proxy::count(bool connection::* which, bool value) const {
   const std::lock_guard lock(state_->guard);
   return static_cast<std::size_t>(std::count_if(state_->known.begin(), state_->known.end(),
                                                 [&](const connection& c) { return c.*which == value; }));
}

bool fault_proxy::done() const {
   const std::lock_guard lock(state_->guard);
   return state_->replies_to_lose == 0;
}

clock::time_point fault_proxy::last_loss() const {
   const std::lock_guard lock(state_->guard);
   return state_->last_loss;
}

void fault_proxy::listen_in(std::function<void(const passage&)> told) {
   order([&](state& s) { s.listener_in = std::move(told); });
}

// ---- what is done with `guard` held --------------------------------------------------------------------------------

void fault_proxy::state::admit() {
   for (;;) {
      link l;
      l.client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (l.client < 0) return;
      const sockaddr_in peer = name_of(l.client, ::getpeername);
      if (stopper >= 0 && name_of(stopper, ::getsockname).sin_port == peer.sin_port) {
         ::close(l.client);
         continue;
      }
      l.source = ::inet_ntoa(peer.sin_addr);
      l.number = known.size();
      known.push_back({.accepted = clock::now()});
      l.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      for (const int fd : {l.client, l.server}) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      if (std::any_of(everywhere.begin(), everywhere.end(), [](auto& f) { return f.what == kind::dribble; }))
         buffer_little(l.server);
      // On the loopback address a connect ends at once, either way.
      if (::connect(l.server, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
         end(l, true);
         continue;
      }
      for (const network_fault& f : everywhere)
         if (l.source != f.spared) l.faults.push_back({f});
      if (!for_next.empty()) {
         l.faults.push_back({for_next.front()});
         for_next.pop_front();
      }
      serve(links.emplace_back(std::move(l)));
   }
}

void fault_proxy::state::take_in(link& l, direction d) {
   const auto now = clock::now();
   const std::size_t room = l.room(d, now);
   if (room == 0) return;
   std::array<char, most_read> bytes;
   const ssize_t got = ::recv(l.from(d), bytes.data(), room, MSG_DONTWAIT);
   if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
   if (l.swallows(d)) {
      if (got <= 0) end_of(l, d, got < 0);
      return;
   }
   stream& s = l.towards(d);
   piece p = {.sort = got > 0 ? piece::what::bytes : got == 0 ? piece::what::end : piece::what::reset, .came = now};
   p.due = now;
   for (planned& f : l.faults) {
      if (f.fault.towards != d) continue;
      if (f.begun && f.fault.what == kind::delay) p.due += f.fault.time;
      if (f.begun && f.fault.what == kind::dribble) s.readable_at = now + between_dribbles;
      if (!f.begun && got > 0) f.counted += static_cast<std::size_t>(got);
   }
   // Order is kept where the delay was made shorter meanwhile.
   if (!s.pieces.empty()) p.due = std::max(p.due, s.pieces.back().due);
   s.heard_out = got <= 0;
   if (got > 0) {
      if (d == direction::to_client && l.reply_to_be_lost) {
         last_loss = now;
         --replies_to_lose;
         known[l.number].cut = true;
         return end(l, true);
      }
      p.bytes.assign(bytes.data(), static_cast<std::size_t>(got));
      s.underway += p.bytes.size();
      if (d == direction::to_server) hear_client(l, p.bytes);
   }
   s.pieces.push_back(std::move(p));
}

void fault_proxy::state::hear_client(link& l, std::string_view fresh) {
   constexpr std::size_t longest_marker = 64;
   const std::size_t old = l.last_said.size();
   l.last_said.append(fresh);
   // A marker must end in the new bytes: it does not count if it was said before it was asked for.
   const auto found = std::find_if(markers.begin(), markers.end(), [&](const std::string& marker) {
      const std::size_t from = old < marker.size() ? 0 : old - marker.size() + 1;
      return l.last_said.find(marker, from) != std::string::npos;
   });
   if (found != markers.end() && !l.reply_to_be_lost) {
      markers.erase(found);
      l.reply_to_be_lost = true;
   }
   if (l.last_said.size() > longest_marker) l.last_said.erase(0, l.last_said.size() - longest_marker);
}

void fault_proxy::state::hand_on(link& l, direction d) {
   stream& s = l.towards(d);
   const auto now = clock::now();
   while (!s.pieces.empty() && s.pieces.front().due <= now && !l.has(kind::stall, d)) {
      const piece& p = s.pieces.front();
      if (p.sort == piece::what::reset) return end(l, true);
      if (p.sort == piece::what::end) {
         if (!std::exchange(s.told, true)) ::shutdown(l.to(d), SHUT_WR);
         s.pieces.pop_front();
         continue;
      }
      const ssize_t size =
         ::send(l.to(d), p.bytes.data() + s.sent, p.bytes.size() - s.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) break;
      if (size < 0) return end(l, true);
      s.sent += static_cast<std::size_t>(size);
      s.underway -= static_cast<std::size_t>(size);
      (d == direction::to_server ? known[l.number].to_server : known[l.number].to_client) +=
         static_cast<std::size_t>(size);
      if (s.sent < p.bytes.size()) break;
      if (listener_in) listener_in({l.number, d, p.came, clock::now(), p.bytes});
      s.pieces.pop_front();
      s.sent = 0;
   }
   for (planned& f : l.faults) {
      if (!f.begun && f.fault.towards == d && f.counted == f.fault.after && s.pieces.empty()) begin(l, f);
      if (l.over) return;
   }
}

void fault_proxy::state::serve(link& l) {
   for (const direction d : {direction::to_server, direction::to_client})
      if (!l.over) take_in(l, d);
   for (const direction d : {direction::to_server, direction::to_client})
      if (!l.over && !l.cut) hand_on(l, d);
   if (!l.over && !l.cut && l.finished(direction::to_server) && l.finished(direction::to_client)) end(l, false);
}

void fault_proxy::state::begin(link& l, planned& f) {
   f.begun = true;
   switch (f.fault.what) {
      case kind::delay:
      case kind::dribble:
      case kind::stall:
      case kind::swallow: return;
      case kind::half_close:
         if (!std::exchange(l.towards(f.fault.towards).told, true)) ::shutdown(l.to(f.fault.towards), SHUT_WR);
         return;
      default: cut(l, f.fault.what);
   }
}

// The server's side stays until it closes as well: then it has read all that it was given. So does the client's where
// it is to see a FIN: to close what has unread bytes would send an RST.
void fault_proxy::state::cut(link& l, kind how) {
   if (std::exchange(l.cut, true)) return;
   known[l.number].cut = true;
   if (how != kind::close) await_empty(l.client, SIOCOUTQNSD);  // an RST throws away what was not sent yet
   if (how == kind::vanish) stop_acknowledging(l.client);
   l.silent = how == kind::silence || how == kind::vanish;
   if (l.silent) return;
   if (how == kind::reset) close_with_reset(std::exchange(l.client, -1));
   for (const direction d : {direction::to_server, direction::to_client})
      if (!std::exchange(l.towards(d).told, true) && l.to(d) >= 0) ::shutdown(l.to(d), SHUT_WR);
}

// The end of what was swallowed.
void fault_proxy::state::end_of(link& l, direction d, bool by_reset) {
   l.towards(d).heard_out = true;
   if (l.silent || (by_reset && !l.cut)) return end(l, true);
   if (!l.cut) return;
   ::close(std::exchange(d == direction::to_server ? l.client : l.server, -1));
   if (l.client < 0 && l.server < 0) end(l, false);
}

void fault_proxy::state::end(link& l, bool by_reset) {
   for (int* fd : {&l.client, &l.server})
      if (*fd >= 0)
         by_reset ? close_with_reset(std::exchange(*fd, -1)) : static_cast<void>(::close(std::exchange(*fd, -1)));
   l.over = known[l.number].over = true;
}

timespec fault_proxy::state::patience() const {
   const auto now = clock::now();
   auto next = clock::time_point::max();
   for (const link& l : links) {
      for (const direction d : {direction::to_server, direction::to_client}) {
         const stream& s = l.towards(d);
         if (l.has(kind::stall, d)) continue;
         if (!s.pieces.empty() && s.pieces.front().due > now) next = std::min(next, s.pieces.front().due);
         if (s.readable_at > now) next = std::min(next, s.readable_at);
      }
   }
   const auto left = next == clock::time_point::max() ? nanoseconds(std::chrono::hours(1)) : nanoseconds(next - now);
   return {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
}

void fault_proxy::state::run() {
   std::vector<pollfd> watched;
   std::unique_lock lock(guard);
   while (!stopping) {
      const auto now = clock::now();
      watched.assign({{wake, POLLIN, 0}, {stopper < 0 ? listener : -1, POLLIN, 0}});
      // A side that is not to be read is left out: it would report its HUP for ever.
      const auto watch = [&](const link& l, direction in, direction out) {
         const bool due = !l.towards(out).pieces.empty() && l.towards(out).pieces.front().due <= now;
         const bool writes = due && !l.cut && !l.has(kind::stall, out);
         const auto events = static_cast<short>((l.room(in, now) != 0 ? POLLIN : 0) | (writes ? POLLOUT : 0));
         watched.push_back({events != 0 ? l.from(in) : -1, events, 0});
      };
      for (const link& l : links) {
         watch(l, direction::to_server, direction::to_client);
         watch(l, direction::to_client, direction::to_server);
      }
      const timespec limit = patience();
      const std::uint64_t seen = orders;
      lock.unlock();
      const int ready = ::ppoll(watched.data(), watched.size(), &limit, nullptr);
      lock.lock();
      std::uint64_t nudges = 0;
      if (watched[0].revents != 0) [[maybe_unused]]
         const auto size = ::read(wake, &nudges, sizeof nudges);
      if (ready < 0 || orders != seen) continue;  // what poll has told need not be so any more
      auto told = watched.begin() + 2;
      for (link& l : links) {
         const bool timely = ready == 0;
         if (timely || told[0].revents != 0 || told[1].revents != 0) serve(l);
         told += 2;
      }
      clear_away();
      if (watched[1].revents != 0) admit();
      clear_away();
   }
}

}  // namespace holdfast::lab

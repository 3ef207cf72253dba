#include "runtime/poll/loop.hpp"

#include "runtime/shared/transit.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>
#include <utility>

namespace holdfast::poll {

time_point now() {
   return time_point(std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

// ---- stop ---------------------------------------------------------------------------------------------------------

stop_alarm::stop_alarm(const std::stop_token& token) : callback_token_(token), callback_(token, ring{waker_}) {}

// ---- what the engine asks for -------------------------------------------------------------------------------------

void loop::carry_out() {
   leave();
   tell();
}

void loop::leave() {
   engine::action a;
   while (engine_.next_action(a)) carry_out(a);
   give_requests();
}

void loop::carry_out(const engine::action& a) {
   if (a.link > connections_.size()) connections_.resize(a.link);
   connection& c = connections_[a.link - 1];
   switch (a.what) {
      case engine::action::kind::write: return write(a.link);
      case engine::action::kind::resolve:
         if (is_address(a.where)) return engine_.resolved(a.link, a.serial, {a.where}, {}, now_);
         resolver_.start(a.link, a.serial, a.where, now_);
         return take_resolved();
      case engine::action::kind::connect: return connect(a);
      case engine::action::kind::close:
         c = connection{};
         listed_ = false;
         return;
      case engine::action::kind::abort:
         c.sock.abort();
         c = connection{};
         listed_ = false;
         return;
   }
}

void loop::connect(const engine::action& a) {
   connection& c = connections_[a.link - 1];
   connecting started = start_connect(a.where);
   c = connection{.sock = std::move(started.sock), .serial = a.serial, .connecting = !started.finished};
   listed_ = false;
   if (!c.sock.is_open()) return engine_.lost(a.link, a.serial, started.problem, now_);
   if (started.finished) engine_.connected(a.link, a.serial, now_);
}

// One write for all that is queued; what the kernel does not take waits until it does.
void loop::write(std::uint32_t link) {
   connection& c = connections_[link - 1];
   if (!c.sock.is_open() || c.connecting || c.blocked) return;
   while (true) {
      const auto bytes = engine_.to_write(link, c.serial);
      if (bytes.empty()) break;
      const auto n = ::send(c.sock.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0) {
         if (errno == EINTR) continue;
         if (errno != EAGAIN && errno != EWOULDBLOCK) {
            const std::string why = describe_errno(errno);
            // Replies before the end still count: they may lie in the receive buffer.
            if (read(link)) lose(link, why);
            return;
         }
         c.blocked = true;
         listed_ = false;
         return;
      }
      engine_.wrote(link, c.serial, static_cast<std::size_t>(n), now_);
      if (static_cast<std::size_t>(n) < bytes.size()) {
         c.blocked = true;
         listed_ = false;
         return;
      }
   }
   if (c.blocked) listed_ = false;
   c.blocked = false;
}

// ---- what happened ------------------------------------------------------------------------------------------------

void loop::take_in() {
   now_ = now();
   take_update();
   // Within a millisecond nothing is missed that a command in flight would not find out as well.
   if (now_ - last_look_ < std::chrono::milliseconds(1)) return;
   look(duration::zero(), nullptr);
   carry_out();
}

void loop::wait(const stop_alarm* alarm) {
   const time_point until = std::min(engine_.next_deadline(), at_most_until_);
   const duration left = until == never ? std::chrono::hours(1) : std::max(until - now(), duration::zero());
   look(left, alarm);
}

void loop::look(duration at_most, const stop_alarm* alarm) {
   if (!listed_) list_connections();
   fds_.resize(links_.size() + (waker_ != nullptr ? 1 : 0));
   const std::size_t resolver_begin = fds_.size();
   if (resolver_.busy()) {
      resolver_.add_to(fds_);
      if (const auto t = resolver_.timeout(now())) at_most = std::min<duration>(at_most, *t);
   }
   const std::size_t resolver_end = fds_.size();
   if (alarm != nullptr) fds_.push_back({alarm->fd(), POLLIN, 0});
   const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
   const timespec limit{static_cast<time_t>(seconds.count()), static_cast<long>((at_most - seconds).count())};
   const int found = ::ppoll(fds_.data(), fds_.size(), &limit, nullptr);
   last_look_ = now_ = now();
   // Cleared before what it is set for is taken: what is published after that sets it again.
   if (found > 0 && waker_ != nullptr && fds_[links_.size()].revents != 0) waker_->clear();
   take_update();
   if (found > 0) {
      // Reading may change the connections, and with them the list: only the copies here are looked at.
      for (std::size_t i = 0; i < links_.size(); ++i) {
         if (fds_[i].revents != 0) ready(links_[i], fds_[i].revents);
      }
   }
   if (resolver_.busy()) {
      resolver_.process(fds_.data() + resolver_begin, fds_.data() + resolver_end, now_);
      take_resolved();
   }
   if (now_ < engine_.next_deadline()) return;
   measure();
   engine_.tick(now_);
}

void loop::measure() {
   const engine::link_id link = engine_.to_measure(now_);
   if (link == 0) return;
   const connection& c = connections_[link - 1];
   if (c.sock.is_open()) engine_.measured(link, c.serial, transit_of(c.sock.fd()), now_);
}

// First of all: what the connections have to say is understood by it.
void loop::take_update() {
   if (subscriber_ != nullptr && subscriber_->moved()) engine_.on_update(subscriber_->take(), now_);
}

void loop::list_connections() {
   fds_.clear();
   links_.clear();
   for (std::size_t i = 0; i < connections_.size(); ++i) {
      const connection& c = connections_[i];
      if (!c.sock.is_open()) continue;
      const short events = c.connecting ? POLLOUT : static_cast<short>(POLLIN | (c.blocked ? POLLOUT : 0));
      fds_.push_back({c.sock.fd(), events, 0});
      links_.push_back(static_cast<std::uint32_t>(i + 1));
   }
   if (waker_ != nullptr) fds_.push_back({waker_->fd(), POLLIN, 0});
   listed_ = true;
}

void loop::ready(std::uint32_t link, short events) {
   connection& c = connections_[link - 1];
   if (c.connecting) {
      const std::string problem = connect_error(c.sock);
      if (!problem.empty()) return lose(link, problem);
      c.connecting = false;
      listed_ = false;
      return engine_.connected(link, c.serial, now_);
   }
   if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && !read(link)) return;
   if ((events & POLLOUT) != 0) {
      connections_[link - 1].blocked = false;
      listed_ = false;
      write(link);
   }
}

// One read, and more only while the space was filled; but a peer that floods us can't keep us from the time, nor from
// the others. False if the connection is gone.
bool loop::read(std::uint32_t link) {
   connection& c = connections_[link - 1];
   for (int reads = 0; reads < 16; ++reads) {
      const auto space = engine_.space(link, c.serial);
      if (space.empty()) return false;
      const auto n = ::recv(c.sock.fd(), space.data(), space.size(), 0);
      if (n == 0) return lose(link, "closed by the other side"), false;
      if (n < 0) {
         if (errno == EINTR) continue;
         if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
         return lose(link, describe_errno(errno)), false;
      }
      engine_.received(link, c.serial, static_cast<std::size_t>(n), now_);
      if (static_cast<std::size_t>(n) < space.size()) return true;
   }
   return true;
}

void loop::lose(std::uint32_t link, const std::string& why) {
   connection& c = connections_[link - 1];
   const std::uint32_t serial = c.serial;
   c.sock.abort();  // what the kernel still holds of ours must not be delivered late
   c = connection{};
   listed_ = false;
   engine_.lost(link, serial, why, now_);
}

void loop::take_resolved() {
   for (auto& a : resolver_.take_answers()) {
      engine_.resolved(a.link, a.serial, std::move(a.addresses), a.problem, now_);
   }
}

void loop::tell_all() {
   engine_.take_events(events_);
   for (const any_event& e : events_) observer_(e);
}

}  // namespace holdfast::poll

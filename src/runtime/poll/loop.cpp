#include "runtime/poll/loop.hpp"

#include "runtime/shared/transit.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>
#include <utility>

namespace holdfast::impl {

// ---- stop ---------------------------------------------------------------------------------------------------------

stop_alarm::stop_alarm(const std::stop_token& token) : callback_token_(token), callback_(token, ring{waker_}) {}

// ---- what the engine asks for -------------------------------------------------------------------------------------

void loop::carry_out() {
   leave();
   tell();
}

void loop::leave() {
   if (engine_.has_io()) {
      while (engine_.next_io(request_)) carry_out(request_);
   }
   give_requests();
}

void loop::carry_out(const io_request& a) {
   if (a.link > connections_.size()) connections_.resize(a.link);
   transport& c = connections_[a.link - 1];
   const auto before = c.now();
   switch (a.what) {
      case io_request::kind::write:
         c.write(engine_, now_);
         if (c.now() != before) listed_ = false;
         return;
      case io_request::kind::resolve:
         if (is_address(a.where)) return engine_.resolved(a.link, a.serial, {a.where}, {}, now_);
         resolver_.start(a.link, a.serial, a.where, now_);
         return take_resolved();
      case io_request::kind::connect: c = transport(engine_, a, now_); break;
      case io_request::kind::close: c.close(); break;
      case io_request::kind::abort: c.abort(); break;
   }
   listed_ = false;
}

// ---- what happened ------------------------------------------------------------------------------------------------

void loop::catch_up() {
   now_ = now();
   take_update();
   // Within a millisecond nothing is missed that a command in flight would not find out as well.
   if (now_ - last_poll_ < std::chrono::milliseconds(1)) return;
   poll_once(duration::zero(), nullptr);
   carry_out();
}

void loop::wait(const stop_alarm* alarm) {
   const time_point until = std::min(engine_.next_deadline(), at_most_until_);
   const duration left = until == never ? std::chrono::hours(1) : std::max(until - now(), duration::zero());
   poll_once(left, alarm, until);
}

void loop::poll_once(duration at_most, const stop_alarm* alarm, time_point due) {
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
   last_poll_ = now_ = now();
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
   if (now_ < due || now_ < engine_.next_deadline()) return;
   measure();
   engine_.tick(now_);
}

void loop::measure() {
   for (link_id link = 0; (link = engine_.to_measure(now_, link)) != 0;) {
      const transport& c = connections_[link - 1];
      if (c.now() != transport::state::closed) engine_.measured(link, c.serial(), transit_of(c.fd()), now_);
   }
}

// First of all: what the connections have to say is understood by it.
void loop::take_update() {
   if (subscriber_ != nullptr && subscriber_->moved()) engine_.on_update(subscriber_->take(), now_);
}

void loop::list_connections() {
   fds_.clear();
   links_.clear();
   for (std::size_t i = 0; i < connections_.size(); ++i) {
      const transport& c = connections_[i];
      if (c.now() == transport::state::closed) continue;
      const int events = (c.waits_to_read() ? POLLIN : 0) | (c.waits_to_write() ? POLLOUT : 0);
      fds_.push_back({c.fd(), static_cast<short>(events), 0});
      links_.push_back(static_cast<std::uint32_t>(i + 1));
   }
   if (waker_ != nullptr) fds_.push_back({waker_->fd(), POLLIN, 0});
   listed_ = true;
}

void loop::ready(std::uint32_t link, short events) {
   transport& c = connections_[link - 1];
   const auto before = c.now();
   if (c.waits_to_read() && (events & (POLLIN | POLLHUP | POLLERR)) != 0) c.read(engine_, now_);
   if (c.waits_to_write() && (events & (POLLOUT | POLLHUP | POLLERR)) != 0) c.writable(engine_, now_);
   if (c.now() != before) listed_ = false;
}

void loop::take_resolved() {
   for (auto& a : resolver_.take_answers()) {
      engine_.resolved(a.link, a.serial, std::move(a.addresses), a.problem, now_);
   }
}

void loop::notify_observer() {
   engine_.take_events(events_);
   for (const any_event& e : events_) observer_(e);
}

}  // namespace holdfast::impl

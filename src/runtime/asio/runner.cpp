#include "runtime/asio/runner.hpp"

#include "runtime/shared/clock.hpp"
#include "runtime/shared/transit.hpp"

#include <boost/system/error_code.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace holdfast::impl {

namespace net = boost::asio;
using boost::system::error_code;

namespace {

class wait_handler {
 public:
   wait_handler(runner_owner& owner, const io_event& e) : owner_(owner), event_(e) {}
   void operator()(const error_code& e) const {
      if (e != net::error::operation_aborted) owner_->happened(event_);
   }

 private:
   owner_ref<runner_owner> owner_;
   io_event event_;
};

}  // namespace

runner::runner(runner_owner& owner, engine& e, const observer& told, name_settings names, view_subscriber* views)
   : owner_(owner),
     engine_(e),
     observer_(told),
     subscriber_(views),
     resolver_(std::move(names)),
     timer_(wait_executor(owner)) {
   if (subscriber_ != nullptr) {
      view_wait_ = waits_on(subscriber_->wakes().fd());
      if (view_wait_ == nullptr) throw std::system_error(errno, std::system_category(), "eventfd");
      subscriber_->enter();
   }
}

// ---- what happened -------------------------------------------------------------------------------------------------

void runner::begin() {
   now_ = impl::now();
   take_update();
}

// First of all: what the connections have to say is understood by it.
void runner::take_update() {
   if (subscriber_ != nullptr && subscriber_->moved()) engine_.on_update(subscriber_->take(), now_);
}

void runner::on(const io_event& e) {
   last_look_ = now_;
   switch (e.what) {
      case io_event::kind::timer:
         if (e.serial == timer_round_) timer_ended();
         return;
      case io_event::kind::names:
         if (e.serial == name_round_) ask_names();
         return;
      case io_event::kind::view:
         waits_for_view_ = false;
         subscriber_->wakes().clear();  // before `take`: what is published after that sets it again
         return take_update();
      case io_event::kind::readable:
      case io_event::kind::writable: break;
   }
   connection& c = connections_[e.link - 1];
   if (c.io.serial() != e.serial) return;
   connections_changed_ = true;
   if (e.what == io_event::kind::readable) {
      c.reads = false;
      if (c.io.waits_to_read()) c.io.read(engine_, now_);
   } else {
      c.to_write.reset();
      if (c.io.waits_to_write()) c.io.writable(engine_, now_);
   }
}

void runner::catch_up() {
   // Within a millisecond nothing is missed that a command in flight would not find out as well.
   if (now_ - last_look_ < std::chrono::milliseconds(1)) return;
   last_look_ = now_;
   fds_.clear();
   for (const connection& c : connections_) fds_.push_back({c.io.waits_to_read() ? c.io.fd() : -1, POLLIN, 0});
   if (::poll(fds_.data(), fds_.size(), 0) <= 0) return;
   for (std::size_t i = 0; i < fds_.size(); ++i) {
      if (fds_[i].revents == 0 || !connections_[i].io.waits_to_read() || connections_[i].io.fd() != fds_[i].fd)
         continue;
      connections_changed_ = true;
      connections_[i].io.read(engine_, now_);
   }
}

void runner::timer_ended() {
   armed_ = never;
   if (resolver_.busy()) ask_names();
   measure();
}

void runner::measure() {
   for (link_id link = 0; (link = engine_.to_measure(now_, link)) != 0;) {
      const transport& io = connections_[link - 1].io;
      if (io.now() != transport::state::closed) engine_.measured(link, io.serial(), transit_of(io.fd()), now_);
   }
}

// ---- what the engine asks for --------------------------------------------------------------------------------------

void runner::step() {
   carry_out_all();
   time_point next = engine_.next_deadline();
   if (now_ >= next) {
      measure();
      engine_.tick(now_);
      carry_out_all();
      next = engine_.next_deadline();
   }
   if (subscriber_ != nullptr) {
      if (engine_.has_requests()) subscriber_->give(engine_.take_requests());
      if (!waits_for_view_) wait_for_view();
   }
   if (std::exchange(names_changed_, false)) wait_for_names();
   arm(next);
}

void runner::carry_out_all() {
   do {
      for (io_request a; engine_.next_io(a);) carry_out(a);
      tell();
      if (connections_changed_) {
         connections_changed_ = false;
         wait_for_connections();
         tell();
      }
   } while (engine_.has_io());
}

void runner::notify_observer() {
   engine_.take_events(events_);
   for (const any_event& e : events_) {
      if (observer_) observer_(e);
   }
}

void runner::carry_out(const io_request& a) {
   if (a.link > connections_.size()) connections_.resize(a.link);
   connection& c = connections_[a.link - 1];
   if (a.what == io_request::kind::write) {
      c.io.write(engine_, now_);
      if (c.io.now() != transport::state::open) connections_changed_ = true;
      return;
   }
   connections_changed_ = true;
   switch (a.what) {
      case io_request::kind::resolve:
         if (is_address(a.where)) return engine_.resolved(a.link, a.serial, {a.where}, {}, now_);
         resolver_.start(a.link, a.serial, a.where, now_);
         names_changed_ = true;
         return take_resolved();
      case io_request::kind::connect: c = connection{transport(engine_, a, now_)}; return;
      case io_request::kind::abort: return c.io.abort();
      case io_request::kind::close: return c.io.close();
      case io_request::kind::write: return;
   }
}

// ---- what it waits for ---------------------------------------------------------------------------------------------

// Null, with errno: the process has no descriptor left, or Asio can't wait on it.
std::unique_ptr<runner::descriptor_wait> runner::waits_on(int fd) {
   const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
   if (copy < 0) return nullptr;
   auto made = std::make_unique<descriptor_wait>(wait_executor(owner_));
   if (error_code e; made->assign(copy, e)) {
      ::close(copy);
      errno = e.value();
      return nullptr;
   }
   return made;
}

void runner::wait(descriptor_wait& on, short events, const io_event& e) {
   on.async_wait(events == POLLIN ? descriptor_wait::wait_read : descriptor_wait::wait_write, wait_handler(owner_, e));
   owner_.work_finished();  // what wait_executor begins with makes up for it
}

void runner::wait_for_connections() {
   for (link_id link = 1; link <= connections_.size(); ++link) {
      connection& c = connections_[link - 1];
      if (c.io.now() == transport::state::closed) {
         c.to_read.reset();
         c.to_write.reset();
         c.reads = false;
      } else if (!wait_for(c, link)) {
         c.io.lose(engine_, describe_errno(errno), now_);
         connections_changed_ = true;
      }
   }
}

// False, with errno: there is no descriptor for it.
bool runner::wait_for(connection& c, link_id link) {
   if (c.io.waits_to_read() && !c.reads) {
      if (c.to_read == nullptr) c.to_read = waits_on(c.io.fd());
      if (c.to_read == nullptr) return false;
      c.reads = true;
      wait(*c.to_read, POLLIN, {io_event::kind::readable, link, c.io.serial()});
   }
   if (c.io.waits_to_write() && c.to_write == nullptr) {
      c.to_write = waits_on(c.io.fd());
      if (c.to_write == nullptr) return false;
      wait(*c.to_write, POLLOUT, {io_event::kind::writable, link, c.io.serial()});
   }
   return true;
}

void runner::wait_for_view() {
   waits_for_view_ = true;
   wait(*view_wait_, POLLIN, {io_event::kind::view});
}

void runner::ask_names() {
   fds_.clear();
   resolver_.add_to(fds_);
   ::poll(fds_.data(), fds_.size(), 0);
   resolver_.process(fds_.data(), fds_.data() + fds_.size(), now_);
   names_changed_ = true;
   take_resolved();
}

void runner::take_resolved() {
   for (auto& a : resolver_.take_answers()) engine_.resolved(a.link, a.serial, std::move(a.addresses), a.problem, now_);
}

// Anew for each step of a resolution: c-ares closes a descriptor, and opens another one of its number.
void runner::wait_for_names() {
   name_waits_.clear();
   ++name_round_;
   if (!resolver_.busy()) return;
   fds_.clear();
   resolver_.add_to(fds_);
   for (const pollfd& p : fds_) {
      auto on = waits_on(p.fd);
      if (on == nullptr) continue;  // the timer looks at it
      for (const short event : {short{POLLIN}, short{POLLOUT}})
         if ((p.events & event) != 0) wait(*on, event, {io_event::kind::names, 0, name_round_});
      name_waits_.push_back(std::move(on));
   }
}

// A timer that ends too early costs less than one that is set anew with each command.
void runner::arm(time_point next) {
   if (resolver_.busy()) [[unlikely]]
      if (const auto left = resolver_.timeout(now_)) next = std::min(next, after(now_, *left));
   if (next >= armed_) return;
   armed_ = next;
   timer_.expires_at(std::chrono::steady_clock::time_point(next.time_since_epoch()));
   timer_.async_wait(wait_handler(owner_, {io_event::kind::timer, 0, ++timer_round_}));
   owner_.work_finished();
}

}  // namespace holdfast::impl

#include "runtime/asio/runner.hpp"

#include "runtime/shared/transit.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace holdfast::impl {

namespace net = boost::asio;
using boost::system::error_code;

runner::runner(net::any_io_executor executor, engine& e, std::function<void(operation&)> done, observer told)
   : executor_(executor),
     engine_(e),
     done_(std::make_shared<std::function<void(operation&)>>(std::move(done))),
     observer_(std::move(told)),
     resolver_(executor),
     timer_(executor) {}

runner::~runner() { *alive_ = false; }

time_point runner::now() {
   return time_point(std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

void runner::submit(operation& op) {
   op.submitted = now();
   engine_.submit(op, op.submitted);
   step();
}

void runner::cancel(operation& op) {
   engine_.cancel(op, now());
   step();
}

void runner::tell() {
   if (engine_.events().empty()) return;
   engine_.take_events(events_);
   for (const any_event& e : events_) {
      if (observer_) observer_(e);
   }
}

void runner::step() {
   do {
      for (io_request a; engine_.next_io(a);) carry_out(a);
      tell();
      for (link_id link = 1; link <= connections_.size(); ++link) wait_for(connections_[link - 1], link);
      tell();
   } while (engine_.has_io());
   post_done();
   arm();
}

void runner::post_done() {
   if (posted_ || !engine_.has_done()) return;
   posted_ = true;
   net::post(executor_, [this, alive = alive_] {
      if (!*alive) return;
      // Operations that end meanwhile come next time: others have their turn.
      constexpr int most = 256;
      const auto done = done_;  // which may end us
      for (int i = 0; i < most; ++i) {
         operation* const op = engine_.take_done(now());
         if (op == nullptr) break;
         (*done)(*op);
         if (!*alive) return;
      }
      posted_ = false;
      step();  // what follows from an end: the breaker's opening, say
   });
}

void runner::arm() {
   const time_point next = engine_.next_deadline();
   if (next == armed_) return;
   armed_ = next;
   if (next == never) return void(timer_.cancel());
   timer_.expires_at(std::chrono::steady_clock::time_point(next.time_since_epoch()));
   timer_.async_wait([this, alive = alive_](const error_code& e) {
      if (e || !*alive) return;
      armed_ = never;
      const time_point t = now();
      for (link_id link = 0; (link = engine_.to_measure(t, link)) != 0;) {
         const transport& io = connections_[link - 1].io;
         if (io.now() != transport::state::closed) engine_.measured(link, io.serial(), transit_of(io.fd()), t);
      }
      engine_.tick(t);
      step();
   });
}

void runner::carry_out(const io_request& a) {
   if (a.link > connections_.size()) connections_.resize(a.link);
   connection& c = connections_[a.link - 1];
   switch (a.what) {
      case io_request::kind::resolve: return resolve(a);
      case io_request::kind::connect: c = connection{transport(engine_, a, now())}; return;
      case io_request::kind::write: return c.io.write(engine_, now());
      case io_request::kind::abort: return c.io.abort();
      case io_request::kind::close: return c.io.close();
   }
}

// async_client will resolve by c-ares, as poll/ does: Asio's own resolver keeps a thread busy with getaddrinfo.
void runner::resolve(const io_request& a) {
   if (is_address(a.where)) return engine_.resolved(a.link, a.serial, {a.where}, {}, now());
   resolver_.async_resolve(a.where.host, std::to_string(a.where.port),
                           [this, a, alive = alive_](const error_code& e, const auto& found) {
                              if (!*alive) return;
                              std::vector<endpoint> addresses;
                              for (const auto& one : found)
                                 addresses.push_back({one.endpoint().address().to_string(), one.endpoint().port()});
                              engine_.resolved(a.link, a.serial, std::move(addresses), e.message(), now());
                              step();
                           });
}

// Waits, then reads or writes without blocking: so no buffer is lent to the kernel while the engine may drop it.
void runner::wait_for(connection& c, link_id link) {
   if (c.io.now() == transport::state::closed) return c.waits.reset();
   if (c.waits == nullptr) {
      const int copy = ::fcntl(c.io.fd(), F_DUPFD_CLOEXEC, 0);
      if (copy < 0) return c.io.lose(engine_, describe_errno(errno), now());
      c.waits = std::make_unique<net::posix::stream_descriptor>(executor_);
      if (error_code e; c.waits->assign(copy, e)) {
         ::close(copy);
         c.waits.reset();
         return c.io.lose(engine_, e.message(), now());
      }
   }
   const auto wait = [&](bool connection::* waits, net::posix::stream_descriptor::wait_type what, auto go_on) {
      if (std::exchange(c.*waits, true)) return;
      c.waits->async_wait(
         what, [this, alive = alive_, link, serial = c.io.serial(), waits, go_on](const error_code& e) {
            if (!*alive || connections_[link - 1].io.serial() != serial || e == net::error::operation_aborted) return;
            connections_[link - 1].*waits = false;
            go_on(connections_[link - 1].io);
            step();
         });
   };
   if (c.io.waits_to_read())
      wait(&connection::reading, net::posix::stream_descriptor::wait_read,
           [this](transport& io) { io.read(engine_, now()); });
   if (c.io.waits_to_write())
      wait(&connection::writing, net::posix::stream_descriptor::wait_write,
           [this](transport& io) { io.writable(engine_, now()); });
}

}  // namespace holdfast::impl

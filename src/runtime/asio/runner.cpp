#include "runtime/asio/runner.hpp"

#include "runtime/shared/drop_undelivered.hpp"
#include "runtime/shared/self_connection.hpp"
#include "runtime/shared/socket_options.hpp"
#include "runtime/shared/transit.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <chrono>
#include <utility>

namespace holdfast::asio {

namespace net = boost::asio;
using boost::system::error_code;

runner::runner(net::any_io_executor executor, engine::engine& e, std::function<void(lane::operation&)> done,
               observer told)
   : executor_(executor),
     engine_(e),
     done_(std::move(done)),
     observer_(std::move(told)),
     resolver_(executor),
     timer_(executor) {}

runner::~runner() { *alive_ = false; }

time_point runner::now() {
   return time_point(std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

void runner::submit(lane::operation& op) {
   op.submitted = now();
   engine_.submit(op, op.submitted);
   step();
}

void runner::cancel(lane::operation& op) {
   engine_.cancel(op, now());
   step();
}

template <class F>
auto runner::guarded(std::uint32_t link, std::uint32_t serial, F f) {
   return [this, alive = alive_, link, serial, f = std::move(f)](const error_code& e, auto&&... rest) mutable {
      if (!*alive || !is_current(link, serial)) return;
      f(e, std::forward<decltype(rest)>(rest)...);
      step();
   };
}

bool runner::is_current(std::uint32_t link, std::uint32_t serial) const {
   return connections_[link - 1].serial == serial;
}

void runner::tell() {
   if (engine_.events().empty()) return;
   engine_.take_events(events_);
   for (const any_event& e : events_) {
      if (observer_) observer_(e);
   }
}

void runner::step() {
   engine::action a;
   do {
      while (engine_.next_action(a)) carry_out(a);
      tell();
      while (lane::operation* op = engine_.take_done(now())) done_(*op);
      tell();  // what follows from an end: the breaker's opening, say
   } while (engine_.has_actions());
   const time_point next = engine_.next_deadline();
   if (next == armed_) return;
   armed_ = next;
   if (next == never) return void(timer_.cancel());
   timer_.expires_at(std::chrono::steady_clock::time_point(next.time_since_epoch()));
   timer_.async_wait([this, alive = alive_](const error_code& e) {
      if (e || !*alive) return;
      armed_ = never;
      const time_point t = now();
      if (const auto link = engine_.to_measure(t); link != 0 && connections_[link - 1].sock) {
         const connection& c = connections_[link - 1];
         engine_.measured(link, c.serial, transit_of(c.sock->native_handle()), t);
      }
      engine_.tick(t);
      step();
   });
}

void runner::carry_out(const engine::action& a) {
   if (a.link > connections_.size()) connections_.resize(a.link);
   connection& c = connections_[a.link - 1];
   switch (a.what) {
      case engine::action::kind::resolve: return resolve(a);
      case engine::action::kind::connect: return connect(a);
      case engine::action::kind::write: return write(a.link);
      case engine::action::kind::abort:
         if (c.sock) drop_undelivered(c.sock->native_handle());
         [[fallthrough]];
      case engine::action::kind::close: c = connection{}; return;
   }
}

// async_client will resolve by c-ares, as poll/ does: Asio's own resolver keeps a thread busy with getaddrinfo.
void runner::resolve(const engine::action& a) {
   connections_[a.link - 1].serial = a.serial;
   error_code not_an_address;
   net::ip::make_address(a.where.host, not_an_address);
   if (!not_an_address || a.where.is_unix()) return engine_.resolved(a.link, a.serial, {a.where}, {}, now());
   resolver_.async_resolve(a.where.host, std::to_string(a.where.port),
                           guarded(a.link, a.serial, [this, a](const error_code& e, const auto& found) {
                              std::vector<endpoint> addresses;
                              for (const auto& one : found) {
                                 addresses.push_back({one.endpoint().address().to_string(), one.endpoint().port()});
                              }
                              engine_.resolved(a.link, a.serial, std::move(addresses), e.message(), now());
                           }));
}

void runner::connect(const engine::action& a) {
   connection& c = connections_[a.link - 1];
   c = connection{.sock = std::make_unique<stream>(executor_), .serial = a.serial};
   stream::endpoint_type where;
   if (a.where.is_unix())
      where = net::local::stream_protocol::endpoint(a.where.host);
   else
      where = net::ip::tcp::endpoint(net::ip::make_address(a.where.host), a.where.port);
   c.sock->async_connect(where,
                         guarded(a.link, a.serial, [this, link = a.link, serial = a.serial](const error_code& e) {
                            if (e) return lose(link, e.message());
                            stream& s = *connections_[link - 1].sock;
                            if (is_connected_to_itself(s.native_handle())) return lose(link, self_connection_text);
                            s.non_blocking(true);
                            notice_dead_peer(s.native_handle());
                            engine_.connected(link, serial, now());
                            wait_to_read(link);
                         }));
}

// Waits, then reads without blocking: so no buffer is lent to the kernel while the engine may drop it.
void runner::wait_to_read(std::uint32_t link) {
   connection& c = connections_[link - 1];
   if (!c.sock) return;
   c.sock->async_wait(net::socket_base::wait_read,
                      guarded(link, c.serial, [this, link](const error_code&) { read(link); }));
}

void runner::read(std::uint32_t link) {
   if (drain(link)) wait_to_read(link);
}

// Takes in all that is there; false if the connection is gone.
bool runner::drain(std::uint32_t link) {
   connection& c = connections_[link - 1];
   for (int reads = 0; reads < 16; ++reads) {  // no more at a time: the others, and the clock, have their turn
      const auto space = engine_.space(link, c.serial);
      if (space.empty()) return false;
      error_code e;
      const std::size_t n = c.sock->read_some(net::buffer(space.data(), space.size()), e);
      if (e == net::error::would_block) return true;
      if (e == net::error::eof) return lose(link, "closed by the other side"), false;
      if (e) return lose(link, e.message()), false;
      engine_.received(link, c.serial, n, now());
      if (n < space.size()) return true;
   }
   return true;
}

void runner::write(std::uint32_t link) {
   connection& c = connections_[link - 1];
   while (c.sock && !c.blocked) {
      const auto bytes = engine_.to_write(link, c.serial);
      if (bytes.empty()) return;
      error_code e;
      const std::size_t n = c.sock->write_some(net::buffer(bytes.data(), bytes.size()), e);
      if (e && e != net::error::would_block) {
         // Replies before the end still count.
         if (drain(link)) lose(link, e.message());
         return;
      }
      if (n != 0) engine_.wrote(link, c.serial, n, now());
      if (n == bytes.size()) continue;
      c.blocked = true;
      c.sock->async_wait(net::socket_base::wait_write, guarded(link, c.serial, [this, link](const error_code&) {
                            connections_[link - 1].blocked = false;
                            write(link);
                         }));
   }
}

void runner::lose(std::uint32_t link, const std::string& why) {
   connection& c = connections_[link - 1];
   const std::uint32_t serial = c.serial;
   if (c.sock) drop_undelivered(c.sock->native_handle());
   c = connection{};
   engine_.lost(link, serial, why, now());
}

}  // namespace holdfast::asio

#include "runtime/shared/transport.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace holdfast::impl {
namespace {

bool has_to_wait(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

transport::transport(engine& e, const io_request& request, time_point now)
   : link_(request.link), serial_(request.serial) {
   connecting started = start_connect(request.where);
   socket_ = std::move(started.sock);
   if (!socket_.is_open()) {
      e.lost(link_, serial_, started.problem, now);
   } else {
      set_state(started.finished ? state::open : state::connecting);
      if (started.finished) e.connected(link_, serial_, now);
   }
}

void transport::read(engine& e, time_point now) {
   constexpr int most = 16;
   for (int reads = 0; reads < most; ++reads) {
      const auto space = e.space(link_, serial_);
      if (space.empty()) return;
      const auto n = ::recv(socket_.fd(), space.data(), space.size(), 0);
      if (n == 0) return lose(e, "closed by the other side", now);
      if (n < 0) {
         if (errno == EINTR) continue;
         if (!has_to_wait(errno)) lose(e, describe_errno(errno), now);
         return;
      }
      e.received(link_, serial_, static_cast<std::size_t>(n), now);
      if (static_cast<std::size_t>(n) < space.size()) return;
   }
}

void transport::writable(engine& e, time_point now) {
   if (state_ == state::connecting) {
      const std::string problem = connect_error(socket_);
      if (!problem.empty()) return lose(e, problem, now);
      set_state(state::open);
      return e.connected(link_, serial_, now);
   }
   if (state_ != state::blocked) return;
   set_state(state::open);
   write(e, now);
}

void transport::write(engine& e, time_point now) {
   while (state_ == state::open) {
      const auto bytes = e.to_write(link_, serial_);
      if (bytes.empty()) return;
      const auto n = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0) {
         if (errno == EINTR) continue;
         if (has_to_wait(errno)) return set_state(state::blocked);
         const std::string why = describe_errno(errno);
         // Replies before the end still count: they may lie in the receive buffer.
         read(e, now);
         if (state_ == state::open) lose(e, why, now);
         return;
      }
      e.wrote(link_, serial_, static_cast<std::size_t>(n), now);
      if (static_cast<std::size_t>(n) < bytes.size()) set_state(state::blocked);
   }
}

void transport::close() {
   socket_.close();
   set_state(state::closed);
}

void transport::abort() {
   socket_.abort();
   set_state(state::closed);
}

void transport::lose(engine& e, const std::string& why, time_point now) {
   abort();
   e.lost(link_, serial_, why, now);
}

}  // namespace holdfast::impl

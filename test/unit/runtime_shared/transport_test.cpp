// One connection between a real kernel and an engine.
#include "runtime/shared/transport.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <vector>

namespace holdfast::impl::transport_test {
namespace {

using namespace std::chrono_literals;

// A server that a test plays by hand.
class peer {
 public:
   peer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
      sockaddr_in any = {};
      any.sin_family = AF_INET;
      any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const int small = 4096;
      ::setsockopt(listener_.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
      EXPECT_EQ(::bind(listener_.fd(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
      ::listen(listener_.fd(), 8);
      socklen_t size = sizeof any;
      ::getsockname(listener_.fd(), reinterpret_cast<sockaddr*>(&any), &size);
      port_ = ntohs(any.sin_port);
   }
   std::uint16_t port() const { return port_; }
   void accept() { connection_ = socket(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC)); }
   void say(std::string_view text) {
      EXPECT_EQ(::send(connection_.fd(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
   }
   std::size_t drain() {
      std::size_t all = 0;
      std::vector<char> space(1 << 16);
      for (ssize_t n = 0; (n = ::recv(connection_.fd(), space.data(), space.size(), MSG_DONTWAIT)) > 0;)
         all += static_cast<std::size_t>(n);
      return all;
   }
   void hang_up() { connection_.close(); }

 private:
   socket listener_;
   socket connection_;
   std::uint16_t port_ = 0;
};

// An engine with one command under way, and its one transport.
struct stage {
   explicit stage(std::size_t size = 1, std::uint16_t port = 0)
      : machine{config{.server = {"127.0.0.1", port != 0 ? port : server.port()}}, 1},
        set{"SET", "k", std::string(size, 'x')} {
      op.commands = {&set, 1};
      op.results = &answer;
      op.submitted = time_point{} + 1h;
      machine.submit(op, time_point{} + 1h);
      run();
   }
   void run() {
      for (io_request a; machine.next_io(a);) {
         switch (a.what) {
            case io_request::kind::resolve: machine.resolved(a.link, a.serial, {a.where}, {}, now); break;
            case io_request::kind::connect: io = transport(machine, a, now); break;
            case io_request::kind::write: io.write(machine, now); break;
            case io_request::kind::close: io.close(); break;
            case io_request::kind::abort: io.abort(); break;
         }
      }
   }
   void wait(short events) {
      pollfd fd{io.fd(), events, 0};
      EXPECT_EQ(::poll(&fd, 1, 5000), 1);
   }
   void connect() {
      if (io.now() == transport::state::connecting) {
         EXPECT_TRUE(io.waits_to_write() && !io.waits_to_read());
         wait(POLLOUT);
         io.writable(machine, now);
      }
      server.accept();
      run();
   }
   void read() {
      wait(POLLIN);
      io.read(machine, now);
      run();
   }

   time_point now = time_point{} + 1h;
   peer server;
   engine machine;
   const command set;
   result<value> answer = value();
   operation op;
   transport io;
};

TEST(transport, leads_to_who_listens) {
   stage s;
   s.connect();
   EXPECT_EQ(s.io.now(), transport::state::open);
   EXPECT_TRUE(s.io.waits_to_read() && !s.io.waits_to_write());
}

TEST(transport, ends_where_nobody_listens) {
   stage s(1, 1);
   if (s.io.now() == transport::state::connecting) {
      s.wait(POLLOUT);
      s.io.writable(s.machine, s.now);
   }
   EXPECT_EQ(s.io.now(), transport::state::closed);
   EXPECT_FALSE(s.machine.lane().connection().ready());
}

TEST(transport, ends_with_its_peer) {
   stage s;
   s.connect();
   s.server.hang_up();
   s.wait(POLLIN);
   s.io.read(s.machine, s.now);
   EXPECT_EQ(s.io.now(), transport::state::closed);
   EXPECT_FALSE(s.io.waits_to_read() || s.io.waits_to_write());
}

// More than the buffers of both kernels take: it goes on where the peer has made room, byte by byte in order.
TEST(transport, is_blocked_while_the_kernel_takes_no_more) {
   constexpr std::size_t size = 16U << 20;
   stage s(size);
   s.connect();
   s.server.say(
      "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:7\r\n"
      "$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"
      "-NOPERM client info\r\n-NOPERM info\r\n");
   s.read();
   std::size_t blocked = 0;
   std::size_t arrived = 0;
   for (int i = 0; i < 100'000 && arrived < size; ++i) {
      blocked += s.io.now() == transport::state::blocked;
      ASSERT_TRUE(s.io.waits_to_read());
      arrived += s.server.drain();
      if (!s.io.waits_to_write()) continue;
      pollfd fd{s.io.fd(), POLLOUT, 0};
      if (::poll(&fd, 1, 10) == 1) s.io.writable(s.machine, s.now);
   }
   EXPECT_GT(blocked, 0U);
   EXPECT_GE(arrived, size);
   EXPECT_EQ(s.io.now(), transport::state::open);
}

}  // namespace
}  // namespace holdfast::impl::transport_test

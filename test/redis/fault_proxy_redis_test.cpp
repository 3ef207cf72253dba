// The lab's proxy: each of its faults, and that nothing else changes what passes.
#include "lab/deployment.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;
using kind = network_fault::kind;

const std::string incr = "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n";

// A connection that shows each byte, and how it ended.
class raw_connection {
 public:
   explicit raw_connection(const endpoint& where) : control_(std::make_unique<control>(where)) {
      control_->run({"PING"});  // it is known to the proxy, and nothing is under way
   }

   // The error, if the connection had ended already.
   int say(std::string_view bytes) const {
      return ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 ? errno : 0;
   }
   // All that comes until `length` bytes are there, the connection ended (0, or its error), or nothing came for a while
   // (ETIMEDOUT).
   std::pair<std::string, int> hear(std::size_t length, milliseconds patience = 5000ms) const {
      std::string all;
      while (all.size() < length) {
         pollfd p = {fd(), POLLIN, 0};
         if (::poll(&p, 1, static_cast<int>(patience.count())) == 0) return {all, ETIMEDOUT};
         char bytes[1024];
         const ssize_t size = ::recv(fd(), bytes, std::min(sizeof bytes, length - all.size()), 0);
         if (size <= 0) return {all, size == 0 ? 0 : errno};
         all.append(bytes, static_cast<std::size_t>(size));
      }
      return {all, 0};
   }
   std::string heard(std::size_t length) const { return hear(length).first; }
   bool hears_nothing(milliseconds patience = 50ms) const {
      return hear(1, patience) == std::pair(std::string(), ETIMEDOUT);
   }
   int hear_end() const { return hear(1000).second; }
   void finish_speaking() const { ::shutdown(fd(), SHUT_WR); }
   void abort() {
      const linger now = {1, 0};
      ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
      control_.reset();
   }

 private:
   int fd() const { return control_->descriptor(); }
   std::unique_ptr<control> control_;
};

// One server behind a proxy, for all tests of this program.
class fault_proxy_test : public testing::Test {
 protected:
   static void SetUpTestSuite() {
      shared = std::make_unique<deployment>(deployment_options{.replicas = 0, .sentinels = 0});
   }
   static void TearDownTestSuite() { shared.reset(); }
   void SetUp() override { behind().run({"FLUSHALL"}); }

   control through(milliseconds timeout = 2000ms) { return control(proxy.address(), {}, timeout); }
   static control behind() { return shared->node(0).connect(); }
   static std::string counter() { return behind().run({"GET", "n"}).text; }
   static bool counts_to(const std::string& n) {
      return became_true([&] { return counter() == n; }, 2s);
   }
   bool becomes_empty() {
      return became_true([&] { return proxy.open() == 0; }, 5s);
   }

   static inline std::unique_ptr<deployment> shared;
   fault_proxy proxy{shared->node(0).own_address()};
};

TEST_F(fault_proxy_test, connection_without_faults_passes) {
   control c = through();
   EXPECT_TRUE(c.pongs());
   EXPECT_EQ(proxy.open(), 1U);
   EXPECT_EQ(proxy.cuts(), 0U);
}

TEST_F(fault_proxy_test, held_connection_passes_everything_when_healed) {
   const raw_connection client(proxy.address());
   proxy.hold();
   client.say(incr + incr);
   EXPECT_TRUE(client.hears_nothing(600ms));
   EXPECT_EQ(counter(), "");
   proxy.heal(fault_proxy::healing::intact);
   EXPECT_EQ(client.heard(8), ":1\r\n:2\r\n");
   client.say(incr);
   EXPECT_EQ(client.heard(4), ":3\r\n");
}

TEST_F(fault_proxy_test, reply_under_way_when_held_comes_when_healed) {
   const raw_connection client(proxy.address());
   control blocker = behind();
   client.say("*3\r\n$5\r\nBLPOP\r\n$1\r\nl\r\n$1\r\n0\r\n");
   await("it waits", [&] { return blocker.info("clients", "blocked_clients") == "1"; }, 2s);
   proxy.hold();
   blocker.run({"RPUSH", "l", "x"});
   EXPECT_TRUE(client.hears_nothing(600ms));
   proxy.heal(fault_proxy::healing::intact);
   EXPECT_EQ(client.heard(18), "*2\r\n$1\r\nl\r\n$1\r\nx\r\n");
}

TEST_F(fault_proxy_test, words_of_an_aborted_connection_run_when_healed) {
   raw_connection client(proxy.address());
   proxy.hold();
   client.say(incr);
   client.abort();
   EXPECT_EQ(counter(), "");
   proxy.heal(fault_proxy::healing::intact);
   EXPECT_TRUE(counts_to("1"));
   EXPECT_TRUE(becomes_empty());
}

TEST_F(fault_proxy_test, healing_by_reset_drops_what_was_said) {
   const raw_connection client(proxy.address());
   proxy.hold();
   client.say(incr);
   proxy.heal(fault_proxy::healing::reset);
   EXPECT_EQ(client.hear_end(), ECONNRESET);
   EXPECT_EQ(through().run({"INCR", "n"}).integer, 1);
}

TEST_F(fault_proxy_test, connect_is_not_completed_while_held) {
   proxy.hold();
   for (int i = 0; i < 3; ++i) EXPECT_THROW(through(100ms), control_error);
   proxy.heal(fault_proxy::healing::reset);
   EXPECT_EQ(through().run({"INCR", "n"}).integer, 1);
}

TEST_F(fault_proxy_test, partition_can_come_again) {
   const raw_connection client(proxy.address());
   for (int i = 1; i <= 3; ++i) {
      proxy.hold();
      client.say(incr);
      EXPECT_TRUE(client.hears_nothing(100ms));
      EXPECT_THROW(through(50ms), control_error);
      proxy.heal(fault_proxy::healing::intact);
      EXPECT_EQ(client.heard(4), ":" + std::to_string(i) + "\r\n");
   }
}

TEST_F(fault_proxy_test, delay_is_that_of_each_way_and_keeps_the_order) {
   const auto late = both_ways({.what = kind::delay, .time = 100ms});
   const raw_connection client(proxy.address());
   proxy.impose(late);
   const auto start = clock::now();
   client.say(incr);
   proxy.lift(late);
   client.say(incr + incr);
   EXPECT_EQ(client.heard(12), ":1\r\n:2\r\n:3\r\n");
   EXPECT_GE(clock::now() - start, 100ms) << "what was delayed stays so, and what comes after it waits for it";
   control another = through();
   proxy.impose(late);
   const auto asked = clock::now();
   EXPECT_TRUE(another.pongs());
   EXPECT_GE(clock::now() - asked, 200ms);
}

TEST_F(fault_proxy_test, delayed_end_comes_after_what_was_said_before) {
   control watching = behind();
   raw_connection client(proxy.address());
   proxy.impose(both_ways({.what = kind::delay, .time = 150ms}));
   client.say(incr);
   client.abort();
   EXPECT_EQ(watching.run({"GET", "n"}).text, "");
   EXPECT_TRUE(counts_to("1"));
   EXPECT_TRUE(becomes_empty());
}

TEST_F(fault_proxy_test, server_gets_exactly_the_planned_bytes) {
   const std::string two = "INCR n\r\nINCR n\r\n";
   for (std::size_t after = 0; after <= two.size(); ++after) {
      behind().run({"DEL", "n"});
      const raw_connection c(proxy.address());
      const std::size_t before = proxy.connections().back().to_server;
      proxy.impose_on_open({kind::reset, direction::to_server, after});
      const int told = c.say(two);  // the system tells of a reset once
      EXPECT_EQ(told != 0 ? told : c.hear_end(), ECONNRESET) << after;
      await("the server has read its part", [&] { return proxy.open() == 0; }, 5s);
      EXPECT_EQ(counter(), after == two.size() ? "2" : after >= two.size() / 2 ? "1" : "") << after;
      EXPECT_EQ(proxy.connections().back().to_server, before + after);
   }
}

TEST_F(fault_proxy_test, client_gets_exactly_the_planned_bytes) {
   for (const kind how : {kind::reset, kind::close}) {
      for (std::size_t after = 0; after <= 7; ++after) {
         const raw_connection c(proxy.address());
         proxy.impose_on_open({how, direction::to_client, after});
         const int told = c.say("PING\r\n");
         const auto [bytes, heard] = c.hear(1000);
         EXPECT_EQ(bytes, std::string("+PONG\r\n").substr(0, after));
         EXPECT_EQ(told != 0 ? told : heard, how == kind::close ? 0 : ECONNRESET) << after;
      }
   }
   EXPECT_EQ(proxy.cuts(), 16U);
}

TEST_F(fault_proxy_test, faults_for_the_next_connections_stand_in_line) {
   proxy.impose_on_next({kind::reset, direction::to_client, 0});
   proxy.impose_on_next({kind::reset, direction::to_client, 3});
   for (std::size_t cut = 1; cut <= 2; ++cut) {
      EXPECT_THROW(through().run({"PING"}), control_error);
      EXPECT_EQ(proxy.cuts(), cut);
   }
   EXPECT_TRUE(through().pongs());
}

TEST_F(fault_proxy_test, silence_counts_from_now_and_lasts_until_lifted) {
   const raw_connection c(proxy.address());
   proxy.impose_on_open({kind::silence, direction::to_client, 3});
   c.say("PING\r\n");
   const auto [bytes, why] = c.hear(100, 50ms);
   EXPECT_EQ(bytes, "+PO");
   EXPECT_EQ(why, ETIMEDOUT);
   proxy.lift_all();
   EXPECT_EQ(c.hear_end(), ECONNRESET);
   EXPECT_EQ(proxy.open(), 0U);
}

TEST_F(fault_proxy_test, swallowed_replies_are_gone_and_the_commands_ran) {
   const raw_connection c(proxy.address());
   const network_fault deaf = {kind::swallow, direction::to_client, 4};
   proxy.impose({deaf});
   c.say(incr + incr);
   EXPECT_TRUE(counts_to("2"));
   EXPECT_EQ(c.hear(8, 50ms), std::pair(std::string(":1\r\n"), ETIMEDOUT));
   proxy.lift({deaf});
   c.say(incr);
   EXPECT_EQ(c.heard(4), ":3\r\n") << "and what was swallowed stays gone";
}

TEST_F(fault_proxy_test, half_closed_connection_still_carries_the_other_way) {
   const raw_connection c(proxy.address());
   proxy.impose_on_open({kind::half_close, direction::to_client, 4});
   c.say(incr);
   EXPECT_EQ(c.hear(8), std::pair(std::string(":1\r\n"), 0));
   c.say(incr);
   EXPECT_TRUE(counts_to("2"));
   EXPECT_EQ(proxy.open(), 1U);
   c.finish_speaking();
   EXPECT_TRUE(becomes_empty());
}

TEST_F(fault_proxy_test, stalled_direction_passes_nothing_until_lifted) {
   const raw_connection c(proxy.address());
   const network_fault stall = {kind::stall, direction::to_client};
   proxy.impose({stall});
   c.say(incr);
   EXPECT_TRUE(counts_to("1")) << "the other way is open";
   EXPECT_TRUE(c.hears_nothing());
   proxy.lift({stall});
   EXPECT_EQ(c.heard(4), ":1\r\n");
}

TEST_F(fault_proxy_test, dribble_passes_so_many_bytes_a_second) {
   behind().run({"SET", "text", std::string(2000, 'x')});
   control c = through();
   proxy.impose({{.what = kind::dribble, .towards = direction::to_client, .rate = 10'000}});
   const auto start = clock::now();
   EXPECT_EQ(c.run({"GET", "text"}).text, std::string(2000, 'x'));
   EXPECT_GE(clock::now() - start, 190ms);
   const auto own_way = clock::now();
   c.run({"SET", "text", std::string(100'000, 'x')});
   EXPECT_LT(clock::now() - own_way, 5s) << "the other direction is not concerned";
}

TEST_F(fault_proxy_test, spared_address_is_left_alone) {
   proxy.impose({{.what = kind::reset, .towards = direction::to_client, .spared = "127.0.0.1"}});
   EXPECT_TRUE(through().pongs());
   proxy.impose({{.what = kind::reset, .towards = direction::to_client, .spared = "127.0.0.2"}});
   EXPECT_THROW(through().run({"PING"}), control_error);
}

}  // namespace
}  // namespace holdfast::lab

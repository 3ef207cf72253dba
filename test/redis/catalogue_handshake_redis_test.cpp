// Rows of the catalogue: connections that a server turns away, and handshakes that it does not answer as they are
// meant.
#include "catalogue/server_fixture.hpp"
#include "failed_as.hpp"
#include "lab/sockets.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::catalogue {
namespace {

struct handshake_at_one_server : one_server {};

// Connections of other clients, that say nothing.
class crowd {
 public:
   // Connects once more; false if the other side does not answer at all within 100 ms.
   bool grow(std::uint16_t port) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      sockets_.push_back(fd);
      const sockaddr_in to = lab::address_of({"127.0.0.1", port});
      ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to);
      return lab::became_true(
         [&] {
            sockaddr_in peer{};
            socklen_t size = sizeof peer;
            return ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
         },
         100ms);
   }
   // All the room that is left beside the lab's connection, of three.
   void fill(server_fixture& s, lab::control& control) {
      for (int i = 0; i < 2; ++i) grow(s.servers.node(0).own_address().port);
      lab::await("it is full", [&] { return control.info("clients", "connected_clients") == "3"; }, 5s);
   }
   void leave() {
      for (const int fd : sockets_) ::close(fd);
      sockets_.clear();
   }
   ~crowd() { leave(); }

 private:
   std::vector<int> sockets_;
};

TEST(accept, a_server_that_is_full_of_clients_is_asked_again_with_long_pauses) {
   covers("2b.1");
   server_fixture s(std::vector<std::string>{"maxclients 3"});
   auto control = s.server();
   crowd others;
   others.fill(s, control);
   client redis(s.settings);
   const auto refused = redis.run({"INCR", "n"}, {.deadline = 300ms});
   EXPECT_EQ(refused.error().code(), errc::refused);
   expect_reply(refused, "ERR max number of clients reached", reply_class::refused, outcome::not_executed);
   EXPECT_LE(s.heard.count("dial_failed"), 2U) << s.heard.text();
   s.heard.forget();
   meanwhile room([&] {
      s.heard.await("dial_failed", "max number of clients");
      others.leave();
   });
   EXPECT_EQ(redis.incr("n").value(), 1) << s.heard.text();
   EXPECT_EQ(s.stored("n"), "1");
}

TEST(accept, a_cluster_node_that_is_full_says_it_in_other_words) {
   covers("2b.2");
   cluster_fixture s({"maxclients 3"});
   auto control = s.server();
   crowd others;
   others.fill(s, control);
   client redis(s.settings);
   const auto refused = redis.run({"INCR", "n"}, {.deadline = 300ms});
   EXPECT_EQ(refused.error().code(), errc::refused);
   expect_reply(refused, "ERR max number of clients + cluster connections reached", reply_class::refused,
                outcome::not_executed);
}

// Passes connections on to a server so that it sees them come from 127.0.0.2: not from the loopback address that
// protected mode knows. One connection at a time, bytes only from the server to the client.
class stranger {
 public:
   explicit stranger(std::uint16_t server) : server_(server), listener_(lab::listening_at(address_of_it(), 8)) {
      thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
   }
   ~stranger() {
      thread_.request_stop();
      thread_.join();
      ::close(listener_);
   }
   endpoint address_of_it() const { return {"127.0.0.1", port_.number()}; }

 private:
   void serve(const std::stop_token& stop) {
      while (!stop.stop_requested()) {
         pollfd waiting{listener_, POLLIN, 0};
         if (::poll(&waiting, 1, 20) != 1) continue;
         const int comer = ::accept(listener_, nullptr, nullptr);
         const int onward = ::socket(AF_INET, SOCK_STREAM, 0);
         const sockaddr_in from = lab::address_of({"127.0.0.2", 0});
         const sockaddr_in to = lab::address_of({"127.0.0.1", server_});
         ::bind(onward, reinterpret_cast<const sockaddr*>(&from), sizeof from);
         if (::connect(onward, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
            char bytes[1024];
            for (ssize_t n = 0; (n = ::recv(onward, bytes, sizeof bytes, 0)) > 0;)
               ::send(comer, bytes, static_cast<std::size_t>(n), MSG_NOSIGNAL);
         }
         ::shutdown(comer, SHUT_WR);
         ::close(onward);
         ::close(comer);
      }
   }
   lab::reserved_port port_;
   std::uint16_t server_;
   int listener_;
   std::jthread thread_;
};

TEST_F(handshake_at_one_server, protected_mode_is_told_at_once) {
   covers("2b.4");
   stranger beyond(s.servers.node(0).own_address().port);
   s.settings.server = beyond.address_of_it();
   client redis(s.settings);
   const auto begin = std::chrono::steady_clock::now();
   const auto r = redis.run({"INCR", "n"});
   EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
   expect_reply(r, "DENIED ", reply_class::refused, outcome::not_executed);
   EXPECT_EQ(r.error().code(), errc::refused);
   EXPECT_EQ(s.stored("n"), "(nil)");
}

TEST(accept, a_listen_queue_that_is_full_lets_nobody_in_until_it_is_emptied) {
   covers("2b.5", "4.4");
   server_fixture s(std::vector<std::string>{"tcp-backlog 1"});
   s.settings.connect_timeout = 150ms;
   lab::server& node = s.servers.node(0);
   node.stop();
   crowd others;
   int let_in = 0;
   while (let_in < 10 && others.grow(node.own_address().port)) ++let_in;
   ASSERT_LT(let_in, 10) << "the queue never filled";
   client redis(s.settings);
   const auto lost = redis.incr("n", {.deadline = 500ms});
   ASSERT_TRUE(failed_as(lost, outcome::not_executed, errc::no_master));
   EXPECT_GE(s.heard.count("dial_failed", "no connection within the connect timeout"), 1U) << s.heard.text();
   meanwhile wake([&] {
      s.heard.await("dial_failed", "", s.heard.count("dial_failed") + 1);
      node.resume();
      others.leave();
   });
   EXPECT_EQ(redis.incr("n").value(), 1) << s.heard.text();
}

TEST(handshake, a_wrong_password_is_told_at_once_where_none_ever_worked) {
   covers("2c.1");
   server_fixture s(lab::deployment_options{.replicas = 0, .sentinels = 0, .node_login = {.password = "secret"}});
   s.settings.password = "wrong";
   client redis(s.settings);
   const auto r = redis.run({"INCR", "n"});
   expect_reply(r, "WRONGPASS", reply_class::wrong_password, outcome::not_executed);
   EXPECT_EQ(r.error().code(), errc::authentication_failed);
   EXPECT_EQ(s.heard.count("dial_failed"), 1U) << s.heard.text();
   EXPECT_EQ(s.stored("n"), "(nil)");
}

TEST(handshake, a_password_that_stops_working_is_tried_until_the_deadline) {
   covers("2c.8");
   server_fixture s(lab::deployment_options{.replicas = 0, .sentinels = 0, .node_login = {.password = "secret"}});
   ASSERT_TRUE(s.redis().set("k", "v"));
   auto control = s.server();
   // The node behind the address is now one with another password, as a promoted replica may be.
   control.run_all(
      {{"ACL", "SETUSER", "default", "resetpass", ">other"}, {"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}});
   s.let_it_notice("connection_lost");
   const auto refused = s.redis().incr("n", {.deadline = 300ms});
   ASSERT_TRUE(failed_as(refused, outcome::not_executed, errc::authentication_failed)) << s.heard.text();
   meanwhile repair([&] {
      s.heard.await("dial_failed", "WRONGPASS", s.heard.count("dial_failed") + 1);
      control.run({"ACL", "SETUSER", "default", "resetpass", ">secret"});
   });
   EXPECT_EQ(s.redis().incr("n").value(), 1) << s.heard.text();
}

TEST_F(handshake_at_one_server, a_protocol_that_the_server_does_not_speak_is_told_and_the_old_one_stays) {
   covers("2c.2");
   expect_told_at_once(s, {"HELLO", 9}, "NOPROTO", reply_class::no_protocol);
   EXPECT_EQ(s.redis().incr("n").value(), 1);
   EXPECT_EQ(s.heard.text(), "");
}

TEST(handshake, a_server_that_demands_a_password_is_told_at_once_to_who_has_none) {
   covers("2c.3");
   server_fixture s(lab::deployment_options{.replicas = 0, .sentinels = 0, .node_login = {.password = "secret"}});
   s.settings.password = "";
   client redis(s.settings);
   const auto r = redis.run({"INCR", "n"});
   expect_reply(r, "NOAUTH HELLO must be called", reply_class::not_authenticated, outcome::not_executed);
   EXPECT_EQ(r.error().code(), errc::authentication_failed);
   EXPECT_EQ(s.stored("n"), "(nil)");
   EXPECT_EQ(s.heard.count("dial_failed"), 1U) << s.heard.text();
}

TEST(handshake, resp2_is_spoken_where_hello_is_not_known) {
   covers("2c.4");
   server_fixture s(std::vector<std::string>{"rename-command HELLO \"\""});
   client redis(s.settings);
   EXPECT_EQ(redis.incr("n").value(), 1);
   EXPECT_EQ(s.heard.count("connected", "RESP2"), 1U) << s.heard.text();
   const std::string text = s.server().ask({"HELLO", "3"}).text;
   EXPECT_EQ(impl::classify_error(text, false, false, true).cls, reply_class::unknown_command) << text;
}

TEST_F(handshake_at_one_server, a_database_that_is_not_there_is_told_at_once) {
   covers("2c.5");
   s.settings.db = 99;
   client redis(s.settings);
   const auto r = redis.run({"INCR", "n"});
   expect_reply(r, "ERR DB index is out of range", reply_class::deterministic, outcome::not_executed);
   EXPECT_EQ(r.error().code(), errc::invalid_argument);
   EXPECT_EQ(s.stored("n"), "(nil)");
   EXPECT_EQ(s.heard.count("dial_failed"), 1U) << s.heard.text();
}

TEST(handshake, what_the_acl_forbids_of_it_is_done_without) {
   covers("2c.6");
   server_fixture s(std::vector<std::string>{
      "user guest on >word ~* &* +@all -client|setname -client|info -client|kill -hello -role"});
   s.settings.username = "guest";
   s.settings.password = "word";
   s.settings.client_name = "named";
   client redis(s.settings);
   EXPECT_EQ(redis.incr("n").value(), 1);
   EXPECT_EQ(s.heard.count("connected"), 1U) << s.heard.text();
   // What is lost in flight cannot be fenced then, and that is said.
   auto control = s.server();
   control.run({"CLIENT", "PAUSE", "60000", "WRITE"});
   meanwhile kill([&] {
      lab::await("the write is held back", [&] { return control.info("clients", "blocked_clients") == "1"; }, 5s);
      control.run_all({{"CLIENT", "KILL", "USER", "guest"}, {"CLIENT", "UNPAUSE"}});
   });
   const auto lost = redis.incr("n");
   ASSERT_TRUE(failed_as(lost, outcome::unknown));
   EXPECT_NE(lost.error().what().find("not fenced"), std::string::npos) << lost.error().what();
   EXPECT_EQ(s.heard.count("fenced", "could not be fenced"), 1U) << s.heard.text();
   EXPECT_EQ(redis.incr("n").value(), 2);
}

TEST(handshake, a_sentinel_taken_for_a_server_is_told_at_once_and_is_never_sent_a_select) {
   covers("2.2c", "2c.7");
   lab::deployment d({.replicas = 0, .sentinels = 1});
   auto control = d.sentinel(0).connect();
   EXPECT_TRUE(control.ask({"SELECT", "1"}).text.starts_with("ERR unknown command"));
   EXPECT_TRUE(control.ask({"GET", "k"}).text.starts_with("ERR unknown command"));
   config c;
   c.server = d.sentinel(0).own_address();
   client redis(c);
   const auto r = redis.incr("n");
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::invalid_argument));
   // The database is a matter of the servers: the Sentinels are asked without it.
   config through = config::from_uri(d.uri()).value();
   through.db = 1;
   story heard;
   through.observer = heard.ear();
   client found(through);
   EXPECT_EQ(found.incr("n").value(), 1);
   EXPECT_EQ(heard.count("sentinel_down"), 0U) << heard.text();
   EXPECT_EQ(control.info("errorstats", "errorstat_NOAUTH"), "");
}

}  // namespace
}  // namespace holdfast::catalogue

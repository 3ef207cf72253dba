// Rows of the catalogue: connections that cannot be made, or end, with and without a command in flight.
#include "catalogue/server_fixture.hpp"
#include "cli/responder.hpp"
#include "failed_as.hpp"
#include "lab/name_server.hpp"

#include <sys/resource.h>

#include <filesystem>

namespace holdfast::catalogue {
namespace {

struct transport_at_one_server : one_server {};
struct transport_watched : one_watched_server {};

// Without a connection a command is not executed, and the tries go on until the deadline.
void expect_unreachable(const config& c, const story& heard, std::string_view why) {
   client redis(c);
   const auto r = redis.incr("n", {.deadline = 300ms});
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::no_master));
   EXPECT_EQ(r.error().attempts, 0U);
   EXPECT_GE(heard.count("dial_failed", why), 2U) << heard.text();
}

TEST(transport, a_name_that_does_not_resolve_is_asked_for_again) {
   covers("4.1");
   const lab::name_server names;  // knows none
   story heard;
   config c{.server = {"no-such-host.test", 6379}, .observer = heard.ear(), .name_servers = names.address()};
   expect_unreachable(c, heard, "no-such-host.test");
   EXPECT_GE(names.asked("no-such-host.test"), 2U);
}

TEST(transport, no_route_is_no_end) {
   covers("4.3a");
   story heard;
   // Nobody can be connected to at a multicast address: the kernel itself says that there is no way.
   config c{.server = {"224.0.0.1", 6379}, .observer = heard.ear()};
   expect_unreachable(c, heard, "nreachable");
}

TEST_F(transport_at_one_server, a_refused_connection_is_tried_again_until_somebody_listens) {
   covers("4.2");
   s.servers.node(0).kill();
   expect_unreachable(s.settings, s.heard, "refused");
   s.heard.forget();
   client redis(s.settings);
   meanwhile start([&] {
      s.heard.await("dial_failed", "refused", 2);
      s.servers.node(0).start();
   });
   EXPECT_EQ(redis.incr("n").value(), 1) << s.heard.text();
}

TEST_F(transport_at_one_server, a_process_without_descriptors_waits_for_one) {
   covers("4.3b");
   client redis(s.settings);
   rlimit before{};
   ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
   rlimit none = before;
   none.rlim_cur = 3;
   ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
   const auto r = redis.incr("n", {.deadline = 200ms});
   ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
   ASSERT_TRUE(failed_as(r, outcome::not_executed));
   EXPECT_GE(s.heard.count("dial_failed", "Too many open files"), 1U) << s.heard.text();
   EXPECT_EQ(redis.incr("n").value(), 1);
}

TEST_F(transport_at_one_server, a_command_that_was_not_written_to_its_end_is_sent_again_whatever_it_is) {
   covers("4.6");
   s.settings.attempt_timeout = 1s;  // a busy machine may need most of it to take what comes
   s.settings.deadline = 30s;
   s.redis();
   s.servers.node(0).stop();
   meanwhile restart([&] {
      s.heard.await("suspected", "");
      s.servers.node(0).kill();
      s.servers.node(0).start();
   });
   // More than the buffers of both kernels take.
   const auto r = s.redis().rpush("list", std::string(32U << 20, 'x'));
   ASSERT_TRUE(r) << r.error().what() << s.heard.text();
   EXPECT_EQ(*r, 1);
   EXPECT_EQ(s.server().run({"LLEN", "list"}).integer, 1);
   EXPECT_EQ(s.heard.count("outcome_unknown"), 0U);
}

// The client's write is held back by the server, its connection ended by `end`, and whatever held it let go by
// `recover`. Neither of the two commands is executed by the connection that ended; but nobody can know.
void expect_loss_in_flight(server_fixture& s, const std::function<void(lab::control&)>& end,
                           const std::function<void(lab::control&)>& recover) {
   for (const bool repeatable : {true, false}) {
      s.redis();
      s.heard.forget();
      auto control = s.server();
      control.run({"CLIENT", "PAUSE", "60000", "WRITE"});
      meanwhile loss([&] {
         lab::await("the write is held back", [&] { return control.info("clients", "blocked_clients") == "1"; }, 5s);
         end(control);
         s.heard.await("connection_lost", "unanswered: 1");
         recover(control);
      });
      if (repeatable) {
         const auto set = s.redis().set("k", "v");
         EXPECT_TRUE(set) << set.error().what() << s.heard.text();
         EXPECT_EQ(s.heard.count("resent"), 1U) << s.heard.text();
         EXPECT_EQ(s.heard.count("fenced", "nothing sent on it can run"), 1U) << s.heard.text();
         continue;
      }
      const auto incr = s.redis().incr("n");
      ASSERT_TRUE(failed_as(incr, outcome::unknown, errc::connection_lost));
      EXPECT_EQ(incr.error().attempts, 1U);
      EXPECT_EQ(s.heard.count("resent"), 0U) << s.heard.text();
   }
   EXPECT_EQ(s.stored("k"), "v");
   EXPECT_EQ(s.stored("n"), "(nil)");
}

void unpause(lab::control& control) { control.run({"CLIENT", "UNPAUSE"}); }

TEST_F(transport_at_one_server, a_killed_connection_with_a_command_in_flight_is_fenced_before_anything_else) {
   covers("4.7a");
   expect_loss_in_flight(
      s, [](lab::control& c) { c.run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}); }, unpause);
}

TEST(transport, a_deleted_user_loses_the_connection_and_is_let_in_again_when_it_is_back) {
   covers("4.7d");
   server_fixture s(std::vector<std::string>{"user app on >word ~* &* +@all"});
   s.settings.username = "app";
   s.settings.password = "word";
   expect_loss_in_flight(
      s, [](lab::control& c) { c.run({"ACL", "DELUSER", "app"}); },
      [&](lab::control& c) {
         s.heard.await("dial_failed", "WRONGPASS");
         c.run({"ACL", "SETUSER", "app", "on", ">word", "~*", "&*", "+@all"});
         unpause(c);
      });
}

TEST(transport, a_killed_server_leaves_the_command_in_flight_unknown_and_a_read_is_sent_again) {
   covers("4.7c");
   server_fixture s(lab::deployment_options{.replicas = 0, .sentinels = 0, .durable = true});
   s.redis().set("k", "v").value();
   for (const bool read : {true, false}) {
      s.heard.forget();
      auto control = s.server();
      meanwhile restart([&] {
         lab::await("the command waits", [&] { return control.info("clients", "blocked_clients") == "1"; }, 5s);
         s.servers.node(0).kill();
         s.servers.node(0).start();
         s.servers.node(0).await_pong();
         if (read) s.server().run({"XADD", "stream", "*", "f", "v"});
      });
      const auto r =
         read ? s.redis().run({"XREAD", "BLOCK", 0, "STREAMS", "stream", "0"}) : s.redis().run({"BLPOP", "list", 0});
      EXPECT_EQ(r.has_value(), read) << s.heard.text();
      if (read) continue;
      EXPECT_EQ(r.error().outcome, outcome::unknown) << r.error().what();
      EXPECT_EQ(s.heard.count("resent"), 0U);
   }
}

TEST_F(transport_watched, a_reply_over_the_servers_own_limit_ends_the_connection_each_time) {
   covers("4.7e");
   s.redis().set("big", std::string(4U << 20, 'x')).value();
   control.run({"CONFIG", "SET", "client-output-buffer-limit", "normal 100kb 0 0"});
   meanwhile raise([&] {
      s.heard.await("connection_lost", "unanswered: 1", 2);
      control.run({"CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0"});
   });
   const auto r = s.redis().get("big");
   ASSERT_TRUE(r) << r.error().what() << s.heard.text();
   EXPECT_EQ(r.value()->size(), 4U << 20);
   EXPECT_GE(s.heard.count("resent"), 2U);
}

TEST_F(transport_watched, a_request_over_the_servers_limit_ends_the_connection_and_nothing_was_stored) {
   covers("4.7f");
   s.redis();
   control.run({"CONFIG", "SET", "client-query-buffer-limit", "1mb"});
   const std::string big(32U << 20, 'x');
   const auto refused = s.redis().set("big", big, {}, {.deadline = 500ms});
   ASSERT_FALSE(refused);
   EXPECT_NE(refused.error().outcome, outcome::executed) << refused.error().what();
   EXPECT_EQ(s.stored("big"), "(nil)");
   s.heard.forget();
   meanwhile raise([&] {
      s.heard.await("connection_lost", "");
      control.run({"CONFIG", "SET", "client-query-buffer-limit", "1gb"});
   });
   const auto r = s.redis().set("big", big);
   ASSERT_TRUE(r) << r.error().what() << s.heard.text();
   EXPECT_EQ(control.run({"STRLEN", "big"}).integer, 32 << 20);
}

TEST(transport, a_request_that_the_server_cannot_parse_is_told_and_the_next_one_runs) {
   covers("3.14");
   server_fixture s(std::vector<std::string>{"proto-max-bulk-len 1mb"});
   s.redis();
   const std::vector<command> list{{"INCR", "before"}, {"SET", "big", std::string(2U << 20, 'x')}, {"INCR", "after"}};
   const auto replies = s.redis().run(list, {.deadline = 3s});
   EXPECT_EQ(replies[0].value().integer(), 1) << "what stood before it ran";
   expect_reply(replies[1], "ERR Protocol error: invalid bulk length", reply_class::protocol, outcome::not_executed);
   if (!replies[2]) {
      EXPECT_NE(replies[2].error().outcome, outcome::executed) << replies[2].error().what();
   }
   EXPECT_EQ(s.redis().incr("later").value(), 1) << s.heard.text();
   EXPECT_EQ(s.stored("before"), "1");
   EXPECT_EQ(s.stored("big"), "(nil)");
}

TEST_F(transport_at_one_server, a_server_that_is_stopped_runs_what_it_was_sent_and_the_client_says_unknown) {
   covers("4.9");
   s.settings.attempt_timeout = 150ms;
   s.redis();
   s.servers.node(0).stop();
   meanwhile wake([&] {
      s.heard.await("connection_lost", "unanswered: 1");
      s.servers.node(0).resume();
   });
   const auto r = s.redis().incr("n");
   ASSERT_TRUE(failed_as(r, outcome::unknown));
   EXPECT_EQ(s.heard.count("suspected"), 1U) << s.heard.text();
   EXPECT_EQ(s.heard.count("fenced", "nothing sent on it can run"), 1U) << s.heard.text();
   EXPECT_EQ(s.stored("n"), "1") << "no timeout takes it back";
   EXPECT_EQ(s.redis().incr("n").value(), 2);
}

TEST(transport, an_idle_connection_that_the_server_closed_is_replaced_before_the_write) {
   covers("4.10a");
   server_fixture s(std::vector<std::string>{"timeout 1"});
   s.redis();
   lab::await(
      "the server closed it", [&] { return s.server().info("clients", "connected_clients") == "1"; }, 10s, 50ms);
   EXPECT_EQ(s.redis().incr("n").value(), 1);
   EXPECT_EQ(s.heard.count("connection_lost", "unanswered: 0"), 1U) << s.heard.text();
   EXPECT_EQ(s.heard.count("resent"), 0U) << s.heard.text();
   EXPECT_EQ(s.stored("n"), "1");
}

// A host that is gone says nothing, and neither does one that is stopped. Only the kernel of the latter takes the PING.
TEST_F(transport_at_one_server, a_connection_that_was_idle_for_long_is_tested_before_the_first_write) {
   covers("4.10b");
   s.redis();
   s.redis().wait_for_events(5100ms);
   s.servers.node(0).stop();
   const auto r = s.redis().incr("n", {.deadline = 2s});
   s.servers.node(0).resume();
   ASSERT_TRUE(failed_as(r, outcome::not_executed));
   EXPECT_EQ(s.redis().incr("n").value(), 1) << s.heard.text();
   EXPECT_EQ(s.stored("n"), "1");
}

TEST(transport, what_is_not_the_redis_protocol_ends_the_connection) {
   covers("4.11");
   const cli_test::responder web("HTTP/1.1 400 Bad Request\r\n\r\n");
   story heard;
   config c = config::from_uri("redis://" + web.host_and_port()).value();
   c.observer = heard.ear();
   client redis(c);
   const auto r = redis.incr("n", {.deadline = 1s});
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::protocol_error));
}

TEST_F(transport_at_one_server, a_parked_command_ends_when_its_caller_says_so) {
   covers("4.12");
   s.redis();
   s.servers.node(0).kill();
   EXPECT_FALSE(s.redis().run({"PING"}, {.deadline = 50ms})) << "from here on it is known to be dead";
   const auto expired = s.redis().incr("n", {.deadline = 100ms});
   ASSERT_TRUE(failed_as(expired, outcome::not_executed));
   s.heard.forget();
   std::stop_source stop;
   meanwhile asker([&] {
      s.heard.await("dial_failed", "");
      stop.request_stop();
   });
   const auto cancelled = s.redis().incr("n", {.stop = stop.get_token()});
   ASSERT_TRUE(failed_as(cancelled, outcome::not_executed, errc::cancelled));
   s.servers.node(0).start();
   EXPECT_EQ(s.redis().incr("n").value(), 1) << "neither of the two is sent later";
}

}  // namespace
}  // namespace holdfast::catalogue

// The blocking client against one real server: what it says about commands whose replies, connections or servers are
// lost.
#include "failed_as.hpp"
#include "lab/deployment.hpp"
#include "redis/own_process.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <semaphore>
#include <thread>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using test::open_files;
using test::resident_kib;

std::unique_ptr<lab::deployment> one_server(lab::deployment_options o = {}) {
   o.replicas = 0;
   o.sentinels = 0;
   return std::make_unique<lab::deployment>(o);
}

config quick(const lab::deployment& d) {
   config c = config::from_uri(d.uri()).value();
   c.deadline = 5s;
   return c;
}

// After this the client has seen the end of its connection: what is asked next is parked, and not written to a socket
// whose end is still on its way.
void kill_and_be_seen_dead(lab::deployment& d, client& redis) {
   d.node(0).kill();
   lab::await(
      "the client has seen the end",
      [&] {
         const auto r = redis.ping({.deadline = 20ms});
         return !r && r.error().code() == errc::no_master;
      },
      5s);
}

struct one_client : testing::Test {
   std::unique_ptr<lab::deployment> d = one_server();
   client redis{quick(*d)};
};

TEST_F(one_client, runs_commands_and_reads_their_replies) {
   EXPECT_TRUE(redis.set("k", "v").value());
   EXPECT_EQ(redis.get("k").value(), "v");
   EXPECT_EQ(redis.get("nothing").value(), std::nullopt);
   EXPECT_FALSE(redis.set("k", "w", {.if_absent = true}).value());
   EXPECT_EQ(redis.incr("n").value(), 1);
   EXPECT_EQ(redis.incr_by("n", 41).value(), 42);
   EXPECT_EQ(redis.rpush("l", {"a", "b"}).value(), 2);
   EXPECT_EQ(redis.lpop("l").value(), "a");
   EXPECT_TRUE(redis.hset("h", "f", "1").value());
   EXPECT_EQ(redis.hget("h", "f").value(), "1");
   EXPECT_EQ(redis.sadd("s", {"x", "y"}).value(), 2);
   EXPECT_TRUE(redis.expire("k", 1h).value());
   EXPECT_TRUE(redis.set("soon", "v", {.expires = 1us}).value()) << "rounded up";
   EXPECT_EQ(redis.exists({"k", "n", "none"}).value(), 2);
   EXPECT_EQ(redis.del({"k", "n"}).value(), 2);
   EXPECT_EQ(redis.publish("nobody", "x").value(), 0);
   EXPECT_TRUE(redis.ping());
   const auto map = redis.run({"HGETALL", "h"}).value().as<std::map<std::string, int>>();
   EXPECT_EQ(map.at("f"), 1);
   const std::string binary("\0\r\n\xff", 4);
   EXPECT_TRUE(redis.set("b", binary).value());
   EXPECT_EQ(redis.get("b").value(), binary);
}

TEST_F(one_client, tells_of_an_error_reply_what_it_proves) {
   redis.set("k", "text").value();
   const auto wrong = redis.run({"LPUSH", "k", "x"});
   ASSERT_TRUE(failed_as(wrong, outcome::not_executed, errc::server_error));
   EXPECT_TRUE(wrong.error().server_text.starts_with("WRONGTYPE"));
   // The script has written before it failed.
   const auto partly = redis.run({"EVAL", "redis.call('incr','n') return redis.call('lpush','k','x')", 0});
   ASSERT_TRUE(failed_as(partly, outcome::executed));
   EXPECT_EQ(redis.get("n").value(), "1");
   const auto other_type = redis.incr("k");
   EXPECT_FALSE(other_type);
}

TEST_F(one_client, refuses_what_would_turn_its_connection_into_something_else) {
   for (const char* name : {"SUBSCRIBE", "MONITOR", "MULTI", "EXEC", "WATCH", "RESET", "QUIT"}) {
      const auto r = redis.run({name, "x"});
      ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::not_supported)) << name;
   }
   const auto acks = redis.run({"SET", "k", "v"}, {.acks = 1});
   EXPECT_EQ(acks.error().code(), errc::not_supported);
   const auto once = redis.run({"INCR", "k"}, {.delivery = delivery::exactly_once});
   EXPECT_EQ(once.error().code(), errc::not_supported);
   EXPECT_EQ(redis.exists("k").value(), 0);
}

TEST_F(one_client, answers_each_command_of_a_long_list_in_its_place) {
   std::vector<command> list;
   for (int i = 0; i < 20'000; ++i) list.push_back({"INCR", "n"});
   list.push_back({"LPUSH", "n", "x"});
   list.push_back({"GET", "n"});
   const auto replies = redis.run(list);
   ASSERT_EQ(replies.size(), 20'002U);
   for (int i = 0; i < 20'000; ++i) ASSERT_EQ(replies[static_cast<std::size_t>(i)].value().integer(), i + 1);
   EXPECT_FALSE(replies[20'000]);
   EXPECT_EQ(replies[20'001].value().text(), "20000");
}

TEST_F(one_client, runs_a_transaction_whole_or_not_at_all) {
   const std::vector<command> good{{"SET", "before", 1}, {"MULTI"}, {"INCR", "n"},
                                   {"INCR", "n"},        {"EXEC"},  {"GET", "n"}};
   const auto replies = redis.run(good);
   EXPECT_EQ(replies[4].value().as<std::vector<int>>(), (std::vector<int>{1, 2}));
   EXPECT_EQ(replies[5].value().text(), "2");
   const std::vector<command> endless{{"GET", "n"}, {"MULTI"}, {"INCR", "n"}};
   const auto refused = redis.run(endless);
   EXPECT_TRUE(refused[0]);
   EXPECT_EQ(refused[1].error().code(), errc::invalid_argument);
   EXPECT_EQ(refused[2].error().outcome, outcome::not_executed);
   const std::vector<command> discarded{{"MULTI"}, {"INCR", "n"}, {"NOSUCHCOMMAND"}, {"EXEC"}};
   const auto aborted = redis.run(discarded);
   EXPECT_EQ(aborted[3].error().outcome, outcome::not_executed);
   EXPECT_EQ(redis.get("n").value(), "2");
}

TEST_F(one_client, replays_the_state_of_the_connection_after_it_was_killed) {
   ASSERT_TRUE(redis.run({"SELECT", 3}));
   ASSERT_TRUE(redis.run({"CLIENT", "SETNAME", "carried-over"}));
   ASSERT_TRUE(redis.set("in-three", "yes"));
   auto control = d->node(0).connect();
   control.run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
   EXPECT_EQ(redis.get("in-three").value(), "yes");
   EXPECT_EQ(redis.run({"CLIENT", "GETNAME"}).value().text(), "carried-over");
}

TEST_F(one_client, ends_a_parked_command_at_its_deadline_as_not_executed) {
   redis.ping().value();
   kill_and_be_seen_dead(*d, redis);
   const auto begin = std::chrono::steady_clock::now();
   const auto r = redis.run({"INCR", "n"}, {.deadline = 300ms});
   const auto took = std::chrono::steady_clock::now() - begin;
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::no_master));
   EXPECT_FALSE(r.error().causes.empty());
   EXPECT_GE(took, 300ms);
   EXPECT_LT(took, 2s);
}

TEST(client, wakes_from_any_wait_when_it_is_told_to_stop) {
   auto d = one_server();
   config c = quick(*d);
   std::stop_source stop;
   std::binary_semaphore waits(0);
   bool told = true;
   c.observer = [&](const any_event& e) {
      if (std::holds_alternative<event::dial_failed>(e) && !std::exchange(told, true)) waits.release();
   };
   client redis(c);
   redis.ping().value();
   kill_and_be_seen_dead(*d, redis);
   told = false;
   std::jthread asker([&] {
      waits.acquire();
      stop.request_stop();
   });
   const auto begin = std::chrono::steady_clock::now();
   const auto r = redis.run({"INCR", "n"}, {.deadline = 20s, .stop = stop.get_token()});
   EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::cancelled));
}

TEST_F(one_client, calls_a_written_command_unknown_at_its_deadline_and_swallows_the_late_reply) {
   redis.ping().value();
   d->node(0).stop();
   const auto r = redis.run({"INCR", "n"}, {.deadline = 200ms});
   ASSERT_TRUE(failed_as(r, outcome::unknown, errc::deadline_exceeded));
   ASSERT_FALSE(r.error().causes.empty());
   EXPECT_NE(r.error().what().find("not fenced"), std::string::npos);
   d->node(0).resume();
   EXPECT_EQ(redis.get("n").value(), "1");  // it did run, and its reply was not taken for this one's
   EXPECT_EQ(redis.incr("n").value(), 2);
}

TEST(client, resolves_names_and_says_which_does_not) {
   auto d = one_server();
   config c = quick(*d);
   c.server.host = "localhost";
   client redis(c);
   EXPECT_EQ(redis.incr("n").value(), 1);
   d->node(0).connect().run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
   EXPECT_TRUE(redis.set("m", "1").value());
   c.server.host = "no-such-host.invalid";
   c.deadline = 300ms;
   client lost(c);
   const auto r = lost.ping();
   ASSERT_TRUE(failed_as(r, outcome::not_executed));
   EXPECT_NE(r.error().what().find("no-such-host.invalid"), std::string::npos);
}

TEST_F(one_client, is_not_held_up_by_a_blocking_command_that_was_given_up) {
   const auto r = redis.run({"BLPOP", "q", 0}, {.deadline = 100ms});
   ASSERT_TRUE(failed_as(r, outcome::unknown));
   EXPECT_EQ(redis.incr("n", {.deadline = 2s}).value(), 1);
   redis.rpush("q", "kept").value();
   EXPECT_EQ(redis.lpop("q").value(), "kept") << "the pop that nobody waits for is fenced off";
}

TEST_F(one_client, runs_a_script_once_that_answers_a_servers_code_in_its_own_words) {
   const auto r = redis.run({"EVAL", "redis.call('incr','n') return redis.error_reply('BUSY resource locked')", 0});
   ASSERT_TRUE(failed_as(r, outcome::unknown));
   EXPECT_EQ(redis.get("n").value(), "1");
}

TEST_F(one_client, watches_no_longer_than_it_is_told_and_stops_when_asked) {
   std::stop_source stop;
   std::jthread asker([&] { stop.request_stop(); });
   const auto begin = std::chrono::steady_clock::now();
   redis.wait_for_events(30s, stop.get_token());
   redis.wait_for_events(50ms);
   EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST(client, waits_out_the_restart_of_a_single_server) {
   auto d = one_server({.durable = true});
   config c = quick(*d);
   c.deadline = 20s;
   client redis(c);
   ASSERT_EQ(redis.incr("n").value(), 1);
   kill_and_be_seen_dead(*d, redis);
   std::jthread restart([&] { d->node(0).start(); });
   EXPECT_EQ(redis.incr("n").value(), 2);
}

TEST_F(one_client, waits_for_a_demoted_server_to_be_a_master_again) {
   ASSERT_EQ(redis.incr("n").value(), 1);
   auto control = d->node(0).connect();
   control.run({"REPLICAOF", "127.0.0.1", "1"});
   std::jthread later([&] {
      lab::await("the client met READONLY", [&] { return control.info("errorstats", "errorstat_READONLY") != ""; }, 5s);
      control.run({"REPLICAOF", "NO", "ONE"});
   });
   EXPECT_EQ(redis.incr("n").value(), 2);
}

TEST(client, neither_leaks_connections_nor_memory_when_it_is_killed_two_hundred_times) {
   auto d = one_server();
   config c = quick(*d);
   c.resend.budget.unlimited = true;
   client redis(c);
   auto control = d->node(0).connect();
   std::size_t files = 0;
   std::size_t memory = 0;
   for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(redis.set("k", std::to_string(i))) << i;
      control.run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
      if (i != 20) continue;
      files = open_files();
      memory = resident_kib();
   }
   ASSERT_TRUE(redis.set("k", "last"));
   EXPECT_EQ(open_files(), files);
#ifdef __SANITIZE_ADDRESS__
   constexpr std::size_t growth_kib = 4096;  // it keeps freed memory for a while, to catch its use
#else
   constexpr std::size_t growth_kib = 256;
#endif
   EXPECT_LT(resident_kib(), memory + growth_kib);
   EXPECT_LE(control.info("clients", "connected_clients"), "2");
}

TEST(client, opens_its_breaker_only_when_commands_fail_in_the_end) {
   auto d = one_server();
   config c = quick(*d);
   c.deadline = 50ms;
   c.breaker = circuit_breaker_settings{.consecutive_failures = 3};
   std::vector<std::string> states;
   c.observer = [&](const any_event& e) {
      if (const auto* b = std::get_if<event::breaker_changed>(&e)) states.push_back(b->state);
   };
   client redis(c);
   ASSERT_TRUE(redis.ping());
   d->node(0).kill();
   for (int i = 0; i < 3; ++i) EXPECT_EQ(redis.ping().error().code(), errc::no_master);
   const auto begin = std::chrono::steady_clock::now();
   EXPECT_EQ(redis.ping().error().code(), errc::circuit_open);
   EXPECT_LT(std::chrono::steady_clock::now() - begin, 40ms);
   EXPECT_EQ(states, (std::vector<std::string>{"open"}));
}

TEST(client, speaks_resp2_where_hello_is_refused) {
   auto d = one_server({.node_config = {"rename-command HELLO \"\""}});
   client redis(quick(*d));
   EXPECT_EQ(redis.incr("n").value(), 1);
   redis.run({"HSET", "h", "f", 1}).value();
   const auto map = redis.run({"HGETALL", "h"}).value().as<std::map<std::string, int>>();
   EXPECT_EQ(map.at("f"), 1);
}

TEST(client, authenticates_and_says_at_once_when_it_is_refused) {
   auto d = one_server({.node_login = {.username = "app", .password = "secret"}});
   client redis(quick(*d));
   EXPECT_EQ(redis.incr("n").value(), 1);
   for (const char* password : {"wrong", ""}) {
      config c = quick(*d);
      c.password = password;
      if (*password == '\0') c.username = "";
      client stranger(c);
      const auto begin = std::chrono::steady_clock::now();
      const auto r = stranger.incr("n");
      EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
      ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::authentication_failed));
   }
}

}  // namespace
}  // namespace holdfast

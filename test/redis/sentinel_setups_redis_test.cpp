// Deployments that are set up otherwise than by the book: other passwords, announced addresses, host names, servers
// that speak RESP2 only. Through a failover each.
#include "catalogue/meanwhile.hpp"
#include "failed_as.hpp"
#include "lab/deployment.hpp"
#include "lab/fault_proxy.hpp"
#include "lab/name_server.hpp"
#include "numbered_writes.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <atomic>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using lab::clock;

void tell_sentinels(lab::deployment& d, const std::vector<std::string>& words) {
   for (std::size_t i = 0; i < d.sentinels(); ++i) d.sentinel(i).connect().run(words);
}

// Returns when all Sentinels name another master than before.
endpoint fail_over(lab::deployment& d) {
   const endpoint old = d.named_master();
   // A Sentinel may not have heard yet of the replicas what it needs to know.
   lab::await(
      "a failover begins",
      [&] { return !d.sentinel(0).connect().ask({"SENTINEL", "FAILOVER", "mymaster"}).is_error(); }, 20s);
   lab::await(
      "every Sentinel names the new master",
      [&] {
         for (std::size_t i = 0; i < d.sentinels(); ++i)
            if (d.named_master(i) == old) return false;
         return true;
      },
      20s);
   return d.named_master();
}

lab::server& node_on_port(lab::deployment& d, std::uint16_t port) {
   for (std::size_t i = 0; i < d.nodes(); ++i)
      if (d.node(i).own_address().port == port) return d.node(i);
   throw std::out_of_range("no node on that port");
}

// What was acknowledged by the old master between the promotion and the Sentinels' word is lost: they say so some
// second late.
void expect_sound_after_failover(numbered_writes& writes, lab::server& master, clock::time_point named) {
   writes.finish();
   writes.expect_no_errors_but_unknown(1);
   writes.expect_sound(numbered_writes::held_by(master), named - 3s, named + 300ms);
}

TEST(setups, servers_that_speak_resp2_only_are_followed_like_others) {
   lab::deployment d({.replicas = 1, .node_config = {"rename-command HELLO \"\""}});
   config c = config::from_uri(d.uri()).value();
   std::atomic<unsigned> connections = 0;
   std::atomic<unsigned> with_resp3 = 0;
   c.observer = [&](const any_event& e) {
      const auto* to = std::get_if<event::connected>(&e);
      if (to == nullptr) return;
      ++connections;
      with_resp3 += to->resp3 ? 1 : 0;
   };
   numbered_writes writes(c);
   writes.await_more(50);
   const endpoint now = fail_over(d);
   const auto named = clock::now();
   writes.await_more(100);
   expect_sound_after_failover(writes, d.node_at(now), named);
   EXPECT_EQ(connections, 2U);
   EXPECT_EQ(with_resp3, 0U);
   // The fence works without HELLO as well, and what RESP2 has no types for is read as it comes.
   client redis(c);
   ASSERT_TRUE(redis.hset("h", "f", "1"));
   const auto map = redis.run({"HGETALL", "h"}).value().as<std::vector<std::string>>();
   EXPECT_EQ(map, (std::vector<std::string>{"f", "1"}));
   EXPECT_EQ(redis.get("nothing").value(), std::nullopt);
}

TEST(setups, a_new_master_with_another_password_is_asked_until_the_deadline_and_let_in_when_it_is_mended) {
   lab::deployment d({.replicas = 1, .node_login = {.password = "nodes"}});
   d.node(0).connect().run({"ACL", "SETUSER", "app", "on", ">one", "~*", "&*", "+@all"});
   d.node(1).connect().run({"ACL", "SETUSER", "app", "on", ">two", "~*", "&*", "+@all"});
   config c = config::from_uri(d.uri()).value();
   c.username = "app";
   c.password = "one";
   client redis(c);
   ASSERT_TRUE(redis.run({"RPUSH", "numbers", 1}));
   ASSERT_EQ(d.node(0).connect().run({"WAIT", "1", "2000"}).integer, 1);
   const endpoint now = fail_over(d);

   const auto begin = clock::now();
   const auto refused = redis.run({"RPUSH", "numbers", 2}, {.deadline = 1s});
   ASSERT_TRUE(failed_as(refused, outcome::not_executed, errc::authentication_failed));
   EXPECT_GE(clock::now() - begin, 900ms) << "it may be mended any moment";

   catalogue::meanwhile mender([&] {
      lab::server& master = d.node_at(now);
      // The client has begun to try, and was turned away.
      lab::await("a try was refused", [&] { return master.connect().run({"ACL", "LOG"}).elements.size() > 0; }, 5s);
      master.connect().run({"ACL", "SETUSER", "app", ">one"});
   });
   EXPECT_TRUE(redis.run({"RPUSH", "numbers", 3}, {.deadline = 10s}));
   mender.join();
   EXPECT_EQ(numbered_writes::held_by(d.node_at(now)), (numbered_writes::list{1, 3}));

   client stranger(c);
   d.node_at(now).connect().run({"ACL", "SETUSER", "app", "resetpass", ">three"});
   const auto at_once = clock::now();
   EXPECT_FALSE(stranger.ping());
   EXPECT_LT(clock::now() - at_once, 1s) << "who was never let in is told at once";
}

// As behind a NAT: the node is known to the world by an address that it does not have, here that of a proxy.
TEST(setups, a_replica_is_met_at_the_address_that_it_announces) {
   lab::deployment d({.replicas = 1});
   tell_sentinels(d, {"SENTINEL", "DEBUG", "info-period", "200"});
   lab::fault_proxy proxy(d.node(1).own_address());
   d.node(1).connect().run({"CONFIG", "SET", "replica-announce-ip", "127.0.0.1"});
   d.node(1).connect().run({"CONFIG", "SET", "replica-announce-port", std::to_string(proxy.address().port)});
   // It tells its master when it connects anew.
   d.node(0).connect().run({"CLIENT", "KILL", "TYPE", "replica"});
   lab::await(
      "the master has heard of the address",
      [&] {
         const std::string line = d.node(0).connect().info("replication", "slave0");
         return line.find("port=" + std::to_string(proxy.address().port)) != std::string::npos;
      },
      10s);
   tell_sentinels(d, {"SENTINEL", "RESET", "mymaster"});
   lab::await(
      "the Sentinels know the announced address alone, and each other",
      [&] {
         for (std::size_t i = 0; i < d.sentinels(); ++i) {
            auto s = d.sentinel(i).connect();
            const auto replicas = s.run({"SENTINEL", "REPLICAS", "mymaster"});
            if (replicas.elements.size() != 1) return false;
            if (replicas.elements[0].field("port") != std::to_string(proxy.address().port)) return false;
            if (replicas.elements[0].field("master-link-status") != "ok") return false;
            if (s.run({"SENTINEL", "SENTINELS", "mymaster"}).elements.size() + 1 != d.sentinels()) return false;
         }
         return true;
      },
      20s);
   numbered_writes writes(config::from_uri(d.uri()).value());
   writes.await_more(50);
   EXPECT_EQ(fail_over(d), proxy.address());
   const auto named = clock::now();
   writes.await_more(100);
   expect_sound_after_failover(writes, d.node(1), named);
}

TEST(setups, masters_that_are_named_by_host_names_are_resolved_and_followed) {
   lab::deployment d({.replicas = 1});
   for (const char* option : {"resolve-hostnames", "announce-hostnames"}) {
      tell_sentinels(d, {"SENTINEL", "CONFIG", "SET", option, "yes"});
   }
   tell_sentinels(d, {"SENTINEL", "DEBUG", "info-period", "200"});
   for (std::size_t i = 0; i < d.nodes(); ++i) {
      d.node(i).connect().run({"CONFIG", "SET", "replica-announce-ip", "localhost"});
   }
   d.node(0).connect().run({"CLIENT", "KILL", "TYPE", "replica"});
   lab::await(
      "the master has heard of the name",
      [&] { return d.node(0).connect().info("replication", "slave0").find("ip=localhost") != std::string::npos; }, 10s);
   tell_sentinels(d, {"SENTINEL", "REMOVE", "mymaster"});
   const std::string port = std::to_string(d.node(0).own_address().port);
   tell_sentinels(d, {"SENTINEL", "MONITOR", "mymaster", "localhost", port, "2"});
   tell_sentinels(d, {"SENTINEL", "SET", "mymaster", "down-after-milliseconds", "1000", "failover-timeout", "5000"});
   ASSERT_EQ(d.named_master().host, "localhost");

   numbered_writes writes(config::from_uri(d.uri()).value());
   writes.await_more(50);
   const endpoint now = fail_over(d);
   const auto named = clock::now();
   EXPECT_EQ(now, (endpoint{"localhost", d.node(1).own_address().port}));
   writes.await_more(100);
   expect_sound_after_failover(writes, node_on_port(d, now.port), named);
}

TEST(setups, sentinels_given_by_name_are_found_though_the_name_server_went_silent) {
   lab::deployment d({.replicas = 1});
   lab::name_server names;
   names.resolve("sentinels.test", {"127.0.0.1"});
   config c = config::from_uri(d.uri()).value();
   c.name_servers = names.address();
   for (endpoint& sentinel : c.sentinels) sentinel.host = "sentinels.test";
   numbered_writes writes(c);
   writes.await_more(50);
   names.be_silent("sentinels.test");
   const unsigned asked = names.asked("sentinels.test");
   // All that the client has of its Sentinels ends: it has to dial them again, by their name.
   const auto cut_off = [&] {
      tell_sentinels(d, {"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
      tell_sentinels(d, {"CLIENT", "KILL", "TYPE", "pubsub"});
      return names.asked("sentinels.test") > asked;
   };
   lab::await("the name server was asked, in vain", cut_off, 10s, 50ms);
   const endpoint old = d.named_master();
   d.node(0).kill();
   const auto died = clock::now();
   lab::await("another is named", [&] { return d.named_master(1) != old; }, 20s);
   writes.await_more(50, 2s);
   writes.finish();
   writes.expect_no_errors_but_unknown(1);
   writes.expect_sound(numbered_writes::held_by(d.node(1)), died - 50ms, died);
}

TEST(setups, a_sentinel_that_demands_a_password_is_told_it_and_one_that_demands_another_is_done_without) {
   lab::deployment d({.replicas = 1, .sentinel_login = {.password = "asker"}});
   config c = config::from_uri(d.uri()).value();
   {
      client redis(c);
      ASSERT_TRUE(redis.run({"RPUSH", "numbers", 1}));
   }
   c.sentinel_password.clear();
   client nameless(c);
   const auto begin = clock::now();
   const auto r = nameless.run({"RPUSH", "numbers", 2});
   EXPECT_LT(clock::now() - begin, 1s);
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::authentication_failed));
   EXPECT_EQ(r.error().causes.size(), 3U) << r.error().what();

   // One changes its mind while a client is connected, and ends the connections it has.
   c = config::from_uri(d.uri()).value();
   numbered_writes writes(c, 3);
   writes.await_more(20);
   auto changed = d.sentinel(0).connect();
   changed.run({"ACL", "SETUSER", "default", "resetpass", ">other"});
   changed.run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
   changed.run({"CLIENT", "KILL", "TYPE", "pubsub"});
   writes.await_more(20);
   client fresh(c);
   EXPECT_TRUE(fresh.run({"RPUSH", "other", 1}));
   // It cannot hear the others any more, nor they it; the two that are left are a majority.
   const endpoint old = d.named_master(1);
   d.node_at(old).kill();
   const auto died = clock::now();
   lab::await("another is named", [&] { return d.named_master(1) != old && d.named_master(2) != old; }, 20s);
   writes.await_more(50);
   writes.finish();
   writes.expect_no_errors_but_unknown(1);
   auto held = numbered_writes::held_by(d.node_at(d.named_master(1)));
   EXPECT_EQ(held.front(), 1);
   held.erase(held.begin());
   writes.expect_sound(held, died - 50ms, died);
}

TEST(setups, address_of_a_learned_sentinel_that_is_anothers_moves_nobody) {
   lab::deployment d({.replicas = 1});
   lab::deployment other({.replicas = 0, .sentinels = 0});
   config c = config::from_uri(d.uri()).value();
   c.sentinels.resize(1);
   numbered_writes writes(c);
   writes.await_more(50);
   lab::server& learned = d.sentinel(2);
   learned.kill();
   // Its companions forget it, and say no hello to the stranger: else all would become one deployment.
   for (std::size_t i : {0U, 1U}) d.sentinel(i).connect().run({"SENTINEL", "RESET", "mymaster"});
   const endpoint theirs = other.node(0).address();
   learned.configure({"sentinel myid " + std::string(40, 'f'),
                      "sentinel monitor mymaster " + theirs.host + " " + std::to_string(theirs.port) + " 1",
                      "sentinel config-epoch mymaster 9", "sentinel current-epoch 9"});
   learned.start();
   learned.await_pong();
   auto there = learned.connect();
   const auto received = [&] {
      const std::string stats = there.run({"INFO", "stats"}).text;
      const std::string_view name = "total_connections_received:";
      return std::stoi(stats.substr(stats.find(name) + name.size()));
   };
   // While commands wait for a connection, all Sentinels are dialled.
   const auto dial_all = [&, before = received()] {
      d.node(0).connect().run({"CLIENT", "KILL", "TYPE", "normal"});
      return received() > before;
   };
   lab::await("the stranger is dialled", dial_all, 2500ms, 20ms);
   writes.await_more(100);
   writes.finish();
   EXPECT_EQ(other.node(0).connect().run({"DBSIZE"}).integer, 0);
   EXPECT_GE(numbered_writes::held_by(d.node(0)).size(), 150U);
}

}  // namespace
}  // namespace holdfast

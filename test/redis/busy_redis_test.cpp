// A server that runs somebody's script for too long, met by a client that has to connect to it.
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

TEST(BusyServer, ThatAClientConnectedToCanBeFencedAllTheSame) {
   lab::deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
   lab::control server = d.node(0).connect();
   server.run({"CONFIG", "SET", "lua-time-limit", "50"});
   config c = config::from_uri(d.uri()).value();
   c.deadline = 10s;
   std::vector<bool> fences;
   std::atomic<bool> busy = false;  // the client met it
   c.observer = [&](const any_event& e) {
      if (const auto* f = std::get_if<event::fenced>(&e)) fences.push_back(f->done);
      if (to_string(e).find("BUSY") != std::string::npos) busy = true;
   };

   std::jthread somebody([&] {
      lab::control connection = d.node(0).connect(20000ms);
      connection.ask({"EVAL", "while true do end", "0"});
   });
   lab::await("the server is busy", [&] { return !server.pongs(); }, 5s);
   std::jthread killer([&] {
      lab::await("the client met it", [&] { return busy.load(); }, 5s);
      server.run({"SCRIPT", "KILL"});
   });
   client redis(c);
   EXPECT_TRUE(redis.set("k", "1").value());
   killer.join();
   somebody.join();

   // Its connection knows who it is: what is lost with it is ended for certain, and the SET is sent again.
   d.proxy()->lose_reply_to("\r\nSET\r\n");
   const auto lost = redis.set("k", "2");
   EXPECT_TRUE(lost.has_value()) << lost.error().what();
   EXPECT_EQ(fences, std::vector<bool>{true});
   EXPECT_EQ(redis.get("k").value(), "2");
}

// The way out must be open to whoever comes to help; what else he does then is done by a connection like any other.
TEST(BusyServer, IsFreedByAClientThatConnectsForIt) {
   for (const unsigned database : {0U, 3U}) {
      lab::deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
      lab::control server = d.node(0).connect();
      server.run({"CONFIG", "SET", "lua-time-limit", "50"});
      config c = config::from_uri(d.uri()).value();
      c.deadline = 10s;
      c.db = database;
      std::vector<bool> fences;
      c.observer = [&](const any_event& e) {
         if (const auto* f = std::get_if<event::fenced>(&e)) fences.push_back(f->done);
      };
      std::jthread somebody([&] {
         lab::control connection = d.node(0).connect(20000ms);
         connection.ask({"EVAL", "while true do end", "0"});
      });
      lab::await("the server is busy", [&] { return !server.pongs(); }, 5s);

      client redis(c);
      const auto killed = redis.run({"SCRIPT", "KILL"});
      EXPECT_TRUE(killed.has_value()) << killed.error().what();
      somebody.join();
      EXPECT_TRUE(redis.set("k", "1").value());
      d.proxy()->lose_reply_to("\r\nSET\r\n");
      EXPECT_TRUE(redis.set("k", "2").value());
      EXPECT_EQ(fences, std::vector<bool>{true});
      EXPECT_EQ(redis.get("k").value(), "2");
      EXPECT_EQ(server.run({"EXISTS", "k"}).integer, database == 0 ? 1 : 0);
   }
}

// Its own connection waits behind the script, and what was lost with it is to be fenced, which a busy server refuses.
TEST(BusyServer, IsFreedByTheClientThatMadeItBusy) {
   lab::deployment d({.replicas = 0, .sentinels = 0});
   lab::control server = d.node(0).connect();
   server.run({"CONFIG", "SET", "lua-time-limit", "50"});
   config c = config::from_uri(d.uri()).value();
   c.deadline = 10s;
   c.attempt_timeout = 100ms;
   std::vector<bool> fences;
   c.observer = [&](const any_event& e) {
      if (const auto* f = std::get_if<event::fenced>(&e)) fences.push_back(f->done);
   };
   client redis(c);
   const auto script = redis.run({"EVAL", "while true do end", "0"}, {.deadline = 1s});
   ASSERT_FALSE(script.has_value());
   EXPECT_EQ(script.error().outcome, outcome::unknown);
   const auto killed = redis.run({"SCRIPT", "KILL"});
   EXPECT_TRUE(killed.has_value()) << killed.error().what();
   EXPECT_TRUE(redis.set("k", "1").value());
   EXPECT_EQ(fences, std::vector<bool>{true});
}

}  // namespace
}  // namespace holdfast

// Commands that block on the server, and lanes of one's own, against real servers.
#include "failed_as.hpp"
#include "lab/clients.hpp"
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {
namespace lanes_redis_test {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

struct lanes : testing::Test {
   std::size_t connections() { return lab::workload_clients(control).size(); }
   std::string blocked() { return control.info("clients", "blocked_clients"); }
   void await_blocked(std::size_t n) {
      lab::await("so many wait", [&] { return blocked() == std::to_string(n); }, 5s);
   }
   config with_lanes(std::size_t n) {
      config c = config::from_uri(d.uri()).value();
      c.limits.lanes = n;
      return c;
   }

   lab::deployment d{{.replicas = 0, .sentinels = 0}};
   lab::control control = d.node(0).connect();
};

// What the threads popped.
class popped {
 public:
   void note(const result<value>& r) {
      const std::lock_guard hold(mutex_);
      if (r && r->kind() == kind::array) all_.push_back(std::string((*r)[1].text()));
   }
   std::vector<std::string> all() const {
      const std::lock_guard hold(mutex_);
      return all_;
   }

 private:
   mutable std::mutex mutex_;
   std::vector<std::string> all_;
};

TEST_F(lanes, blocking_command_holds_up_no_other_caller) {
   shared_client redis(d.uri());
   std::jthread blocks([&] { EXPECT_EQ(redis.run<texts>({"BLPOP", "q", 0}, {.deadline = 20s}).value().back(), "x"); });
   await_blocked(1);
   for (int i = 1; i <= 100; ++i) EXPECT_EQ(redis.incr("n").value(), i);
   EXPECT_EQ(connections(), 2u);
   EXPECT_EQ(redis.rpush("q", "x").value(), 1);
}

TEST_F(lanes, more_commands_than_lanes_are_all_served_once) {
   shared_client redis(with_lanes(4));
   constexpr std::size_t callers = 32;
   popped all;
   std::deque<std::jthread> threads;
   for (std::size_t i = 0; i < callers; ++i)
      threads.emplace_back([&] { all.note(redis.run({"BLPOP", "q", 0}, {.deadline = 30s})); });
   await_blocked(4);
   EXPECT_TRUE(redis.ping());
   EXPECT_EQ(connections(), 5u);
   std::set<std::string> pushed;
   for (std::size_t i = 0; i < callers; ++i) {
      pushed.insert(std::to_string(i));
      redis.rpush("q", std::to_string(i)).value();
   }
   threads.clear();
   const auto got = all.all();
   EXPECT_EQ(std::set<std::string>(got.begin(), got.end()), pushed);
   EXPECT_EQ(got.size(), callers);
   EXPECT_LE(connections(), 5u) << "lanes are used again";
   EXPECT_EQ(control.run({"LLEN", "q"}).integer, 0);
}

TEST_F(lanes, stopped_command_takes_no_element) {
   shared_client redis(d.uri());
   std::stop_source stop;
   std::jthread blocks([&] {
      const auto r = redis.run({"BLPOP", "q", 0}, {.stop = stop.get_token()});
      EXPECT_TRUE(failed_as(r, outcome::unknown, errc::cancelled));
   });
   await_blocked(1);
   stop.request_stop();
   blocks.join();
   await_blocked(0);
   redis.rpush("q", "x").value();
   EXPECT_EQ(control.run({"LLEN", "q"}).integer, 1);
   EXPECT_EQ(redis.run<texts>({"BLPOP", "q", 1}).value().back(), "x") << "and it goes on";
}

TEST_F(lanes, command_that_waits_for_a_lane_is_stopped_and_never_sent) {
   shared_client redis(with_lanes(1));
   std::jthread blocks([&] { EXPECT_TRUE(redis.run({"BLPOP", "q", 0}, {.deadline = 20s})); });
   await_blocked(1);
   std::stop_source stop;
   std::jthread waits([&] {
      const auto r = redis.run({"BLPOP", "other", 0}, {.stop = stop.get_token()});
      EXPECT_TRUE(failed_as(r, outcome::not_executed, errc::cancelled));
   });
   const auto late = redis.run({"BLPOP", "third", 0}, {.deadline = 100ms});
   EXPECT_TRUE(failed_as(late, outcome::not_executed, errc::deadline_exceeded));
   stop.request_stop();
   waits.join();
   redis.rpush("q", "x").value();
   blocks.join();
   redis.rpush("other", "y").value();
   redis.rpush("third", "z").value();
   EXPECT_EQ(control.run({"LLEN", "other"}).integer, 1);
   EXPECT_EQ(control.run({"LLEN", "third"}).integer, 1);
}

TEST_F(lanes, command_that_blocks_ends_with_its_deadline_and_its_connection) {
   shared_client redis(d.uri());
   const auto r = redis.run({"BLPOP", "q", 0}, {.deadline = 200ms});
   EXPECT_TRUE(failed_as(r, outcome::unknown, errc::deadline_exceeded));
   await_blocked(0);
   redis.rpush("q", "x").value();
   EXPECT_EQ(redis.lpop("q").value(), "x");
}

TEST_F(lanes, client_that_is_destroyed_leaves_nothing_blocked) {
   {
      config c = with_lanes(2);
      c.deadline = 20s;
      shared_client redis(c);
      std::stop_source stop;
      std::deque<std::jthread> threads;
      for (int i = 0; i < 5; ++i)
         threads.emplace_back([&] { EXPECT_FALSE(redis.run({"BLPOP", "q", 0}, {.stop = stop.get_token()})); });
      await_blocked(2);
      stop.request_stop();
   }
   await_blocked(0);
   lab::await("all connections end", [&] { return connections() == 0; }, 5s);
}

TEST_F(lanes, list_keeps_its_order_around_a_command_that_blocks) {
   shared_client redis(d.uri());
   const auto r = redis.run(std::vector<command>{{"RPUSH", "q", "x"},
                                                 {"BLPOP", "q", 5},
                                                 {"BLPOP", "q", "0.05"},
                                                 {"RPUSH", "q", "y"},
                                                 {"LLEN", "q"},
                                                 {"MULTI"},
                                                 {"BLPOP", "q", 0},
                                                 {"EXEC"},
                                                 {"LLEN", "q"}});
   for (const auto& one : r) ASSERT_TRUE(one) << one.error().what();
   EXPECT_EQ((*r[1])[1].text(), "x");
   EXPECT_TRUE(r[2]->is_nil());
   EXPECT_EQ(r[4]->integer(), 1);
   EXPECT_EQ((*r[7])[0][1].text(), "y") << "within MULTI it does not block";
   EXPECT_EQ(r[8]->integer(), 0);
}

TEST_F(lanes, streams_are_read_by_many_at_once) {
   shared_client redis(d.uri());
   constexpr int readers = 20;
   std::atomic<int> read = 0;
   std::deque<std::jthread> threads;
   for (int i = 0; i < readers; ++i) {
      threads.emplace_back([&] {
         const auto r = redis.run({"XREAD", "BLOCK", 0, "STREAMS", "s", "$"}, {.deadline = 20s});
         EXPECT_TRUE(r) << r.error().what();
         ++read;
      });
   }
   await_blocked(readers);
   EXPECT_TRUE(redis.run({"XADD", "s", "*", "f", "v"}));
   threads.clear();
   EXPECT_EQ(read, readers);
}

// ---- a failover in between ------------------------------------------------------------------------------------------

TEST(lanes_failover, blocking_commands_outlive_their_master) {
   lab::deployment d({.replicas = 2, .sentinels = 3});
   config c = config::from_uri(d.uri()).value();
   c.limits.lanes = 8;
   shared_client redis(c);
   redis.ping().value();
   std::atomic<bool> enough = false;
   std::atomic<int> unknown = 0, nothing = 0;
   popped all;
   std::deque<std::jthread> threads;
   for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
         while (!enough) {
            const auto r = redis.run({"BLPOP", "q", 1}, {.deadline = 20s});
            all.note(r);
            if (!r && r.error().outcome == outcome::unknown) ++unknown;
            if (!r && r.error().outcome == outcome::not_executed) ADD_FAILURE() << r.error().what();
            if (r && r->is_nil()) ++nothing;
         }
      });
   }
   lab::await("they wait", [&] { return d.node(0).connect().info("clients", "blocked_clients") == "8"; }, 5s);
   d.node(0).kill();
   EXPECT_TRUE(redis.set("k", "v", {}, {.deadline = 20s})) << "the new master";
   std::vector<std::string> pushed;
   for (int i = 0; i < 100; ++i) {
      pushed.push_back("after" + std::to_string(i));
      ASSERT_TRUE(redis.rpush("q", pushed.back(), {.deadline = 20s}));
   }
   lab::await("all that was pushed was popped", [&] { return all.all().size() == pushed.size(); }, 20s);
   enough = true;
   threads.clear();
   auto got = all.all();
   std::sort(got.begin(), got.end());
   std::sort(pushed.begin(), pushed.end());
   EXPECT_EQ(got, pushed) << "each once";
   EXPECT_LE(unknown, 16) << "what was blocked when the master died, and no more";
}

}  // namespace lanes_redis_test
}  // namespace holdfast

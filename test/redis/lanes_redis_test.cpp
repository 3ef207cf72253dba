// Commands that block on the server, and lanes of one's own, against real servers.
#include "failed_as.hpp"
#include "lab/clients.hpp"
#include "lab/deployment.hpp"
#include "redis/forked.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <variant>
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

// The first lane got in before: what refuses a later one may pass, as after a failover to a node with other users.
TEST_F(lanes, new_lane_waits_while_logins_are_refused) {
   std::atomic<bool> refused = false;
   config c = with_lanes(4);
   c.observer = [&](const any_event& e) { refused = refused || std::holds_alternative<event::dial_failed>(e); };
   shared_client redis(c);
   redis.ping().value();
   control.run({"CONFIG", "SET", "requirepass", "secret"});
   std::jthread blocks([&] {
      const auto r = redis.run<texts>({"BLPOP", "q", 0}, {.deadline = 20s});
      EXPECT_TRUE(r) << r.error().what();
   });
   lab::await("a lane was refused", [&] { return refused.load(); }, 10s);
   EXPECT_TRUE(redis.ping());
   control.run({"CONFIG", "SET", "requirepass", ""});
   control.run({"RPUSH", "q", "x"});
}

// ---- lanes of one's own ---------------------------------------------------------------------------------------------

struct dedicated : lanes {
   const std::vector<command> transaction{{"MULTI"}, {"INCR", "n"}, {"EXEC"}};

   void kill_connection_of(dedicated_client& c) {
      const auto id = c.run<long long>({"CLIENT", "ID"}).value();
      control.run({"CLIENT", "KILL", "ID", std::to_string(id)});
   }
};

TEST_F(dedicated, lane_touches_no_network_until_its_first_call) {
   client redis(d.uri());
   dedicated_client mine = redis.dedicated();
   EXPECT_EQ(connections(), 0u);
   EXPECT_TRUE(mine.ping());
   EXPECT_EQ(connections(), 1u);
   EXPECT_TRUE(redis.ping());
   EXPECT_EQ(connections(), 2u);
   const config nobody{.server = {"127.0.0.1", 1}, .deadline = 200ms};
   client unreachable(nobody);
   EXPECT_TRUE(failed_as(unreachable.dedicated().ping(), outcome::not_executed, errc::no_master));
}

TEST_F(dedicated, lane_has_the_calls_and_a_connection_of_its_own) {
   client redis(d.uri());
   dedicated_client mine = redis.dedicated();
   mine.run({"SELECT", 3}).value();
   mine.set("k", "of 3").value();
   EXPECT_EQ(redis.get("k").value(), std::nullopt);
   EXPECT_EQ(mine.get("k").value(), "of 3");
   const auto [n, text] = mine.run<long long, std::string>({"INCR", "n"}, {"GET", "k"});
   EXPECT_EQ(n.value(), 1);
   EXPECT_EQ(text.value(), "of 3");
   std::vector<command> list;
   for (int i = 0; i < 3000; ++i) list.push_back({"INCR", "m"});
   EXPECT_EQ(mine.run<int>(list).back().value(), 3000);
   EXPECT_EQ(redis.exists("m").value(), 0);
   kill_connection_of(mine);
   EXPECT_EQ(mine.get("k").value(), "of 3") << "replayed";
}

TEST_F(dedicated, exec_runs_unless_a_watched_key_has_changed) {
   client redis(d.uri());
   dedicated_client mine = redis.dedicated();
   mine.run<void>({"WATCH", "k"}).value();
   EXPECT_EQ(mine.get("k").value(), std::nullopt);
   EXPECT_EQ((*mine.run(transaction).back())[0].integer(), 1);
   mine.run<void>({"WATCH", "k"}).value();
   redis.set("k", "changed").value();
   EXPECT_TRUE(mine.run(transaction).back()->is_nil());
   EXPECT_EQ(redis.get("n").value(), "1");
   EXPECT_EQ((*mine.run(transaction).back())[0].integer(), 2) << "it watches no more";
}

TEST_F(dedicated, first_transaction_after_a_lost_connection_is_told) {
   client redis(d.uri());
   dedicated_client mine = redis.dedicated();
   mine.run<void>({"WATCH", "k"}).value();
   kill_connection_of(mine);
   EXPECT_TRUE(mine.set("other", "v")) << "others go on";
   const auto told = mine.run(transaction);
   for (const auto& r : told) EXPECT_TRUE(failed_as(r, outcome::not_executed, errc::connection_lost));
   EXPECT_EQ(redis.exists("n").value(), 0);
   EXPECT_EQ((*mine.run(transaction).back())[0].integer(), 1) << "once";
   mine.run<void>({"WATCH", "k"}).value();
   kill_connection_of(mine);
   mine.run<void>({"UNWATCH"}).value();
   EXPECT_TRUE(mine.run(transaction).back()) << "it does not matter any more";
}

TEST_F(dedicated, watch_in_the_list_of_its_transaction) {
   client redis(d.uri());
   dedicated_client mine = redis.dedicated();
   std::vector<command> list{{"WATCH", "k"}, {"GET", "k"}};
   list.insert(list.end(), transaction.begin(), transaction.end());
   for (int i = 1; i <= 5; ++i) {
      const auto r = mine.run(list);
      ASSERT_TRUE(r.back()) << r.back().error().what();
      EXPECT_EQ((*r.back())[0].integer(), i);
   }
}

TEST_F(dedicated, lane_given_back_is_used_again_unwatched) {
   client redis(d.uri());
   redis.ping().value();
   long long id = 0;
   {
      dedicated_client mine = redis.dedicated();
      mine.run<void>({"WATCH", "k"}).value();
      id = mine.run<long long>({"CLIENT", "ID"}).value();
   }
   redis.set("k", "changed").value();
   dedicated_client next = redis.dedicated();
   EXPECT_EQ(next.run<long long>({"CLIENT", "ID"}).value(), id);
   EXPECT_TRUE((*next.run(transaction).back()).kind() == kind::array) << "the change was nothing to this one";
   EXPECT_EQ(connections(), 2u);
}

TEST_F(dedicated, lane_that_was_changed_is_closed) {
   client redis(d.uri());
   redis.ping().value();
   {
      dedicated_client mine = redis.dedicated();
      mine.run({"SELECT", 3}).value();
      EXPECT_EQ(connections(), 2u);
   }
   lab::await("it is closed", [&] { return connections() == 1; }, 5s);
   EXPECT_EQ(redis.dedicated().set("k", "v").value(), true);
   EXPECT_EQ(redis.get("k").value(), "v") << "in the database of the configuration";
}

TEST_F(dedicated, lane_outlives_its_client_and_moves) {
   std::optional<client> redis(std::in_place, d.uri());
   dedicated_client mine = redis->dedicated();
   EXPECT_EQ(mine.incr("n").value(), 1);
   redis.reset();
   EXPECT_EQ(mine.incr("n").value(), 2);
   dedicated_client other = std::move(mine);
   EXPECT_EQ(other.incr("n").value(), 3);
   client second(d.uri());
   other = second.dedicated();
   EXPECT_EQ(other.incr("n").value(), 4);
   lab::await("the first client's connections end", [&] { return connections() == 1; }, 5s);
}

TEST_F(dedicated, abandoned_blocking_command_takes_nothing) {
   client redis(d.uri());
   dedicated_client mine = redis.dedicated();
   EXPECT_TRUE(failed_as(mine.run({"BLPOP", "q", 0}, {.deadline = 100ms}), outcome::unknown));
   await_blocked(0);
   redis.rpush("q", "x").value();
   EXPECT_EQ(mine.lpop("q").value(), "x");
}

TEST_F(dedicated, second_thread_is_refused) {
   client redis(d.uri());
   dedicated_client mine = redis.dedicated();
   std::stop_source stop;
   std::jthread blocks([&] { EXPECT_FALSE(mine.run({"BLPOP", "q", 0}, {.stop = stop.get_token()})); });
   await_blocked(1);
   EXPECT_TRUE(failed_as(redis.incr("n"), outcome::not_executed, errc::concurrent_use));
   EXPECT_TRUE(failed_as(redis.dedicated().incr("n"), outcome::not_executed, errc::concurrent_use));
   stop.request_stop();
   blocks.join();
   EXPECT_EQ(redis.incr("n").value(), 1);
}

TEST_F(dedicated, observer_may_end_a_lane) {
   config c = config::from_uri(d.uri()).value();
   std::optional<dedicated_client> mine;
   c.observer = [&](const any_event& e) {
      if (std::holds_alternative<event::connection_lost>(e)) mine.reset();
   };
   client redis(c);
   mine.emplace(redis.dedicated());
   EXPECT_TRUE(mine->ping());
   const auto id = redis.run<long long>({"CLIENT", "ID"}).value();
   control.run({"CLIENT", "KILL", "ID", std::to_string(id)});
   lab::await("the observer is told", [&] { return redis.ping() && !mine; }, 5s);
   EXPECT_TRUE(redis.dedicated().ping());
}

TEST_F(dedicated, forked_child_begins_anew_and_watches_nothing) {
   client redis(d.uri());
   dedicated_client mine = redis.dedicated();
   mine.run({"SELECT", 3}).value();
   mine.set("k", "of 3").value();
   mine.run<void>({"WATCH", "k"}).value();
   EXPECT_TRUE(test::in_a_child([&] {
      return failed_as(mine.run(transaction).back(), outcome::not_executed, errc::connection_lost) &&
             mine.get("k").value() == "of 3" && mine.run(transaction).back().has_value();
   }));
   EXPECT_TRUE(test::in_a_child([&] {
      dedicated_client only_ended = std::move(mine);
      return true;
   }));
   EXPECT_EQ((*mine.run(transaction).back())[0].integer(), 2) << "the parent's connection watches still";
}

TEST_F(dedicated, failover_is_latency_and_a_watch_is_told) {
   lab::deployment world({.replicas = 2, .sentinels = 3});
   client redis(world.uri());
   dedicated_client mine = redis.dedicated();
   mine.run<void>({"WATCH", "k"}, {.deadline = 20s}).value();
   world.node(0).kill();
   EXPECT_TRUE(mine.set("other", "v", {}, {.deadline = 20s}));
   EXPECT_TRUE(failed_as(mine.run(transaction).back(), outcome::not_executed, errc::connection_lost));
   mine.run<void>({"WATCH", "k"}).value();
   EXPECT_EQ((*mine.run(transaction, {.deadline = 20s}).back())[0].integer(), 1);
   EXPECT_TRUE(redis.ping({.deadline = 20s}));
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

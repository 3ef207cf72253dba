// One client for many threads, against real servers.
#include "failed_as.hpp"
#include "lab/clients.hpp"
#include "lab/deployment.hpp"
#include "redis/forked.hpp"
#include "redis/own_process.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {
namespace shared_client_redis_test {

using namespace std::chrono_literals;
using test::in_a_child;
using test::open_files;
using test::threads;

// `f(i)` in each of n threads.
template <class F>
void in_threads(int n, F f) {
   std::deque<std::jthread> all;
   for (int i = 0; i < n; ++i) all.emplace_back([&f, i] { f(i); });
}

struct throwing {};
bool from_value(value_view, throwing&) { throw std::runtime_error("from_value"); }

struct shared : testing::Test {
   std::size_t connections() { return lab::workload_clients(control).size(); }

   lab::deployment d{{.replicas = 0, .sentinels = 0}};
   lab::control control = d.node(0).connect();
};

TEST_F(shared, threads_share_one_connection) {
   shared_client redis(d.uri());
   constexpr int each = 300;
   in_threads(16, [&](int i) {
      const std::string own = "n" + std::to_string(i);
      for (int n = 1; n <= each; ++n) {
         EXPECT_EQ(redis.incr(own).value(), n);
         EXPECT_TRUE(redis.incr("all"));
         EXPECT_EQ(redis.run<std::string>({"ECHO", own + std::to_string(n)}).value(), own + std::to_string(n));
      }
   });
   EXPECT_EQ(redis.get("all").value(), std::to_string(16 * each));
   EXPECT_EQ(connections(), 1u);
}

TEST_F(shared, list_keeps_its_order_and_its_transaction) {
   shared_client redis(d.uri());
   in_threads(8, [&](int i) {
      const std::string key = "k" + std::to_string(i);
      std::vector<command> list;
      for (int n = 0; n < 1500; ++n) list.push_back({"INCR", key});
      list.insert(list.end(), {{"MULTI"}, {"SET", "both", i}, {"GET", "both"}, {"EXEC"}});
      const auto replies = redis.run(list);
      ASSERT_EQ(replies.size(), list.size());
      for (int n = 0; n < 1500; ++n) EXPECT_EQ(replies[static_cast<std::size_t>(n)]->integer(), n + 1);
      ASSERT_TRUE(replies.back()) << replies.back().error().what();
      EXPECT_EQ((*replies.back())[1].text(), std::to_string(i)) << "nothing stands between MULTI and EXEC";
      EXPECT_EQ(redis.run<int>(list).front().value(), 1501);
   });
   EXPECT_TRUE(redis.run(std::vector<command>{}).empty());
}

TEST_F(shared, exception_of_a_type_is_thrown_in_the_callers_thread) {
   shared_client redis(d.uri());
   EXPECT_THROW((void)redis.run<throwing>({"INCR", "n"}), std::runtime_error);
   EXPECT_EQ(redis.get("n").value(), "1");
}

TEST_F(shared, what_changes_the_connection_is_refused) {
   shared_client redis(d.uri());
   for (const command& c :
        {command{"SELECT", 1}, command{"AUTH", "secret"}, command{"CLIENT", "SETNAME", "x"}, command{"HELLO", 3},
         command{"WATCH", "k"}, command{"MULTI"}, command{"WAIT", 1, 100}, command{"WAITAOF", 1, 0, 100}}) {
      const auto r = redis.run(c);
      EXPECT_TRUE(failed_as(r, outcome::not_executed, errc::not_supported)) << to_string(c);
      ASSERT_FALSE(r);
      EXPECT_EQ(r.error().what().find("secret"), std::string::npos);
   }
}

TEST_F(shared, calls_that_end_at_once_do_not_hold_up_the_others) {
   shared_client redis(d.uri());
   std::atomic<bool> is_over = false;
   in_threads(9, [&](int i) {
      if (i == 8) {
         for (int n = 1; n <= 200; ++n) EXPECT_EQ(redis.run<int>({"INCR", "n"}, {.deadline = 10s}).value(), n);
         is_over = true;
         return;
      }
      while (!is_over) EXPECT_FALSE(redis.run({"SELECT", 1}));
   });
}

TEST_F(shared, stop_request_ends_a_call_at_once) {
   shared_client redis(d.uri());
   redis.ping().value();
   d.node(0).stop();
   std::stop_source stop;
   std::atomic<int> unknown = 0, begun = 0;
   in_threads(9, [&](int i) {
      if (i == 8) {
         lab::await(
            "the others wait", [&] { return begun == 8 && redis.ping({.deadline = 20ms}).error().attempts != 0; }, 5s);
         stop.request_stop();
         return;
      }
      const call_options options{.deadline = 30s, .stop = stop.get_token()};
      const auto begin = lab::clock::now();
      ++begun;
      if (i % 2 == 0) {
         const auto r = redis.incr("n", options);
         ASSERT_FALSE(r);
         EXPECT_EQ(r.error().code(), errc::cancelled);
         unknown += r.error().outcome == outcome::unknown ? 1 : 0;
      } else {
         for (const auto& r : redis.run(std::vector<command>(3, command{"INCR", "n"}), options)) {
            ASSERT_FALSE(r);
            EXPECT_EQ(r.error().code(), errc::cancelled);
            unknown += r.error().outcome == outcome::unknown ? 1 : 0;
         }
      }
      EXPECT_LT(lab::ms_between(begin, lab::clock::now()), 10'000);
   });
   EXPECT_TRUE(failed_as(redis.ping({.stop = stop.get_token()}), outcome::not_executed, errc::cancelled));
   d.node(0).resume();
   EXPECT_LE(redis.run<int>({"INCRBY", "n", 0}).value(), unknown) << "what was not executed did not run";
}

TEST_F(shared, full_queue_refuses_or_lets_wait) {
   config c = config::from_uri(d.uri()).value();
   c.limits.parked_commands = 4;
   c.limits.in_flight = 1;
   shared_client redis(c);
   redis.ping().value();
   d.node(0).stop();
   std::deque<std::jthread> callers;
   for (int i = 0; i < 5; ++i)
      callers.emplace_back([&] { EXPECT_TRUE(redis.incr("n", {.deadline = 30s, .wait_for_room = true})); });
   lab::await(
      "one command is in flight and four wait",
      [&] {
         const auto r = redis.ping({.deadline = 1ms});
         return !r && r.error().code() == errc::queue_full;
      },
      20s);
   std::atomic<int> full = 0, late = 0, waited = 0;
   for (int i = 0; i < 3; ++i) {
      callers.emplace_back([&] {
         full += failed_as(redis.incr("n", {.deadline = 30s}), outcome::not_executed, errc::queue_full) ? 1 : 0;
      });
      callers.emplace_back([&] {
         const auto r = redis.incr("n", {.deadline = 50ms, .wait_for_room = true});
         late += failed_as(r, outcome::not_executed, errc::deadline_exceeded) ? 1 : 0;
      });
   }
   for (int i = 0; i < 5; ++i) {
      callers.emplace_back([&] { waited += redis.incr("n", {.deadline = 30s, .wait_for_room = true}) ? 1 : 0; });
   }
   lab::await("three are refused and three are late", [&] { return full == 3 && late == 3; }, 20s);
   d.node(0).resume();
   callers.clear();
   EXPECT_EQ(full, 3);
   EXPECT_EQ(late, 3);
   EXPECT_EQ(waited, 5);
   EXPECT_EQ(redis.get("n").value(), "10");
}

TEST_F(shared, long_list_leaves_room_for_others) {
   config c = config::from_uri(d.uri()).value();
   c.limits.parked_commands = 5000;
   shared_client redis(c);
   redis.ping().value();
   d.node(0).stop();
   std::stop_source stop;
   std::jthread list([&] {
      const std::vector<command> many(20'000, command{"INCR", "n"});
      for (const auto& r : redis.run(many, {.deadline = 30s, .stop = stop.get_token()})) EXPECT_FALSE(r);
   });
   lab::await("the list is under way", [&] { return redis.stats().in_flight + redis.stats().queued >= 1024; }, 20s);
   EXPECT_TRUE(failed_as(redis.ping({.deadline = 20ms}), outcome::not_executed, errc::deadline_exceeded) ||
               failed_as(redis.ping({.deadline = 20ms}), outcome::unknown, errc::deadline_exceeded))
      << "and is not refused";
   stop.request_stop();
   list.join();
   d.node(0).resume();
}

TEST_F(shared, command_that_never_has_room_is_refused_at_once) {
   config c = config::from_uri(d.uri()).value();
   c.limits.parked_bytes = 1000;
   shared_client redis(c);
   const auto r = redis.set("k", std::string(2000, 'x'), {}, {.deadline = 30s, .wait_for_room = true});
   EXPECT_TRUE(failed_as(r, outcome::not_executed, errc::limit_exceeded));
}

// The processor's time that this process takes while it waits for another server.
std::chrono::nanoseconds cpu_while_waiting(client& other) {
   const auto used = [] {
      timespec t{};
      ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
      return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
   };
   const auto before = used();
   EXPECT_TRUE(other.run({"BLPOP", "nothing", "0.4"}, {.deadline = 10s}));
   return used() - before;
}

TEST_F(shared, call_that_gave_up_waiting_leaves_the_thread_at_rest) {
   lab::deployment elsewhere({.replicas = 0, .sentinels = 0});
   client other(elsewhere.uri());
   other.ping().value();
   config c = config::from_uri(d.uri()).value();
   c.limits.parked_commands = 1;
   c.limits.in_flight = 1;
   c.attempt_timeout = 60s;
   shared_client redis(c);
   redis.ping().value();
   d.node(0).stop();
   std::deque<std::jthread> callers;
   for (int i = 0; i < 2; ++i)
      callers.emplace_back([&] { EXPECT_TRUE(redis.incr("n", {.deadline = 60s, .wait_for_room = true})); });
   lab::await(
      "the queue is full",
      [&] {
         const auto r = redis.ping({.deadline = 1ms});
         return !r && r.error().code() == errc::queue_full;
      },
      20s);
   std::stop_source stop;
   std::jthread stopper([&] {
      for (int i = 0; i < 3; ++i) (void)redis.ping({.deadline = 1ms});  // the other call waits by then
      stop.request_stop();
   });
   EXPECT_FALSE(redis.ping({.deadline = 150ms, .stop = stop.get_token(), .wait_for_room = true}));
   stopper.join();
   EXPECT_LT(cpu_while_waiting(other), 200ms);
   d.node(0).resume();
}

TEST_F(shared, observer_is_called_in_the_clients_thread_and_cannot_call_it) {
   std::optional<shared_client> redis;
   std::atomic<bool> refused = false;
   std::thread::id told_in;
   config c = config::from_uri(d.uri()).value();
   c.observer = [&](const any_event& e) {
      if (!std::holds_alternative<event::connected>(e)) return;
      told_in = std::this_thread::get_id();
      const auto r = redis->ping();
      refused = !r && r.error().code() == errc::concurrent_use && r.error().outcome == outcome::not_executed;
   };
   redis.emplace(c);
   EXPECT_TRUE(redis->ping());
   EXPECT_TRUE(refused);
   EXPECT_NE(told_in, std::this_thread::get_id());
}

TEST_F(shared, thread_begins_with_the_first_call_and_ends_with_the_client) {
   const std::size_t files = open_files();
   const std::size_t tasks = threads();
   {
      shared_client redis(d.uri());
      EXPECT_EQ(threads(), tasks);
      redis.ping().value();
      EXPECT_EQ(threads(), tasks + 1);
      EXPECT_EQ(redis.master().value(), d.node(0).address());
   }
   EXPECT_TRUE(lab::became_true([&] { return threads() == tasks; }, 5s));
   EXPECT_EQ(open_files(), files);
   EXPECT_THROW(shared_client("nonsense"), failure);
}

#ifdef __SANITIZE_THREAD__
constexpr bool child_may_start_threads = false;  // the sanitizer ends a forked child that does
#else
constexpr bool child_may_start_threads = true;
#endif

TEST_F(shared, forked_child_is_told_not_supported) {
   shared_client used(d.uri());
   shared_client fresh(d.uri());
   ASSERT_TRUE(used.set("k", "1"));
   EXPECT_TRUE(in_a_child([&] {
      const auto is_refused = [&] {
         const auto list = used.run(std::vector<command>{{"INCR", "k"}});
         return failed_as(used.set("k", "2"), outcome::not_executed, errc::not_supported) &&
                failed_as(list.front(), outcome::not_executed, errc::not_supported) &&
                failed_as(used.master(), outcome::not_executed, errc::not_supported);
      };
      return is_refused() && (!child_may_start_threads || fresh.get("k").value() == "1") && in_a_child(is_refused);
   }));
   auto gone = std::make_unique<shared_client>(d.uri());
   gone->ping().value();
   EXPECT_TRUE(in_a_child([&] {
      gone.reset();
      return true;
   })) << "it does not wait for a thread that is not there";
   EXPECT_EQ(used.get("k").value(), "1");
   EXPECT_TRUE(fresh.ping());
}

TEST(shared_failover, callers_of_eight_threads_see_no_error) {
   for (const bool of_deployment : {false, true}) {
      lab::deployment servers;
      const deployment source(servers.uri());
      std::optional<shared_client> redis;
      if (of_deployment)
         redis.emplace(source);
      else
         redis.emplace(servers.uri());
      const endpoint before = redis->master().value();
      std::atomic<long> done = 0;
      std::atomic<bool> is_over = false;
      in_threads(9, [&](int i) {
         if (i == 8) {
            lab::await("they write", [&] { return done > 1000; }, 20s);
            servers.node_at(before).kill();
            lab::await("they write to another master", [&] { return redis->master().value() != before; }, 20s);
            const long then = done;
            lab::await("they go on", [&] { return done > then + 1000; }, 20s);
            is_over = true;
            return;
         }
         while (!is_over) {
            const auto r = redis->set("k" + std::to_string(i), "v", {}, {.deadline = 30s});
            EXPECT_TRUE(r) << r.error().what();
            ++done;
         }
      });
   }
}

TEST(shared_failover, passes_while_nobody_calls) {
   lab::deployment servers;
   std::atomic<bool> knows_another = false;
   config c = config::from_uri(servers.uri()).value();
   c.observer = [&](const any_event& e) {
      if (const auto* named = std::get_if<event::master_named>(&e))
         knows_another = named->to != servers.node(0).address();
   };
   shared_client redis(c);
   redis.ping().value();
   servers.node(0).kill();
   lab::await("it knows of another master", [&] { return knows_another.load(); }, 20s);
   EXPECT_TRUE(redis.ping({.deadline = 1s}));
}

}  // namespace shared_client_redis_test
}  // namespace holdfast

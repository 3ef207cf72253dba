// Many clients that share one deployment, on many threads, against real servers.
#include "lab/clients.hpp"
#include "lab/deployment.hpp"
#include "redis/forked.hpp"
#include "redis/own_process.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {
namespace {

using test::in_a_child;
using test::open_files;
using test::resident_kib;
using test::threads;

using namespace std::chrono_literals;

// The connections at a Sentinel that are not its peers', nor the lab's: each of these has a name.
std::size_t nameless_clients(const lab::server& sentinel) {
   lab::control asking = sentinel.connect();
   const std::string list = asking.run({"CLIENT", "LIST"}).text;
   std::size_t n = 0;
   for (std::size_t i = list.find(" name= "); i != std::string::npos; i = list.find(" name= ", i + 1)) ++n;
   return n;
}

// At each Sentinel.
std::vector<std::size_t> watchers(lab::deployment& servers) {
   std::vector<std::size_t> counts;
   for (std::size_t i = 0; i < servers.sentinels(); ++i) counts.push_back(nameless_clients(servers.sentinel(i)));
   return counts;
}

std::vector<std::size_t> of_each(lab::deployment& servers, std::size_t n) {
   return std::vector<std::size_t>(servers.sentinels(), n);
}

// The thread is gone from /proc a moment after it was joined.
void expect_threads(std::size_t n) {
   EXPECT_TRUE(lab::became_true([&] { return threads() == n; }, 5s)) << threads() << " and not " << n;
}

// Ninety that have been idle and ten that write without a pause, through the death of the master.
class Crowd {
 public:
   static constexpr int idle = 90;
   static constexpr int busy = 10;

   Crowd(const deployment& shared, endpoint dead) : shared_(shared), dead_(std::move(dead)) {
      for (int i = 0; i < idle + busy; ++i) callers_.emplace_back([this, i] { call(i); });
      lab::await("all are connected", [&] { return connected_ == idle + busy; }, 20s);
   }
   void the_master_is_dead() {
      is_dead_ = true;
      is_dead_.notify_all();
   }
   // The times of the first writes on the new master.
   std::vector<lab::clock::time_point> join() {
      for (auto& c : callers_) c.join();
      return back_at_;
   }

 private:
   void call(int i) {
      client redis(shared_);
      const std::string key = "k" + std::to_string(i);
      EXPECT_TRUE(redis.set(key, "before"));
      ++connected_;
      if (i < idle) is_dead_.wait(false);
      for (;;) {
         const auto wrote = redis.set(key, "through it", {}, {.deadline = 20s});
         EXPECT_TRUE(wrote) << wrote.error().what();
         if (!wrote) return;
         if (is_dead_ && redis.master().value() != dead_) break;
      }
      const auto now = lab::clock::now();
      const std::lock_guard lock(mutex_);
      back_at_.push_back(now);
   }

   const deployment& shared_;
   endpoint dead_;
   std::atomic<int> connected_ = 0;
   std::atomic<bool> is_dead_ = false;
   std::mutex mutex_;
   std::vector<lab::clock::time_point> back_at_;
   std::deque<std::jthread> callers_;
};

TEST(Deployment, BringsAHundredClientsBackFromAKillAndItsSentinelsSeeOneClient) {
   lab::deployment servers;
   const deployment shared(servers.uri());
   Crowd crowd(shared, servers.node(0).address());
   EXPECT_EQ(watchers(servers), of_each(servers, 2));
   servers.node(0).kill();
   crowd.the_master_is_dead();
   const auto back = crowd.join();
   ASSERT_EQ(back.size(), 100U);
   const auto [first, last] = std::minmax_element(back.begin(), back.end());
   std::cout << "from the first client's return to the last one's: " << lab::ms_between(*first, *last) << " ms\n";
   EXPECT_LT(lab::ms_between(*first, *last), 1000) << "the news wake all of them at once";
   EXPECT_EQ(watchers(servers), of_each(servers, 2));
}

TEST(Deployment, EndsWithTheLastOfItsHandlesAndClientsAndLeavesNothing) {
   lab::deployment servers({.replicas = 1, .down_after = 500ms});
   const std::size_t files = open_files();
   const std::size_t tasks = threads();
   auto shared = std::make_unique<deployment>(servers.uri());
   expect_threads(tasks);
   {
      client first(*shared);
      client second(*shared);
      EXPECT_EQ(threads(), tasks + 1);
      EXPECT_TRUE(first.set("k", "1"));
   }
   EXPECT_EQ(threads(), tasks + 1) << "the handle keeps the watch";
   {
      client third(*shared);
      shared.reset();
      EXPECT_TRUE(third.set("k", "2"));
      servers.node(0).kill();
      EXPECT_TRUE(third.set("k", "3", {}, {.deadline = 20s})) << "a client keeps the watch, too";
   }
   expect_threads(tasks);
   EXPECT_EQ(open_files(), files);
   EXPECT_TRUE(lab::became_true([&] { return watchers(servers) == of_each(servers, 0); }, 5s));
}

TEST(Deployment, ThatWasMadeBeforeAForkAndNotUsedWorksInBoth) {
   lab::deployment servers({.replicas = 0, .sentinels = 1});
   const deployment shared(servers.uri());
   const auto works = [&] { return client(shared).incr("n").has_value(); };
   EXPECT_TRUE(in_a_child(works));
   EXPECT_TRUE(works());
   EXPECT_EQ(client(shared).get("n").value(), "2");
}

TEST(Deployment, says_not_supported_in_a_forked_child) {
   lab::deployment servers({.replicas = 0, .sentinels = 1});
   const deployment shared(servers.uri());
   client redis(shared);
   ASSERT_TRUE(redis.set("k", "1"));
   EXPECT_TRUE(in_a_child([&] {
      const auto refused = [](const error& e) {
         return e.code() == errc::not_supported && e.outcome == outcome::not_executed;
      };
      for (int i = 0; i < 2; ++i) {
         const auto r = redis.set("k", "2");
         if (r || !refused(r.error())) return false;
         const auto where = redis.master();
         if (where || !refused(where.error())) return false;
      }
      try {
         client another(shared);
         return false;
      } catch (const failure& f) {
         return refused(f.error()) && client(servers.uri()).get("k").value() == "1";
      }
   }));
   EXPECT_EQ(redis.get("k").value(), "1");
}

TEST(Deployment, says_not_supported_in_a_child_of_a_child) {
   lab::deployment servers({.replicas = 0, .sentinels = 1});
   const deployment shared(servers.uri());
   client redis(shared);
   ASSERT_TRUE(redis.set("k", "1"));
   const auto is_refused = [&] {
      const auto r = redis.set("k", "2");
      return !r && r.error().code() == errc::not_supported && r.error().outcome == outcome::not_executed;
   };
   EXPECT_TRUE(in_a_child([&] { return is_refused() && in_a_child(is_refused); }));
   EXPECT_EQ(redis.get("k").value(), "1");
}

TEST(Deployment, DoesNotHangAChildThatDestroysItAfterAll) {
   lab::deployment servers({.replicas = 0, .sentinels = 1});
   auto shared = std::make_unique<deployment>(servers.uri());
   auto redis = std::make_unique<client>(*shared);
   ASSERT_TRUE(redis->ping());
   EXPECT_TRUE(in_a_child([&] {
      shared.reset();
      redis.reset();
      return true;
   }));
   EXPECT_TRUE(redis->ping());
}

TEST(Deployment, WithoutSentinelsIsOneServerAndNeedsNoThread) {
   lab::deployment server({.replicas = 0, .sentinels = 0});
   const std::size_t tasks = threads();
   const deployment shared(server.uri());
   client one(shared);
   client two(shared);
   EXPECT_EQ(one.incr("n").value(), 1);
   EXPECT_EQ(two.incr("n").value(), 2);
   EXPECT_EQ(threads(), tasks);
}

TEST(Deployment, IsWaitedForNoLongerThanTheCallersStopTokenSays) {
   lab::deployment servers({.replicas = 0, .sentinels = 1});
   const deployment shared(servers.uri());
   config c = shared.settings();
   std::stop_source stop;
   c.observer = [&](const any_event& e) {
      if (std::holds_alternative<event::dial_failed>(e)) stop.request_stop();
   };
   client redis(shared, c);
   ASSERT_TRUE(redis.ping());
   servers.node(0).kill();
   const auto begin = lab::clock::now();
   const auto r = redis.set("k", "v", {}, {.deadline = 30s, .stop = stop.get_token()});
   ASSERT_FALSE(r);
   EXPECT_EQ(r.error().code(), errc::cancelled) << r.error().what();
   EXPECT_LT(lab::ms_between(begin, lab::clock::now()), 5000);
}

TEST(Deployment, TellsOfItsSentinelsInItsOwnThreadAndAClientOfItsConnectionsInTheCallers) {
   lab::deployment servers({.replicas = 0, .sentinels = 1});
   std::mutex mutex;
   std::vector<std::string> of_watch, of_client;
   std::atomic<bool> own_thread = true;
   const auto caller = std::this_thread::get_id();
   {
      config c = config::from_uri(servers.uri()).value();
      c.observer = [&](const any_event& e) {
         const std::lock_guard lock(mutex);
         own_thread = own_thread && std::this_thread::get_id() != caller;
         of_watch.emplace_back(name_of(e));
      };
      const deployment shared(c);
      EXPECT_FALSE(shared.settings().observer);
      config mine = shared.settings();
      mine.observer = [&](const any_event& e) {
         EXPECT_EQ(std::this_thread::get_id(), caller);
         of_client.emplace_back(name_of(e));
      };
      client redis(shared, mine);
      ASSERT_TRUE(redis.ping());
   }
   EXPECT_TRUE(own_thread);
   EXPECT_EQ(of_watch, (std::vector<std::string>{"sentinel_up", "master_named"}));
   EXPECT_EQ(of_client, (std::vector<std::string>{"connected"}));
}

TEST(Deployment, LetsEachClientHaveSettingsOfItsOwnButNoOtherPlace) {
   lab::deployment servers({.replicas = 0, .sentinels = 1});
   const deployment shared(servers.uri());
   client third(shared, {.db = 3});
   ASSERT_TRUE(third.set("in three", "yes"));
   client redis(shared);
   EXPECT_EQ(redis.exists("in three").value(), 0);
   config elsewhere = shared.settings();
   elsewhere.master = "another";
   try {
      client lost(shared, elsewhere);
      ADD_FAILURE() << "it was led astray";
   } catch (const failure& f) {
      EXPECT_EQ(f.error().code(), errc::invalid_argument);
      EXPECT_NE(f.error().what().find("master"), std::string::npos) << f.error().what();
   }
   EXPECT_THROW(deployment("redis+sentinel://127.0.0.1"), failure);
}

TEST(Deployment, SaysAtOnceThatNoSentinelKnowsTheName) {
   lab::deployment servers({.replicas = 0});
   config c = config::from_uri(servers.uri()).value();
   c.master = "nobody";
   const deployment shared(c);
   client redis(shared);
   const auto begin = lab::clock::now();
   const auto r = redis.ping();
   EXPECT_LT(lab::ms_between(begin, lab::clock::now()), 2000);
   ASSERT_FALSE(r);
   EXPECT_EQ(r.error().code(), errc::unknown_master);
   EXPECT_EQ(r.error().causes.size(), 3U);
}

TEST(Deployment, WhoseClientsComeAndGoByTheThousandDoesNotGrow) {
   lab::deployment servers({.replicas = 0, .sentinels = 1});
   const deployment shared(servers.uri());
   lab::control node = servers.node(0).connect();
   std::size_t files = 0;
   [[maybe_unused]] std::size_t memory = 0;
   for (int round = 0; round < 1000; ++round) {
      client redis(shared);
      ASSERT_TRUE(redis.set("k", "v"));
      if (round != 100) continue;
      files = open_files();
      memory = resident_kib();
   }
   EXPECT_EQ(open_files(), files - 2) << "but for the connection and the bell of the last one";
#ifdef __SANITIZE_THREAD__
   [[maybe_unused]] constexpr std::size_t growth_kib = 8192;  // of its own
#else
   [[maybe_unused]] constexpr std::size_t growth_kib = 512;
#endif
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed
   EXPECT_LT(resident_kib(), memory + growth_kib);
#endif
   EXPECT_EQ(watchers(servers), of_each(servers, 2));
   EXPECT_TRUE(lab::became_true([&] { return lab::workload_clients(node).empty(); }, 5s));
}

// Fifty callers ask again and again while there is no master: the Sentinel is asked for all of them together. And it is
// left alone again when they have given up, each at its deadline and some in the midst of a dial.
TEST(Deployment, InAnOutageAsksOnceForAllAndNoMoreWhenTheyHaveGivenUp) {
   lab::deployment servers({.replicas = 0, .sentinels = 1});
   const deployment shared(servers.uri());
   lab::control sentinel = servers.sentinel(0).connect();
   std::size_t asked_ourselves = 0;
   const auto commands = [&] {
      return std::stoul(sentinel.info("stats", "total_commands_processed")) - asked_ourselves++;
   };
   std::deque<client> clients;
   for (int i = 0; i < 50; ++i) ASSERT_TRUE(clients.emplace_back(shared).ping());
   servers.node(0).kill();
   const auto before = commands();
   std::deque<std::jthread> callers;
   for (auto& c : clients) callers.emplace_back([&c] { EXPECT_FALSE(c.set("k", "v", {}, {.deadline = 3s})); });
   callers.clear();
   const auto during = commands() - before;
   std::cout << during << " commands to the Sentinel in 3 s of outage, for 50 clients\n";
   EXPECT_LE(during, 900U) << "a question, of three commands, in 25 ms, and polls; one by one they were 3600";

   const auto given_up = commands();
   clients.back().wait_for_events(3s);
   const auto left = commands() - given_up;
   std::cout << left << " in the 3 s after that\n";
   EXPECT_LE(left, 20U) << "polls, one a second";
}

}  // namespace
}  // namespace holdfast

// async_client through failovers: with Sentinels of its own, and led by a deployment.
#include "failed_as.hpp"
#include "lab/deployment.hpp"
#include "lab/promotion.hpp"

#include <holdfast/async.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;

// Callers that write without a pause until they are told that it is enough.
class crowd {
 public:
   explicit crowd(async_client& redis) : redis_(redis) {}

   net::awaitable<void> caller(int i) {
      ++under_way_;
      const std::string key = "k" + std::to_string(i);
      while (!enough_) {
         const auto r = co_await redis_.run({"SET", key, "v"}, {.deadline = 20s}, net::use_awaitable);
         EXPECT_TRUE(r) << (r ? "" : r.error().what());
         failed_ += !r;
         ++done_;
      }
      --under_way_;
   }
   void stop() { enough_ = true; }
   int done() const { return done_; }
   int failed() const { return failed_; }
   int under_way() const { return under_way_; }

 private:
   async_client& redis_;
   std::atomic<bool> enough_ = false;
   std::atomic<int> done_ = 0;
   std::atomic<int> failed_ = 0;
   std::atomic<int> under_way_ = 0;
};

// The master dies. A SET may be repeated, so the failover is latency, not an error.
void ride_out(lab::deployment& d, async_client& redis, net::thread_pool& pool) {
   crowd callers(redis);
   for (int i = 0; i < 50; ++i) net::co_spawn(pool, callers.caller(i), net::detached);
   lab::await("they work", [&] { return callers.done() > 1000; }, 10s);
   const endpoint old = d.named_master();
   lab::naming_watch naming(d);
   d.node(0).kill();
   lab::await("a Sentinel names another master", [&] { return naming.first().has_value(); }, 20s);
   const int before = callers.done();
   lab::await("they work again", [&] { return callers.done() > before + 1000; }, 10s);
   callers.stop();
   lab::await("all have ended", [&] { return callers.under_way() == 0; }, 25s);
   EXPECT_EQ(callers.failed(), 0);
   EXPECT_NE(d.named_master(naming.first()->sentinel), old);
}

TEST(async_failover, callers_ride_out_a_kill) {
   lab::deployment d;
   net::thread_pool pool(2);
   {
      async_client redis(pool, d.uri());
      ride_out(d, redis, pool);
   }
   pool.join();
}

TEST(async_failover, callers_led_by_a_deployment_ride_out_a_kill) {
   lab::deployment d;
   net::thread_pool pool(2);
   const deployment shared(d.uri());
   {
      async_client redis(pool, shared);
      ride_out(d, redis, pool);
   }
   pool.join();
}

// For some ten seconds the old master goes on as a master: nothing but the Sentinels' word tells.
TEST(async_failover, idle_client_does_not_write_to_the_old_master) {
   lab::deployment d;
   const deployment shared(d.uri());
   net::io_context io;
   async_client alone(io, d.uri());
   async_client led(io, shared);
   const auto set = [&](async_client& redis, const std::string& key) {
      auto r = redis.run({"SET", key, "1"}, net::use_future);
      io.restart();
      io.run();  // neither keeps it from returning
      return r.get();
   };
   ASSERT_TRUE(set(alone, "before"));
   ASSERT_TRUE(set(led, "before"));
   const endpoint old = d.named_master();
   d.sentinel(0).connect().run({"SENTINEL", "FAILOVER", "mymaster"});
   lab::await(
      "every Sentinel names the new master",
      [&] {
         for (std::size_t i = 0; i < d.sentinels(); ++i)
            if (d.named_master(i) == old) return false;
         return true;
      },
      20s);
   auto at_old = d.node_at(old).connect();
   ASSERT_EQ(at_old.role(), "master");
   EXPECT_TRUE(set(alone, "alone"));
   EXPECT_TRUE(set(led, "led"));
   EXPECT_EQ(at_old.run({"EXISTS", "alone", "led"}).integer, 0);
   EXPECT_EQ(d.node_at(d.named_master()).connect().run({"EXISTS", "alone", "led"}).integer, 2);
}

TEST(async_failover, settings_beside_a_deployment_name_no_other_place) {
   lab::deployment d({.replicas = 0, .sentinels = 1});
   const deployment shared(d.uri());
   net::io_context io;
   config c = shared.settings();
   c.db = 3;
   async_client third(io, shared, c);
   auto r = third.run({"SET", "k", "1"}, net::use_future);
   io.run();
   EXPECT_TRUE(r.get());
   auto master = d.node(0).connect();
   master.run({"SELECT", "3"});
   EXPECT_EQ(master.run({"GET", "k"}).text, "1");
   c.master = "other";
   EXPECT_THROW(async_client(io, shared, c), failure);
}

}  // namespace
}  // namespace holdfast

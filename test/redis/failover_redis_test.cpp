// The client through Sentinel, where the drill does not look: idle clients, refused discovery.
#include "failed_as.hpp"
#include "lab/deployment.hpp"
#include "lab/fault.hpp"
#include "lab/promotion.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

void await_naming(lab::deployment& d, const endpoint& other_than) {
   lab::await(
      "every Sentinel names the new master",
      [&] {
         for (std::size_t i = 0; i < d.sentinels(); ++i)
            if (d.named_master(i) == other_than) return false;
         return true;
      },
      20s);
}

TEST(failover, an_idle_client_does_not_write_to_the_old_master_that_still_says_master) {
   lab::deployment d;
   client redis(d.uri());
   ASSERT_TRUE(redis.set("before", "1"));
   const endpoint old = d.named_master();
   d.sentinel(0).connect().run({"SENTINEL", "FAILOVER", "mymaster"});
   await_naming(d, old);
   // For some ten seconds the old master goes on as a master: nothing but the Sentinels' word tells.
   auto at_old = d.node_at(old).connect();
   ASSERT_EQ(at_old.role(), "master");
   ASSERT_TRUE(redis.set("after", "1"));
   EXPECT_EQ(at_old.run({"EXISTS", "after"}).integer, 0);
   EXPECT_EQ(d.node_at(d.named_master()).connect().run({"EXISTS", "after"}).integer, 1);
}

TEST(failover, says_at_once_that_no_sentinel_knows_the_name) {
   lab::deployment d({.replicas = 0});
   config c = config::from_uri(d.uri()).value();
   c.master = "nobody";
   client redis(c);
   const auto begin = std::chrono::steady_clock::now();
   const auto r = redis.ping();
   EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::unknown_master));
   EXPECT_EQ(r.error().causes.size(), 3U);
}

TEST(failover, tells_dead_sentinels_from_an_unknown_name) {
   lab::deployment d({.replicas = 0});
   config c = config::from_uri(d.uri()).value();
   c.deadline = 1s;
   for (std::size_t i = 0; i < d.sentinels(); ++i) d.sentinel(i).kill();
   client redis(c);
   const auto r = redis.ping();
   ASSERT_FALSE(r);
   EXPECT_EQ(r.error().code(), errc::no_sentinel);
   EXPECT_EQ(r.error().causes.size(), 3U);
}

TEST(failover, logs_in_at_sentinels_that_have_users_of_their_own) {
   lab::deployment d({.replicas = 1,
                      .node_login = {.username = "app", .password = "one"},
                      .sentinel_login = {.username = "asker", .password = "two"}});
   client redis(d.uri());
   EXPECT_EQ(redis.incr("n").value(), 1);
   config c = config::from_uri(d.uri()).value();
   c.sentinel_password = "wrong";
   client stranger(c);
   const auto r = stranger.ping();
   ASSERT_FALSE(r);
   EXPECT_EQ(r.error().code(), errc::authentication_failed);
}

TEST(failover, finds_the_other_sentinels_when_only_one_was_configured) {
   lab::deployment d({.replicas = 1});
   config c = config::from_uri(d.uri()).value();
   c.sentinels.resize(1);
   std::size_t learned = 0;
   c.observer = [&](const any_event& e) { learned += std::holds_alternative<event::sentinel_learned>(e); };
   client redis(c);
   ASSERT_TRUE(redis.set("k", "1"));
   redis.wait_for_events(500ms);
   EXPECT_EQ(learned, 2U);
   d.sentinel(0).kill();
   d.node(0).kill();
   EXPECT_TRUE(redis.set("k", "2")) << "the two that were learned show the way";
}

}  // namespace
}  // namespace holdfast

// Sentinels that are far away, full, or have long lists.
#include "unit/topology/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::tracker_distance_test {
namespace {

using namespace test;

TEST(tracker_distance, far_sentinels_are_given_the_time_they_take) {
   deployment w;
   for (const auto& s : {s1, s2, s3}) w.at(s).delay = 340ms;
   ASSERT_TRUE(w.run_till([&] { return w.watched.target().has_value(); }, 2s));
   w.run_for(5s);
   for (const auto& s : {s1, s2, s3}) EXPECT_EQ(w.subscriptions(s), 1u);
   const auto down = w.told<event::sentinel_down>().size();
   w.run_for(60s);
   EXPECT_EQ(w.told<event::sentinel_down>().size(), down) << "what was measured stays";
   EXPECT_TRUE(w.targets(old_master));
}

TEST(tracker_distance, time_that_passed_is_named_with_its_setting) {
   deployment w;
   for (const auto& s : {s1, s2, s3}) w.at(s).delay = 5s;
   ASSERT_TRUE(w.run_till([&] { return w.watched.why_none().has_value(); }));
   const auto first = w.watched.why_none();
   EXPECT_EQ(first->causes[0], "Sentinel 10.0.1.1:26379: no answer within 300 ms, where sentinel_timeout is 300 ms");
   w.run_for(60s);
   EXPECT_EQ(w.watched.why_none()->causes[0],
             "Sentinel 10.0.1.1:26379: no answer within 1200 ms, where sentinel_timeout is 300 ms");
}

TEST(tracker_distance, near_sentinel_that_stops_is_noticed_as_before) {
   deployment w;
   w.start();
   w.set(s1, condition::stopped);
   w.watched.ask(w.now);
   const auto before = w.now;
   ASSERT_TRUE(w.run_till([&] { return !w.told<event::sentinel_down>().empty(); }));
   EXPECT_LE(w.now - before, 310ms);
}

TEST(tracker_distance, full_sentinels_are_named_as_such) {
   for (const auto* password : {"", "secret"}) {
      auto settings = three_sentinels();
      settings.password = password;
      deployment w(settings);
      for (const auto& s : {s1, s2, s3}) {
         w.at(s).password = password;
         w.at(s).tamper = [](std::string& reply, unsigned) { reply = "-ERR max number of clients reached\r\n"; };
      }
      w.run_for(1s);
      const auto t = w.watched.why_none();
      ASSERT_TRUE(t);
      EXPECT_EQ(t->code, errc::no_sentinel);
      EXPECT_FALSE(t->final);
      EXPECT_EQ(t->causes[1], "Sentinel 10.0.1.2:26379: turned the connection away: ERR max number of clients reached");
      for (const auto& s : {s1, s2, s3}) w.at(s).tamper = {};
      EXPECT_TRUE(w.run_till([&] { return w.subscriptions(s2) == 1; }, 2s));
   }
}

TEST(tracker_distance, thousands_of_replicas_are_not_asked_for) {
   auto settings = three_sentinels();
   settings.eager = true;
   deployment w(settings);
   for (const auto& s : {s1, s2, s3})
      for (std::uint16_t i = 1; i != 3000; ++i) w.at(s).replicas.emplace_back(endpoint{"10.1.0.1", i});
   w.run_for(60s);
   EXPECT_EQ(w.count(s1, "SENTINEL REPLICAS"), 0u);
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
   EXPECT_TRUE(w.targets(old_master));
   for (const auto& s : {s1, s2, s3}) w.at(s).replicas.resize(500);
   w.run_for(30s);
   EXPECT_GE(w.count(s1, "SENTINEL REPLICAS"), 1u);
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
}

}  // namespace
}  // namespace holdfast::impl::tracker_distance_test

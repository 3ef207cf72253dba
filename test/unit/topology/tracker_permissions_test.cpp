// Sentinels that allow their user less than we ask for, or answer otherwise than most: what can be known is known.
#include "unit/topology/deployment.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::impl::tracker_permissions_test {
namespace {

using namespace test;

const std::string forbidden = "-NOPERM this user has no permissions to run this command\r\n";

bool is_master_reply(const std::string& reply) { return reply.find("config-epoch") != std::string::npos; }

void tamper_with_all(deployment& w, const std::function<void(std::string&)>& change) {
   for (const auto& s : {s1, s2, s3}) w.at(s).tamper = [change](std::string& reply, unsigned) { change(reply); };
}

TEST(tracker_permissions, user_who_may_ask_for_the_address_only_follows_the_majority) {
   deployment w;
   tamper_with_all(w, [](std::string& reply) {
      if (is_master_reply(reply)) reply = forbidden;
   });
   w.start();
   w.run_for(1s);
   ASSERT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.watched.target()->epoch, 0u) << "nobody tells the epoch";
   w.name_by_all(new_master, 6);
   w.watched.ask(w.now);
   EXPECT_TRUE(w.finds(new_master, 5s));
}

TEST(tracker_permissions, user_who_may_not_ask_for_the_address_is_told_so) {
   deployment w;
   tamper_with_all(w, [](std::string& reply) {
      if (reply == address_reply(old_master)) reply = forbidden;
   });
   w.start();
   const auto t = w.watched.why_none();
   ASSERT_TRUE(t);
   EXPECT_EQ(t->code, errc::authentication_failed);
   ASSERT_EQ(t->causes.size(), 3u);
   EXPECT_EQ(t->causes[2],
             "Sentinel 10.0.1.3:26379: forbids us SENTINEL GET-MASTER-ADDR-BY-NAME: NOPERM this user has no "
             "permissions to run this command");
}

TEST(tracker_permissions, server_in_place_of_a_sentinel_is_said_to_be_none) {
   deployment w;
   tamper_with_all(w, [](std::string& reply) { reply = "-ERR unknown command 'SENTINEL'\r\n"; });
   w.start();
   const auto t = w.watched.why_none();
   ASSERT_TRUE(t);
   EXPECT_EQ(t->code, errc::no_sentinel);
   ASSERT_EQ(t->causes.size(), 3u);
   EXPECT_EQ(t->causes[0], "Sentinel 10.0.1.1:26379: is no Sentinel: ERR unknown command 'SENTINEL'");
}

TEST(tracker_permissions, password_that_is_refused_for_the_events_alone_is_tried_again) {
   auto settings = three_sentinels();
   settings.password = "secret";
   deployment w(settings);
   for (const auto& s : {s1, s2, s3}) w.at(s).password = "secret";
   // The second connection is that of the events.
   w.at(s1).tamper = [&](std::string& reply, unsigned) {
      if (reply == "+OK\r\n" && w.at(s1).commands["AUTH"] == 2) reply = "-WRONGPASS invalid username-password pair\r\n";
   };
   w.start();
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.count(s1, "AUTH"), 2u);
   EXPECT_EQ(w.subscriptions(s2), 1u);
   EXPECT_TRUE(w.told<event::sentinel_down>().empty()) << "it answers; it only sends no events";
   w.run_for(2 * settings.idle_poll);
   EXPECT_EQ(w.count(s1, "AUTH"), 2u) << "not often: a wrong password does not mend itself";
   w.run_for(2 * settings.idle_poll);
   EXPECT_EQ(w.count(s1, "AUTH"), 3u);
   EXPECT_EQ(w.subscriptions(s1), 1u);
}

TEST(tracker_permissions, answer_to_ping_that_is_no_event_is_one_all_the_same) {
   deployment w;
   tamper_with_all(w, [](std::string& reply) {
      if (reply == texts({"pong", ""})) reply = "+PONG\r\n";
   });
   w.start();
   w.run_for(60s);
   EXPECT_GE(w.count(s1, "PING"), 10u);
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
   EXPECT_EQ(w.count(s1, "SUBSCRIBE"), 1u) << "no subscription was given up";
}

using settled_links = settled;

TEST_F(settled_links, report_of_a_link_of_others_is_passed_over) {
   link stranger(w.pending_io, limits{});
   const auto told = w.history.size();
   const auto deadline = w.watched.next_deadline();
   w.watched.on_opened(stranger, w.now);
   w.watched.on_received(stranger, w.now);
   w.watched.on_lost(stranger, "reset", w.now);
   w.carry_out();
   EXPECT_EQ(w.history.size(), told);
   EXPECT_EQ(w.watched.next_deadline(), deadline);
   EXPECT_TRUE(w.targets(old_master));
}

TEST(tracker_links, report_of_a_closed_one_is_not_read) {
   deployment w;
   w.set(s1, condition::refusing);
   w.start();
   ASSERT_EQ(w.watched.link_at(0).where(), s1);
   const auto told = w.history.size();
   for (const std::size_t i : {0u, 1u}) {
      auto& l = w.watched.link_at(i);
      ASSERT_EQ(l.now(), link::state::closed);
      put(l.in, "*0\r\n");
      l.received(w.now);
   }
   w.carry_out();
   EXPECT_EQ(w.history.size(), told);
   EXPECT_TRUE(w.targets(old_master));
}

using tracker_hints = settled;

TEST_F(tracker_hints, sentinel_takes_back_only_what_it_has_said_itself) {
   for (const auto& s : {s1, s2}) {
      w.at(s).flags = "s_down,o_down,master";
      w.publish(s, "+odown", about_master(old_master));
   }
   w.run_for(20ms);
   EXPECT_TRUE(w.watched.objectively_down());
   for (const auto& s : {s1, s2}) {
      EXPECT_TRUE(w.watched.objectively_down());
      w.publish(s, "-odown", about_master(old_master));
      w.run_for(scripted_world::one_way + 100us);  // heard, and not asked about yet
   }
   EXPECT_FALSE(w.watched.objectively_down());
}

}  // namespace
}  // namespace holdfast::impl::tracker_permissions_test

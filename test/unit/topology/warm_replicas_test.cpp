// The connections to servers: who is kept warm, how often anybody is dialled and asked, what is said to them.
#include "unit/topology/promotion.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::impl::warm_replicas_test {
namespace {

using namespace test;

struct warm_world : deployment {
   explicit warm_world(sentinel_settings s = eager()) : deployment(std::move(s)) {
      list({new_master, third});
      at(old_master).role = "master";
      for (const auto& r : {new_master, third}) {
         at(r).role = "slave";
         at(r).follows = old_master;
      }
   }
   void list(const std::vector<listed_replica>& replicas) {
      for (const auto& s : {s1, s2, s3}) at(s).replicas = replicas;
   }
   std::vector<endpoint> replicas(std::uint16_t count) {
      std::vector<endpoint> many;
      for (std::uint16_t i = 1; i <= count; ++i) {
         many.push_back({"10.0.2.1", i});
         at(many.back()).role = "slave";
      }
      return many;
   }
   void settle() {
      start();
      run_for(3s);
   }
};

TEST(warm_replicas, each_replica_has_one_connection_soon_after_it_is_listed) {
   warm_world w;
   w.start();
   w.run_for(110ms);
   EXPECT_EQ(w.watched.warm(), 2U);
   EXPECT_EQ(w.connections(new_master), 1U);
   EXPECT_EQ(w.connections(third), 1U);
   EXPECT_EQ(w.connections(old_master), 0U);
}

struct settled_replicas : testing::Test {
   settled_replicas() { w.settle(); }
   warm_world w;
};

TEST_F(settled_replicas, follow_the_list_as_it_changes) {
   const endpoint fourth{"10.0.0.4", 6379};
   w.at(fourth).role = "slave";
   w.list({third, fourth, new_master});
   w.publish(s1, "+slave", about_replica(fourth, old_master));
   w.run_for(110ms);
   EXPECT_EQ(w.connections(fourth), 1U) << "the event says it";
   w.list({third, fourth});
   w.run_for(11s);
   EXPECT_EQ(w.connections(new_master), 0U);
   EXPECT_EQ(w.dials[third], 1U);
}

TEST_F(settled_replicas, new_master_is_none_and_the_old_master_is_one) {
   w.at(new_master).role = "master";
   w.name_by_all(new_master, 6);
   w.list({old_master, third});
   w.publish(s1, "+switch-master", switched(old_master, new_master));
   w.run_for(200ms);
   EXPECT_EQ(w.connections(new_master), 0U);
   EXPECT_EQ(w.connections(old_master), 1U);
}

// One Sentinel calls the servers by name, the others by address.
TEST(warm_replicas, a_replica_listed_under_two_names_has_one_connection) {
   warm_world w;
   const endpoint alias{"third.example", 6379};
   w.at(alias).role = "slave";
   w.list({{new_master, "run-2"}, {third, "run-3"}});
   w.at(s2).replicas = {{new_master, "run-2"}, {alias, "run-3"}};
   w.settle();
   EXPECT_EQ(w.connections(third) + w.connections(alias), 1U);
   EXPECT_EQ(w.watched.warm(), 2U);

   w.list({{new_master, "run-2"}, {alias, "run-3"}});
   w.run_for(11s);
   EXPECT_EQ(w.connections(third), 0U) << "no Sentinel lists it any more";
   EXPECT_EQ(w.connections(alias), 1U);
   w.at(s1).replicas = {{new_master, "run-2"}, {third, "run-3"}};
   w.run_for(11s);
   EXPECT_EQ(w.connections(alias), 1U) << "the name that has a connection is kept";
   EXPECT_EQ(w.connections(third), 0U);
   EXPECT_EQ(w.dials[alias], 1U);
}

TEST(warm_replicas, master_listed_as_a_replica_by_another_name_is_not_dialled) {
   warm_world w;
   const endpoint alias{"old.example", 6379};
   w.at(alias).role = "slave";
   for (const auto& s : {s1, s2, s3}) w.at(s).run_id = "run-1";
   w.at(s2).replicas = {{new_master, ""}, {alias, "run-1"}};
   w.settle();
   EXPECT_EQ(w.dials[alias], 0U);
   w.at(s2).replicas = {{new_master, ""}, {alias, ""}};
   w.run_for(11s);
   EXPECT_EQ(w.connections(alias), 1U) << "without a run id it may be another server";
}

TEST_F(settled_replicas, in_peace_one_is_asked_once_in_five_seconds) {
   const auto before = w.count(third, "HELLO");
   w.run_for(100s);
   EXPECT_LE(w.count(third, "HELLO") - before, 21U);
   EXPECT_GE(w.count(third, "HELLO") - before, 19U);
}

TEST_F(settled_replicas, one_that_ends_is_made_anew_within_a_tenth_of_a_second) {
   w.cut(third);
   w.run_for(110ms);
   EXPECT_EQ(w.connections(third), 1U);
   EXPECT_EQ(w.dials[third], 2U);
}

TEST_F(settled_replicas, dead_one_is_dialled_once_a_second_and_then_less_often) {
   w.set(third, condition::refusing);
   w.run_for(4s);
   EXPECT_LE(w.dials[third], 5U);
   const auto before = w.dials[third];
   w.run_for(100s);
   EXPECT_LE(w.dials[third] - before, 25U);
   w.set(third, condition::working);
   w.run_for(11s);
   EXPECT_EQ(w.connections(third), 1U);
}

TEST_F(settled_replicas, one_that_ends_each_connection_is_not_dialled_all_the_time) {
   w.at(third).tamper = [&](std::string&, unsigned) { w.cut(third); };
   w.cut(third);
   w.run_for(10s);
   EXPECT_LE(w.dials[third], 8U);
   const auto before = w.dials[third];
   w.run_for(100s);
   EXPECT_LE(w.dials[third] - before, 25U);
}

TEST_F(settled_replicas, one_that_breaks_the_protocol_is_given_up_and_made_anew) {
   w.at(third).tamper = [&](std::string& reply, unsigned) { reply = "?that is no reply\r\n"; };
   w.run_for(7s);
   EXPECT_EQ(w.watched.warm(), 1U);
   EXPECT_GE(w.dials[third], 2U);
   w.at(third).tamper = nullptr;
   w.run_for(11s);
   EXPECT_EQ(w.watched.warm(), 2U);
}

TEST_F(settled_replicas, one_that_falls_silent_is_given_up_and_made_anew) {
   w.set(third, condition::stopped);
   w.run_for(7s);
   EXPECT_EQ(w.watched.warm(), 1U);
   w.set(third, condition::working);
   w.run_for(11s);
   EXPECT_EQ(w.watched.warm(), 2U);
}

TEST(warm_replicas, authenticate_and_tell_their_name) {
   auto s = eager();
   s.node_username = "app";
   s.node_password = "secret";
   s.client_name = "billing";
   warm_world w(s);
   w.at(third).password = "secret";
   w.at(new_master).password = "another";
   w.settle();
   EXPECT_EQ(w.connections(third), 1U);
   EXPECT_EQ(w.count(third, "CLIENT"), 1U);
   EXPECT_EQ(w.watched.warm(), 1U);
   EXPECT_LE(w.dials[new_master], 4U);
}

TEST(warm_replicas, old_server_is_asked_by_role_or_by_info) {
   warm_world w;
   w.at(third).knows_hello = false;
   w.at(new_master).knows_hello = w.at(new_master).knows_role = false;
   w.settle();
   EXPECT_EQ(w.watched.warm(), 2U);
   EXPECT_EQ(w.count(third, "ROLE"), 1U);
   EXPECT_EQ(w.count(new_master, "INFO"), 1U);
}

TEST(warm_replicas, are_not_more_than_the_limit) {
   warm_world w;
   const auto many = w.replicas(100);
   w.list({many.begin(), many.end()});
   w.settle();
   EXPECT_EQ(w.watched.warm(), 16U);
   w.list({third});
   w.run_for(11s);
   EXPECT_EQ(w.watched.warm(), 1U);
   EXPECT_LE(w.watched.link_count(), 6U + 17U);
}

TEST(warm_replicas, sentinel_that_does_not_tell_of_them_costs_nothing_else) {
   warm_world w;
   for (const auto& s : {s1, s2, s3}) {
      w.at(s).tamper = [](std::string& reply, unsigned) {
         if (reply.find("10.0.0.3") != std::string::npos) reply = "-NOPERM this user has no permissions\r\n";
      };
   }
   w.settle();
   EXPECT_EQ(w.watched.warm(), 0U);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
}

TEST(warm_replicas, list_that_makes_no_sense_costs_nothing_else_either) {
   warm_world w;
   w.at(s1).tamper = [](std::string& reply, unsigned) {
      if (reply.find("10.0.0.3") != std::string::npos) reply = ":7\r\n";
   };
   w.settle();
   EXPECT_EQ(w.watched.warm(), 2U) << "by the others";
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
}

TEST(warm_replicas, too_many_in_every_order_are_not_made_anew_all_the_time) {
   warm_world w;
   auto many = w.replicas(30);
   unsigned turn = 0;
   for (const auto& s : {s1, s2, s3}) {
      std::rotate(many.begin(), many.begin() + 7, many.end());
      w.at(s).replicas.assign(many.begin(), many.end());
      w.at(s).tamper = [&turn](std::string&, unsigned) { ++turn; };
   }
   w.settle();
   EXPECT_EQ(w.watched.warm(), 16U);
   unsigned before = 0;
   for (const auto& r : many) before += w.dials[r];
   w.run_for(60s);
   unsigned after = 0;
   for (const auto& r : many) after += w.dials[r];
   EXPECT_EQ(after, before);
}

// ---- the role hint ------------------------------------------------------------------------------------------------

struct hinted_world : warm_world {
   static sentinel_settings following() {
      auto s = three_sentinels();
      s.follow_role_hint = true;
      return s;
   }
   explicit hinted_world(sentinel_settings s = following()) : warm_world(std::move(s)) { settle(); }
   // FAILOVER, of which the Sentinels know nothing.
   void role_moves() {
      at(old_master).role = "slave";
      at(old_master).follows = new_master;
      at(new_master).role = "master";
   }
};

TEST(role_hint, master_that_says_slave_is_left_for_the_one_that_it_follows) {
   hinted_world w;
   w.role_moves();
   w.watched.role_refused(old_master, "slave", w.now);
   ASSERT_TRUE(w.finds(new_master, 20ms));
   EXPECT_EQ(w.watched.target()->epoch, 5U);
   w.run_for(30s);
   EXPECT_TRUE(w.targets(new_master)) << "though the Sentinels go on naming the other";
   EXPECT_EQ(w.connections(old_master), 0U);
   EXPECT_EQ(w.connections(new_master), 0U);
}

TEST(role_hint, is_followed_only_if_that_one_says_that_it_is_a_master) {
   hinted_world w;
   w.role_moves();
   w.at(new_master).role = "slave";
   w.watched.role_refused(old_master, "slave", w.now);
   w.run_for(5s);
   EXPECT_TRUE(w.targets(old_master));
   w.at(new_master).role = "master";
   w.watched.role_refused(old_master, "slave", w.now);
   EXPECT_TRUE(w.finds(new_master, 20ms));
}

TEST(role_hint, ends_when_refused_unreachable_or_overruled_by_sentinels) {
   hinted_world w;
   w.role_moves();
   const auto follow = [&] {
      w.watched.role_refused(old_master, "slave", w.now);
      return w.finds(new_master, 50ms);
   };
   ASSERT_TRUE(follow());
   w.watched.role_refused(new_master, "slave", w.now);
   EXPECT_TRUE(w.targets(old_master));
   ASSERT_TRUE(follow());
   w.set(new_master, condition::refusing);
   w.watched.need(true, w.now);
   EXPECT_TRUE(w.finds(old_master, 50ms));
   w.watched.need(false, w.now);
   w.set(new_master, condition::working);
   ASSERT_TRUE(follow());
   w.name_by_all(third, 6);
   w.publish(s1, "+switch-master", switched(old_master, third));
   w.run_for(5ms);
   EXPECT_TRUE(w.targets(third));
}

TEST(role_hint, and_selection_take_no_node_from_each_other) {
   auto s = hinted_world::following();
   s.eager = true;
   s.warm = false;
   hinted_world w(s);
   w.role_moves();
   w.watched.role_refused(old_master, "slave", w.now);
   ASSERT_TRUE(w.finds(new_master, 50ms));
   w.publish(s1, "+new-epoch", "6");
   w.publish(s1, "+try-failover", about_master(old_master));
   w.publish(s1, "+selected-slave", about_replica(third, old_master));
   w.run_for(5ms);
   w.watched.need(true, w.now);
   w.set(new_master, condition::refusing);
   w.run_for(50ms);
   EXPECT_EQ(w.connections(third), 1U) << "it is still asked";
   w.at(third).role = "master";
   EXPECT_TRUE(w.finds(third, 500ms));
}

TEST(role_hint, without_permission_for_it_roles_are_still_known) {
   auto s = hinted_world::following();
   s.eager = true;
   warm_world w(s);
   for (const auto& r : {new_master, third})
      w.at(r).tamper = [](std::string& reply, unsigned) {
         if (reply.find("mode") == std::string::npos) reply = "-NOPERM this user has no permissions\r\n";
      };
   w.settle();
   EXPECT_EQ(w.watched.warm(), 2U);
}

TEST_F(settled_replicas, is_not_taken_unless_it_is_asked_for) {
   w.at(old_master).role = "slave";
   w.at(old_master).follows = new_master;
   w.at(new_master).role = "master";
   w.watched.role_refused(old_master, "slave", w.now);
   w.run_for(5s);
   EXPECT_TRUE(w.targets(old_master));
}

}  // namespace
}  // namespace holdfast::impl::warm_replicas_test

// Sentinels that are replaced, move, share an address, or belong to somebody else: a Sentinel is its run id.
#include "unit/topology/deployment.hpp"
#include "unit/topology/promotion.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::impl::tracker_roster_test {
namespace {

using namespace test;

const endpoint s4{"10.0.1.4", 26379};
const endpoint s5{"10.0.1.5", 26379};
const endpoint balancer{"10.0.9.9", 26379};

sentinel_settings one_seed() { return with_seeds({s1}); }

struct tracker_roster : ::testing::Test {
   tracker_roster() {
      w.start();
      EXPECT_EQ(w.watched.sentinels(), (std::vector<endpoint>{s1, s2, s3}));
   }
   void unlist(const endpoint& who, std::initializer_list<endpoint> by) {
      for (const auto& s : by) {
         std::erase_if(w.at(s).others, [&](const auto& o) { return o.first == who; });
         w.publish(s, "+reset-master", about_master(old_master));
      }
   }
   void list(const endpoint& who, const std::string& id, std::initializer_list<endpoint> by) {
      for (const auto& s : by) {
         std::erase_if(w.at(s).others, [&](const auto& o) { return o.second == id; });
         w.at(s).others.emplace_back(who, id);
         w.publish(s, "+sentinel", "sentinel " + id + " " + who.host + " 26379 @ mymaster 10.0.0.1 6379");
      }
   }
   void place(const endpoint& who, const std::string& id, std::initializer_list<endpoint> others) {
      auto& s = w.at(who);
      s = {};
      s.id = id;
      s.master = old_master;
      s.epoch = 5;
      for (const auto& o : others) s.others.emplace_back(o, w.at(o).id);
   }
   // Its host is lost, and its address is another deployment's from now on.
   void pass_to_strangers(const endpoint& address) {
      w.set(address, condition::refusing);
      w.run_for(1ms);
      place(address, "stranger", {});
      w.name(address, new_master, 9);
   }
   bool knows(const endpoint& e) const {
      const auto all = w.watched.sentinels();
      return std::find(all.begin(), all.end(), e) != all.end();
   }

   deployment w{one_seed()};
};

TEST_F(tracker_roster, address_that_passes_to_another_deployment_moves_nobody) {
   pass_to_strangers(s2);
   w.run_for(15s);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_TRUE(w.told<event::stale_answer>().empty()) << "its word is none, not even a stale one";
   const auto down = w.told<event::sentinel_down>();
   ASSERT_FALSE(down.empty());
   unlist(s2, {s1, s3});
   w.run_for(15s);
   EXPECT_FALSE(knows(s2));
   const auto dials = w.dials[s2];
   w.run_for(60s);
   EXPECT_EQ(w.dials[s2], dials);
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(tracker_roster, stranger_is_refused_by_its_id_also_for_events) {
   w.at(s2).behind = {s2, s4};
   place(s4, "stranger", {});
   w.cut(s2);
   w.run_for(5s);
   EXPECT_EQ(w.subscriptions(s4), 0u);
   EXPECT_EQ(w.subscriptions(s2), 1u) << "redialled until it is the right one";
}

TEST_F(tracker_roster, unlisted_node_has_no_vote_and_is_forgotten) {
   unlist(s2, {s1, s3});
   w.run_for(3s);
   w.name(s2, new_master, 9);
   w.publish(s2, "+switch-master", switched(old_master, new_master));
   w.run_for(100ms);
   EXPECT_FALSE(w.watched.in_doubt());
   EXPECT_TRUE(w.targets(old_master));
   w.run_for(15s);
   EXPECT_FALSE(knows(s2));
   EXPECT_EQ(w.connections(s2), 0u);
   list(s2, "id-of-10.0.1.2", {s1, s3});
   w.name(s2, old_master, 5);
   w.run_for(1s);
   EXPECT_TRUE(knows(s2));
   EXPECT_EQ(w.watched.link_count(), 6u) << "its place was free";
}

// A Sentinel that was reset hears the hello of the others within 2 s.
TEST_F(tracker_roster, one_whose_lister_was_reset_is_heard_until_a_hello_was_due) {
   unlist(s2, {s1, s3});
   w.run_for(2400ms);
   w.publish(s2, "+switch-master", switched(old_master, new_master));
   w.run_for(1ms);
   EXPECT_TRUE(w.watched.in_doubt());
   w.run_for(600ms);
   w.publish(s2, "+switch-master", switched(old_master, new_master));
   w.run_for(1ms);
   EXPECT_FALSE(w.watched.in_doubt());
}

TEST_F(tracker_roster, one_whose_lister_was_reset_is_none_where_another_stands) {
   unlist(s2, {s1, s3});
   pass_to_strangers(s2);
   w.run_for(2s);
   EXPECT_EQ(w.connections(s2), 0u);
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(tracker_roster, changed_list_is_asked_for_when_its_sentinel_counts_again) {
   unlist(s2, {s1, s3});
   w.run_for(3s);
   place(s4, "id-4", {s1});
   std::erase_if(w.at(s2).others, [](const auto& o) { return o.first == s3; });  // as many as before
   list(s4, "id-4", {s2});
   w.run_for(100ms);
   EXPECT_FALSE(knows(s4));
   w.at(s1).others.emplace_back(s2, "id-of-10.0.1.2");
   for (int i = 0; i != 2; ++i) {  // s1 is asked for its list when it says that it knows one more
      w.watched.ask(w.now);
      w.run_for(50ms);
   }
   EXPECT_TRUE(knows(s4)) << "at once, and not with the next question";
}

TEST_F(tracker_roster, sentinel_that_is_listed_by_a_learned_one_alone_votes) {
   std::erase_if(w.at(s1).others, [](const auto& o) { return o.first == s2; });
   w.run_for(30s);
   EXPECT_TRUE(knows(s2));
   EXPECT_EQ(w.connections(s2), 2u);
}

TEST_F(tracker_roster, rolled_sentinels_leave_a_majority) {
   w.watched.role_verified(old_master, 5, w.now);
   w.set(s2, condition::refusing);
   place(s4, "id-4", {s1, s3});
   unlist(s2, {s1, s3});
   list(s4, "id-4", {s1, s3});
   w.run_for(15s);
   w.set(s3, condition::refusing);
   place(s5, "id-5", {s1, s4});
   unlist(s3, {s1, s4});
   list(s5, "id-5", {s1, s4});
   w.run_for(15s);
   EXPECT_EQ(w.watched.sentinels(), (std::vector<endpoint>{s1, s4, s5}));
   for (const auto& s : {s1, s4, s5}) w.name(s, old_master, 0);
   w.watched.ask(w.now);
   ASSERT_TRUE(w.run_till([&] { return !w.told<event::new_lineage>().empty(); }, 12s));
}

TEST_F(tracker_roster, moved_sentinel_is_dialled_at_its_new_address) {
   for (const auto& [from, to] : {std::pair(s2, s4), std::pair(s3, s5)}) {
      const auto id = w.at(from).id;
      w.set(from, condition::refusing);
      w.run_for(1s);
      place(to, id, {s1});
      list(to, id, {s1});
      w.run_for(1s);
      EXPECT_FALSE(knows(from));
      EXPECT_TRUE(knows(to));
   }
   EXPECT_EQ(w.subscriptions(s4), 1u);
   EXPECT_EQ(w.watched.link_count(), 6u);
   w.set(s1, condition::refusing);
   for (const auto& s : {s4, s5}) w.name(s, new_master, 6);
   EXPECT_TRUE(w.asks_and_finds(new_master)) << "though no configured one is left";
}

TEST_F(tracker_roster, sentinel_replaced_at_its_address_votes_by_its_new_id) {
   w.set(s2, condition::refusing);
   w.run_for(1s);
   place(s2, "new-2", {s1, s3});
   unlist(s2, {s1, s3});
   list(s2, "new-2", {s1, s3});
   ASSERT_TRUE(w.run_till([&] { return w.subscriptions(s2) == 1; }, 20s));
   for (const auto& s : {s2, s3}) w.name(s, new_master, 6);
   EXPECT_TRUE(w.asks_and_finds(new_master));
}

// ---- learned against configured -----------------------------------------------------------------------------------

TEST_F(tracker_roster, newer_epoch_of_one_learned_sentinel_does_not_move) {
   w.name(s3, new_master, 6);
   w.watched.ask(w.now);
   w.run_for(5s);
   EXPECT_TRUE(w.targets(old_master));
   w.name(s2, new_master, 6);
   EXPECT_TRUE(w.asks_and_finds(new_master)) << "two of three are a failover";
}

TEST_F(tracker_roster, newer_epoch_of_a_learned_one_counts_while_no_configured_does) {
   w.set(s1, condition::refusing);
   w.run_for(1s);
   w.name(s3, new_master, 6);
   EXPECT_TRUE(w.asks_and_finds(new_master));
}

struct without_ids : deployment {
   explicit without_ids(sentinel_settings with) : deployment(std::move(with)) {
      for (const auto& s : {s1, s2, s3}) at(s).id.clear();
      start();
   }
};

TEST(tracker_roster_without_ids, unproven_majority_does_not_move_against_a_configured_one) {
   without_ids w(one_seed());
   EXPECT_EQ(w.watched.sentinels().size(), 3u);
   for (const auto& s : {s2, s3}) w.name(s, new_master, 6);
   w.watched.ask(w.now);
   w.run_for(5s);
   EXPECT_TRUE(w.targets(old_master));
   w.name(s1, new_master, 6);
   EXPECT_TRUE(w.asks_and_finds(new_master));
}

TEST(tracker_roster_without_ids, selection_for_another_master_is_not_ours) {
   auto settings = one_seed();
   settings.eager = true;
   without_ids w(settings);
   const endpoint other{"10.7.0.1", 6379};
   const endpoint theirs{"10.7.0.2", 6379};
   w.at(theirs).role = "master";
   const auto select = [&](const endpoint& node, const endpoint& master) {
      w.publish(s2, "+new-epoch", "9");
      w.publish(s2, "+try-failover", about_master(master));
      w.publish(s2, "+selected-slave", about_replica(node, master));
      w.run_for(2ms);
   };
   select(theirs, other);
   EXPECT_LE(w.watched.hold_writes_until(), w.now);
   w.run_for(5s);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.dials[theirs], 0u);
   select(new_master, old_master);
   EXPECT_GT(w.watched.hold_writes_until(), w.now);
}

TEST(tracker_roster_without_ids, moved_sentinel_is_left_where_another_one_stands_now) {
   without_ids w(one_seed());
   w.set(s3, condition::refusing);
   w.run_for(1ms);
   w.set(s3, condition::working);  // of strangers, and dialled before anybody lists the other address
   w.name(s3, new_master, 9);
   w.run_for(15s);
   w.at(s4) = w.at(s2);
   for (const auto& s : {s1, s2}) {
      for (auto& other : w.at(s).others) {
         if (other.first == s3) other.first = s4;
      }
      w.publish(s, "+sentinel", "sentinel id 10.0.1.4 26379 @ mymaster 10.0.0.1 6379");
   }
   w.run_for(1s);
   EXPECT_EQ(w.connections(s3), 0u);
   EXPECT_EQ(w.connections(s4), 2u);
   w.set(s1, condition::refusing);
   w.run_for(15s);
   EXPECT_TRUE(w.targets(old_master));
}

// ---- a configured address that belongs to another deployment by now -----------------------------------------------

struct tracker_stray : ::testing::Test {
   // Its host is lost, and a Sentinel of the same master name has its address.
   void give_away(const endpoint& address) {
      w.set(address, condition::refusing);
      w.run_for(1ms);
      auto& s = w.at(address);
      s = {};
      s.id = "stranger";
      s.others = {{s4, "another-stranger"}};
      w.name(address, new_master, 9);
      w.at(s4) = s;
      w.at(s4).id = "another-stranger";
      w.at(s4).others = {{address, "stranger"}};
   }
   void stray() {
      w.start();
      give_away(s3);
      w.run_for(30s);
   }
   void expect_unmoved() {
      ASSERT_TRUE(w.targets(old_master));
      EXPECT_EQ(w.watched.target()->epoch, 5u);
   }
   deployment w;
};

TEST_F(tracker_stray, newer_epoch_moves_nobody) {
   stray();
   expect_unmoved();
   EXPECT_EQ(w.dials[s4], 0u);
   w.publish(s3, "+switch-master", switched(old_master, new_master));
   w.run_for(1ms);
   EXPECT_FALSE(w.watched.in_doubt());
   const auto down = w.told<event::sentinel_down>();
   ASSERT_FALSE(down.empty());
   EXPECT_NE(down.back().why.find("another deployment"), std::string::npos) << down.back().why;
}

TEST_F(tracker_stray, newer_epoch_moves_nobody_while_the_others_were_just_reset) {
   w.start();
   for (const auto& s : {s1, s2}) {
      w.at(s).others.clear();
      w.publish(s, "+reset-master", about_master(old_master));
   }
   give_away(s3);
   w.run_for(30s);
   expect_unmoved();
   EXPECT_EQ(w.dials[s4], 0u);
}

// Its deployment's hellos reach one of ours, or ours reach it: their names are the same.
TEST_F(tracker_stray, word_that_it_met_one_of_ours_gives_it_no_vote) {
   w.start();
   give_away(s3);
   ASSERT_TRUE(w.run_till([&] { return w.subscriptions(s3) == 1; }, 30s));
   const auto before = w.count(s3, "SENTINEL SENTINELS");
   w.publish(s3, "+sentinel", "sentinel id-of-10.0.1.1 10.0.1.1 26379 @ mymaster 10.0.0.1 6379");
   w.run_for(10ms);
   EXPECT_GT(w.count(s3, "SENTINEL SENTINELS"), before) << "it is asked whom it lists";
   w.run_for(10s);
   expect_unmoved();
}

TEST_F(tracker_stray, newer_epoch_moves_nobody_from_the_start) {
   give_away(s3);
   w.run_for(30s);
   expect_unmoved();
}

TEST_F(tracker_stray, subscription_to_it_spares_no_doubt) {
   stray();
   ASSERT_EQ(w.subscriptions(s3), 1u);
   w.cut_subscription(s1);
   w.run_for(1ms);
   EXPECT_FALSE(w.watched.in_doubt()) << "s2 would tell";
   w.set(s2, condition::stopped);
   w.set(s1, condition::stopped);
   w.cut_subscription(s2);
   w.run_for(1ms);
   EXPECT_TRUE(w.watched.in_doubt());
}

TEST_F(tracker_stray, reconnection_moves_nobody) {
   stray();
   for (int i = 0; i != 5; ++i) {
      w.cut(s3);
      w.run_for(15s);
      EXPECT_TRUE(w.targets(old_master));
   }
}

TEST_F(tracker_stray, moves_nobody_while_no_other_answers) {
   stray();
   for (const auto& s : {s1, s2}) w.set(s, condition::refusing);
   w.run_for(15s);
   w.cut(s3);
   w.run_for(15s);
   EXPECT_FALSE(w.watched.target());
   ASSERT_TRUE(w.watched.why_none());
   const auto causes = w.watched.why_none()->causes;
   EXPECT_TRUE(
      std::any_of(causes.begin(), causes.end(), [](const auto& c) { return c.find("another dep") != c.npos; }));
   for (const auto& s : {s1, s2}) w.set(s, condition::working);
   w.run_for(15s);
   expect_unmoved();
}

TEST_F(tracker_stray, moves_nobody_when_it_is_the_first_to_answer_after_an_outage) {
   w.start();
   w.run_for(1s);
   w.set_all(condition::refusing);
   w.run_for(120s);
   give_away(s3);
   w.run_for(10s);
   EXPECT_EQ(w.connections(s3), 2u);
   EXPECT_FALSE(w.watched.target());
   for (const auto& s : {s1, s2}) w.set(s, condition::working);
   w.run_for(15s);
   expect_unmoved();
}

TEST_F(tracker_stray, end_of_its_events_raises_no_doubt) {
   stray();
   ASSERT_EQ(w.subscriptions(s3), 1u);
   for (const auto& s : {s1, s2}) {
      w.at(s).tamper = [](std::string& reply, unsigned) {
         if (reply.find("\r\nsubscribe\r\n") != std::string::npos) reply = "-NOPERM no permissions\r\n";
      };
      w.cut_subscription(s);
   }
   w.run_for(10s);
   ASSERT_EQ(w.subscriptions(s1) + w.subscriptions(s2), 0u);
   ASSERT_FALSE(w.watched.in_doubt());
   ASSERT_TRUE(w.watched.target());
   w.cut_subscription(s3);
   w.run_for(1ms);
   EXPECT_FALSE(w.watched.in_doubt());
}

TEST_F(tracker_stray, rebuilt_one_is_none_where_a_learned_one_lists_it) {
   deployment d{with_seeds({s1, s2})};
   d.start();
   d.at(s2).id = "new-2";
   std::erase_if(d.at(s3).others, [](const auto& o) { return o.first == s2; });
   d.at(s3).others.emplace_back(s2, "new-2");
   d.cut(s2);
   d.run_for(15s);
   for (const auto& s : {s2, s3}) d.name(s, new_master, 6);  // s1 is cut off with the old master
   d.watched.ask(d.now);
   EXPECT_TRUE(d.finds(new_master, 1s));
}

TEST_F(tracker_stray, counts_when_the_others_have_been_gone_for_a_minute) {
   stray();
   for (const auto& s : {s1, s2}) w.set(s, condition::refusing);
   w.run_for(50s);
   EXPECT_FALSE(w.watched.target());
   w.run_for(20s);
   EXPECT_TRUE(w.targets(new_master));
   EXPECT_GT(w.dials[s4], 0u);
}

TEST_F(tracker_stray, counts_again_once_the_others_list_it) {
   stray();
   for (const auto& s : {s1, s2}) w.at(s).others.emplace_back(s3, "stranger");
   w.run_for(15s);
   EXPECT_TRUE(w.targets(new_master));
}

// ---- several behind one address -----------------------------------------------------------------------------------

struct tracker_balanced : ::testing::Test {
   tracker_balanced() {
      auto s = eager();
      s.sentinels = {balancer};
      w = std::make_unique<deployment>(s);
      w->at(balancer).behind = {s1, s2, s3};
      for (const auto& x : {s1, s2, s3}) w->at(x).replicas = {new_master};
      w->at(old_master).role = "master";
      w->at(new_master).role = "slave";
      w->run_for(3s);
   }
   std::unique_ptr<deployment> w;
};

TEST_F(tracker_balanced, each_sentinel_is_heard_at_its_own_address) {
   for (const auto& s : {s1, s2, s3}) EXPECT_GE(w->subscriptions(s), 1u) << to_string(s);
   EXPECT_EQ(w->watched.sentinels().size(), 4u);
   const auto links = w->watched.link_count();
   for (int i = 0; i != 5; ++i) {
      w->cut(s1);
      w->run_for(3s);
   }
   EXPECT_EQ(w->watched.link_count(), links);
}

TEST_F(tracker_balanced, selection_by_any_of_them_is_not_missed) {
   for (const auto& s : {s1, s2, s3}) {
      const auto epoch = w->watched.target()->epoch + 1;
      w->publish(s, "+new-epoch", std::to_string(epoch));
      w->publish(s, "+try-failover", about_master(old_master));
      w->publish(s, "+selected-slave", about_replica(new_master, old_master));
      w->run_for(5ms);
      EXPECT_GT(w->watched.hold_writes_until(), w->now) << to_string(s);
      w->publish(s, "-failover-abort-slave-timeout", about_master(old_master));
      w->run_for(10s);
   }
}

TEST_F(tracker_balanced, selection_heard_twice_is_withdrawn_by_either) {
   for (const auto& s : {s1, s2, s3}) {
      if (w->subscriptions(s) != 2) continue;  // the one behind the balancer
      w->publish(s, "+new-epoch", "6");
      w->publish(s, "+try-failover", about_master(old_master));
      w->publish(s, "+selected-slave", about_replica(new_master, old_master));
      w->run_for(50ms);
      w->at(new_master).role = "master";
      w->cut(new_master);
      ASSERT_TRUE(w->run_till([&] { return w->watched.is_provisional(); }, 1s));
      w->publish(s, "-failover-abort-slave-timeout", about_master(old_master));
      w->run_for(5ms);
      EXPECT_TRUE(w->targets(old_master));
      return;
   }
   FAIL() << "none is heard twice";
}

struct tracker_named_sentinel : ::testing::Test {
   tracker_named_sentinel() { w.at(name).behind = {s1}; }
   // This one has met the process that followed.
   void relist(const endpoint& by) {
      for (auto& [where, id] : w.at(by).others) id = where == s1 ? "new-1" : id;
   }
   const endpoint name{"sentinel-1", 26379};
   deployment w{with_seeds({name})};
};

// The news that the process before has ended comes later to one of the two connections.
TEST_F(tracker_named_sentinel, restart_as_another_one_needs_no_second_place) {
   w.start();
   w.at(s1).id = "new-1";
   for (const auto& s : {s2, s3}) relist(s);
   const auto answers = [&] {
      const auto up = w.told<event::sentinel_up>();
      return std::count_if(up.begin(), up.end(), [&](const auto& e) { return e.sentinel == name; });
   };
   const auto before = answers();
   w.cut_questions(s1);
   ASSERT_TRUE(w.run_till([&] { return answers() != before; }, 5s));
   w.cut_subscription(s1);
   w.run_for(30s);
   EXPECT_EQ(w.connections(s1), 2u);
}

// Two Sentinels list its address, one of them still with the id of the process before.
TEST_F(tracker_named_sentinel, stale_id_at_its_address_is_not_dialled_without_a_pause) {
   w.at(s1).id = "new-1";
   relist(s2);
   w.run_for(1s);
   EXPECT_LE(w.dials[s1], 10U);
   EXPECT_EQ(w.connections(s1), 2u);
   relist(s3);
   w.run_for(30s);
   EXPECT_EQ(w.watched.sentinels(), (std::vector<endpoint>{name, s2, s3}));
   EXPECT_EQ(w.connections(s1), 2u);
}

TEST(tracker_unreachable, sentinels_without_a_reachable_address_are_heard_by_the_given) {
   deployment w(with_seeds({balancer}));
   w.at(balancer).behind = {s1, s2, s3};
   for (const auto& s : {s1, s2, s3}) {
      for (auto& [where, id] : w.at(s).others) {
         where.host = "192.168.0." + where.host.substr(7);
         w.at(where).is = condition::vanished;
      }
   }
   w.run_for(60s);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_LE(w.told<event::sentinel_down>().size(), 3u);
   w.name_by_all(new_master, 6);
   for (const auto& s : {s1, s2, s3}) w.publish(s, "+switch-master", switched(old_master, new_master));
   EXPECT_TRUE(w.finds(new_master, 100ms));
}

TEST_F(tracker_balanced, two_answers_of_one_sentinel_are_one_vote) {
   w->name(s1, new_master, 6);  // also behind the balancer, which is configured
   w->run_for(1s);
   w->watched.ask(w->now);
   w->run_for(1s);
   EXPECT_TRUE(w->targets(new_master));
}

}  // namespace
}  // namespace holdfast::impl::tracker_roster_test

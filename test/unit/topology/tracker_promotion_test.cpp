// Eager cutover: a node that a Sentinel has selected is believed by its own word. The times are those of a failover
// with down-after 1 s.
#include "unit/topology/promotion.hpp"

#include <ostream>

namespace holdfast::impl::tracker_promotion_test {
namespace {

using namespace test;

TEST_F(promotion_world, selected_node_is_believed_soon_after_its_connection_ends) {
   selected();
   w.run_for(70ms);
   promoted(new_master);
   const auto at = w.now;
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_LE(w.now - at, 3ms) << "the end, the connect, HELLO";
   EXPECT_EQ(*w.watched.target(), (master_node{new_master, 6, 2}));
   EXPECT_TRUE(w.watched.is_provisional());
   w.carry_out();
   EXPECT_TRUE(w.told<event::master_named>().back().provisional);
   EXPECT_TRUE(w.told<event::stale_answer>().empty());
}

TEST_F(promotion_world, promoted_node_is_confirmed_when_a_sentinel_names_it) {
   promoted_and_believed();
   w.name(s1, new_master, 6);
   w.publish(s1, "+promoted-slave", about_replica(new_master, old_master));
   w.run_for(5ms);
   EXPECT_FALSE(w.watched.is_provisional());
   EXPECT_EQ(*w.watched.target(), (master_node{new_master, 6, 2}));
   EXPECT_EQ(w.told<event::master_confirmed>().size(), 1U);
   w.name_by_all(new_master, 6);
   w.run_for(60s);
   EXPECT_EQ(*w.watched.target(), (master_node{new_master, 6, 2}));
   EXPECT_EQ(w.told<event::master_named>().size(), 2U);
}

TEST_F(promotion_world, node_without_a_warm_connection_is_asked_until_promoted) {
   auto s = eager();
   s.warm = false;
   deployment cold(s);
   set_up(cold);
   EXPECT_EQ(cold.dials[new_master], 0U);
   EXPECT_EQ(cold.count(s1, "SENTINEL REPLICAS"), 0U);
   try_failover(cold, s1, 6);
   select(cold, s1, new_master);
   cold.run_for(70ms);
   cold.at(new_master).role = "master";
   const auto at = cold.now;
   ASSERT_TRUE(cold.finds(new_master));
   EXPECT_LE(cold.now - at, 252ms);
}

TEST_F(promotion_world, node_that_says_master_and_was_not_selected_is_not_believed) {
   promoted(third);
   w.run_for(30s);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.told<event::master_named>().size(), 1U);
   selected(6);
   w.run_for(5s);
   EXPECT_TRUE(w.targets(old_master)) << "the one that was selected says that it is a slave";
}

TEST_F(promotion_world, unselected_node_that_says_master_makes_sentinels_be_asked) {
   w.run_for(2s);
   const auto before = w.count(s2, "SENTINEL MASTER");
   promoted(third);
   w.run_for(200ms);
   EXPECT_GT(w.count(s2, "SENTINEL MASTER"), before);
}

TEST_F(promotion_world, selection_without_its_epoch_is_not_believed) {
   w.publish(s1, "+try-failover", about_master(old_master));
   selects(s1, new_master);
   expect_not_believed(new_master);
   EXPECT_FALSE(holds());
}

TEST_F(promotion_world, epoch_is_that_of_the_same_subscription) {
   w.publish(s2, "+new-epoch", "6");
   w.publish(s1, "+try-failover", about_master(old_master));
   selects(s1, new_master);
   expect_not_believed(new_master);
}

TEST_F(promotion_world, epoch_announced_after_the_try_belongs_to_another_master) {
   tries(s1, 6);
   w.publish(s1, "+new-epoch", "9");
   selects(s1, new_master);
   promoted(new_master);
   w.run_for(10ms);
   EXPECT_EQ(w.watched.target()->epoch, 6U);
}

TEST_F(promotion_world, old_epoch_is_not_believed) {
   selected(5);
   expect_not_believed(new_master);
}

TEST_F(promotion_world, in_confirmed_mode_the_sentinels_are_waited_for) {
   deployment confirmed(three_sentinels());
   set_up(confirmed);
   try_failover(confirmed, s1, 6);
   select(confirmed, s1, new_master);
   confirmed.at(new_master).role = "master";
   confirmed.run_for(1s);
   EXPECT_TRUE(confirmed.targets(old_master));
   EXPECT_EQ(confirmed.dials[new_master], 0U);
   EXPECT_LE(confirmed.watched.hold_writes_until(), confirmed.now);
}

TEST_F(promotion_world, candidate_that_is_never_promoted_is_asked_in_measure) {
   selected();
   w.run_for(2s);
   const auto before = w.count(new_master, "HELLO");
   w.run_for(60s);
   const auto asked = w.count(new_master, "HELLO") - before;
   EXPECT_GE(asked, 60U);
   EXPECT_LE(asked, 60U * 3);
}

TEST_F(promotion_world, candidate_that_is_out_of_reach_is_dialled_in_measure) {
   w.set(new_master, condition::refusing);
   selected();
   w.run_for(2s);
   const auto before = w.dials[new_master];
   w.run_for(10s);
   EXPECT_LE(w.dials[new_master] - before, 120U);
   w.set(new_master, condition::working);
   promoted(new_master);
   EXPECT_TRUE(w.finds(new_master, 1s));
}

// ---- the hold -----------------------------------------------------------------------------------------------------

TEST_F(promotion_world, writes_are_held_from_the_selection_to_the_promotion) {
   EXPECT_FALSE(holds());
   selected();
   EXPECT_TRUE(holds());
   w.run_for(70ms);
   EXPECT_TRUE(holds());
   promoted(new_master);
   ASSERT_TRUE(w.finds(new_master));
   EXPECT_FALSE(holds());
}

TEST_F(promotion_world, writes_are_held_no_longer_than_a_quarter_of_a_second) {
   selected();
   w.run_for(251ms);
   EXPECT_FALSE(holds());
}

// World 6992: "+promoted-slave" has raised a doubt in vain, so that "+switch-master" raises none.
TEST_F(promotion_world, writes_are_held_when_the_failover_ends_before_an_answer_tells) {
   selected();
   w.run_for(70ms);
   w.publish(s1, "+promoted-slave", about_replica(new_master, old_master));
   w.run_for(70ms);
   w.publish(s1, "+failover-end", about_master(old_master));
   w.run_for(10ms);
   EXPECT_TRUE(holds());
   promoted(new_master);
   EXPECT_TRUE(w.finds(new_master)) << "it is a candidate still";
}

TEST_F(promotion_world, sentinel_that_selects_in_vain_does_not_hold_again_at_once) {
   for (std::uint64_t epoch = 6; epoch < 12; ++epoch) {
      selected(epoch);
      EXPECT_EQ(holds(), epoch == 6) << epoch;
      w.run_for(300ms);
   }
   w.run_for(5s);
   selected(12);
   EXPECT_TRUE(holds());
}

TEST_F(promotion_world, selection_that_came_true_leaves_the_next_one_its_hold) {
   promoted_and_believed();
   selected(7, s1, third);
   EXPECT_TRUE(holds());
}

TEST_F(promotion_world, selection_that_was_confirmed_leaves_the_next_one_its_hold) {
   selected();
   w.name_by_all(new_master, 6);
   w.publish(s1, "+promoted-slave", about_replica(new_master, old_master));
   ASSERT_TRUE(w.finds(new_master, 100ms));
   ASSERT_FALSE(w.watched.is_provisional());
   selected(7, s1, third);
   EXPECT_TRUE(holds());
}

// The end of a connection that had lasted is answered by a dial at once, also where it is time that ends it.
TEST_F(promotion_world, candidate_that_falls_silent_is_dialled_in_the_same_tick) {
   w.set(new_master, condition::stopped);
   selected();
   for (const auto end = w.now + 3s; w.now < end;) {
      w.now = std::max(w.now, w.watched.next_deadline());
      w.watched.tick(w.now);
      ASSERT_GT(w.watched.next_deadline(), w.now);
   }
}

TEST_F(promotion_world, hold_outlives_a_belief_that_is_older) {
   selected(8, s1, third);
   EXPECT_TRUE(holds());
   w.name(s2, new_master, 6);
   w.watched.ask(w.now);
   w.run_for(2ms);
   EXPECT_TRUE(w.targets(new_master));
   EXPECT_TRUE(holds()) << "the next one is about to be promoted";
   expect_believed(third);
}

// Found by the simulator: two failovers that choose the same node, the first of them given up.
TEST_F(promotion_world, selection_of_a_provisional_one_holds_once_that_is_withdrawn) {
   promoted_and_believed();
   selected(7, s2);
   EXPECT_FALSE(holds());
   w.at(new_master).role = "slave";
   w.watched.role_refused(new_master, "slave", w.now);
   ASSERT_TRUE(w.finds(old_master, 100ms));
   EXPECT_TRUE(holds());
   expect_believed(new_master);
   EXPECT_EQ(w.watched.target()->epoch, 7U);
   EXPECT_FALSE(holds());
}

TEST_F(promotion_world, huge_epoch_of_one_sentinel_shuts_out_no_other_selection) {
   selected(18446744073709551615U, s3, third);
   selected(6);
   expect_believed(new_master);
   EXPECT_EQ(w.watched.target()->epoch, 6U);
}

TEST_F(promotion_world, master_itself_is_no_candidate) {
   selected(6, s1, old_master);
   w.run_for(100ms);
   EXPECT_FALSE(w.watched.is_provisional());
   EXPECT_FALSE(holds());
   EXPECT_EQ(w.dials[old_master], 0U);
}

TEST_F(promotion_world, late_end_of_the_selected_nodes_connection_holds_once_more) {
   selected();
   w.run_for(400ms);
   EXPECT_FALSE(holds());
   w.set(new_master, condition::stopped);
   w.cut(new_master);
   w.run_for(1ms);
   EXPECT_TRUE(holds());
   w.run_for(60ms);
   EXPECT_FALSE(holds());
   w.cut(new_master);
   w.run_for(1ms);
   EXPECT_FALSE(holds());
}

// What is told of the node that was selected, or of the Sentinel that has selected it, before the promotion.
struct meanwhile {
   const char* what;
   void (*happens)(deployment&);
   bool ends;  // the candidate, and the hold for it
   friend void PrintTo(const meanwhile& m, std::ostream* out) { *out << m.what; }
};
struct candidate : promotion_world, testing::WithParamInterface<meanwhile> {};

TEST_P(candidate, ends_where_it_will_not_be_promoted_or_nobody_would_tell) {
   selected();
   GetParam().happens(w);
   w.run_for(2ms);
   EXPECT_EQ(holds(), !GetParam().ends);
   GetParam().ends ? expect_not_believed(new_master) : expect_believed(new_master);
}

INSTANTIATE_TEST_SUITE_P(
   told, candidate,
   testing::Values(
      meanwhile{"abort",
                [](deployment& w) { w.publish(s1, "-failover-abort-slave-timeout", about_master(old_master)); }, true},
      // Two Sentinels led at once. The one that lost takes the other's master: what it had selected is a replica again,
      // and may be made a master by hand at any time later.
      meanwhile{"switch to another node",
                [](deployment& w) { w.publish(s1, "+switch-master", switched(old_master, third)); }, true},
      meanwhile{"switch to the selected node",
                [](deployment& w) { w.publish(s1, "+switch-master", switched(old_master, new_master)); }, false},
      meanwhile{"restart of servers",
                [](deployment& w) {
                   w.publish(s1, "+reboot", about_replica(third, old_master));
                   w.publish(s1, "+reboot", about_master(old_master));
                },
                false},
      meanwhile{"loss of the subscription", [](deployment& w) { w.set(s1, condition::refusing); }, true},
      // It has died: the other end is under way.
      meanwhile{"end of its questions", [](deployment& w) { w.cut_questions(s1); }, true},
      meanwhile{"end of another's questions", [](deployment& w) { w.cut_questions(s2); }, false},
      meanwhile{"new settings", [](deployment& w) { w.publish(s1, "+set", about_master(old_master) + " quorum 3"); },
                false},
      meanwhile{"reset", [](deployment& w) { w.publish(s1, "+reset-master", about_master(old_master)); }, true}));

// Each Sentinel lists one replica.
struct one_replica : deployment {
   explicit one_replica(std::vector<endpoint> seeds = {s1, s2, s3})
      : deployment(with_seeds(std::move(seeds), eager())) {
      with_one_replica(*this);
   }
   void settle() {
      start();
      run_for(1s);
   }
   void fail_over(const endpoint& leader) {
      try_failover(*this, leader, 6);
      select(*this, leader, new_master);
   }
   void meets_s2(const endpoint& sentinel) {
      publish(sentinel, "+sentinel", "sentinel id-of-10.0.1.2 10.0.1.2 26379 @ mymaster 10.0.0.1 6379");
   }
   bool holds() const { return now < watched.hold_writes_until(); }
};

// SENTINEL RESET has emptied all lists, and each hears of the same Sentinel at once.
TEST(promotion_after_reset, candidate_stays_while_the_lists_come_one_by_one) {
   one_replica w;
   for (const auto& s : {s1, s2, s3}) w.at(s).others.clear();
   w.settle();
   w.fail_over(s3);
   w.at(s1).others = w.at(s3).others = {{s2, "id-of-10.0.1.2"}};
   w.at(s3).delay = 1ms;
   for (const auto& s : {s1, s3}) w.meets_s2(s);
   w.run_for(2ms);
   for (int i = 0; i != 100; ++i) {
      ASSERT_TRUE(w.holds());
      w.run_for(1ms);
   }
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
}

// World 713413: the only one that lists the leader is replaced, and so was reset.
TEST(promotion_after_reset, learned_leader_is_heard_while_its_lister_fills_its_list) {
   one_replica w({s1, s2});
   std::erase_if(w.at(s2).others, [](const auto& o) { return o.first == s3; });
   w.settle();
   w.at(s1).others.clear();
   w.publish(s1, "+reset-master", about_master(old_master));
   w.run_for(10ms);
   w.fail_over(s3);
   w.run_for(50ms);
   EXPECT_TRUE(w.holds());
}

// World 428658: a configured Sentinel is built anew, and leads before the others have listed its new id. A client that
// begins then has never seen the one before it.
TEST(promotion_of_a_stray, failover_is_known_once_the_leader_meets_the_others) {
   one_replica w;
   w.at(s1).id = "rebuilt";
   w.at(s1).others.clear();
   w.settle();
   try_failover(w, s1, 6);
   w.at(s1).others = {{s2, "id-of-10.0.1.2"}};
   w.meets_s2(s1);
   w.run_for(300ms);
   select(w, s1, new_master);
   w.run_for(1ms);
   EXPECT_TRUE(w.holds());
}

// World 51984 of moved, replaced, planned and kill: the only configured Sentinel is built anew, and lists nobody yet.
TEST(promotion_of_a_stray, learned_leader_is_heard_while_its_lister_is_built_anew) {
   one_replica w({s1});
   w.settle();
   w.at(s1).id = "rebuilt";
   w.at(s1).others.clear();
   w.cut(s1);
   ASSERT_TRUE(w.run_till([&] { return w.subscriptions(s1) == 1; }, 5s));
   w.run_for(5ms);
   w.fail_over(s3);
   w.run_for(1ms);
   EXPECT_TRUE(w.holds());
}

// The address of s2 is another deployment's by now, and the old connection to the Sentinel of before still stands.
TEST_F(promotion_world, selection_heard_from_another_than_answers_is_of_our_master) {
   const endpoint stranger{"10.0.1.9", 26379};
   const endpoint theirs{"10.7.0.2", 6379};
   w.at(stranger).id = "stranger";
   w.at(s2).behind = {stranger};
   w.cut_subscription(s2);
   ASSERT_TRUE(w.run_till([&] { return w.subscriptions(stranger) == 1; }, 5s));
   w.run_for(100ms);
   tries(stranger, 1001);
   w.publish(stranger, "+selected-slave", about_replica(theirs, {"10.7.0.1", 6379}));
   w.run_for(1ms);
   EXPECT_FALSE(holds());
   EXPECT_EQ(w.dials[theirs], 0U);
   selects(stranger, new_master);  // and so it may be one of several behind that address
   EXPECT_TRUE(holds());
}

}  // namespace
}  // namespace holdfast::impl::tracker_promotion_test

// The promotion by itself: Sentinels are numbers, and nodes say what they say. How it fares in a deployment:
// tracker_promotion_test.cpp and tracker_provisional_test.cpp.
#include "topology/sentinel/promotion.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::promotion_test {
namespace {

using namespace std::chrono_literals;
using state = promotion::state;

const master_node old_master{{"10.0.0.1", 6379}, 5};
const endpoint node{"10.0.0.2", 6379};
const endpoint other{"10.0.0.3", 6379};

class promotion_test : public testing::Test {
 protected:
   promotion_test() { settings.eager = true; }

   sentinel_settings settings;
   promotion p{settings};
   rounds asked;
   time_point now = time_point{} + 1h;

   void select(std::size_t by, const endpoint& where = node, std::uint64_t epoch = 6, const std::string& id = {}) {
      p.on_announced(by, {.kind = hint_kind::new_epoch, .epoch = epoch});
      p.on_announced(by, {.kind = hint_kind::tries});
      p.on_selected(by, id, where, old_master.epoch, now);
   }
   std::vector<endpoint> candidates() { return p.candidates(old_master, now); }
   time_point held_until() { return candidates(), p.deadline(); }
   // It is selected, and says that it is a master.
   void believe(std::size_t by = 0, const std::string& id = {}) {
      select(by, node, 6, id);
      p.believe({node, 6}, old_master, *p.claim_of(node, old_master.epoch));
   }
};

TEST_F(promotion_test, selection_holds_writes_for_a_while) {
   select(0);
   EXPECT_EQ(candidates(), std::vector{node});
   EXPECT_EQ(p.hold_until(), now + settings.hold_on_selected);
   EXPECT_EQ(p.deadline(), p.hold_until());
   now = p.hold_until();
   EXPECT_EQ(candidates(), std::vector{node});
   EXPECT_EQ(p.deadline(), never);
}

TEST_F(promotion_test, selection_of_an_old_or_unknown_epoch_is_none) {
   p.on_selected(0, {}, node, old_master.epoch, now);
   select(1, node, 5);
   p.on_announced(2, {.kind = hint_kind::new_epoch, .epoch = 6});  // and no try
   p.on_selected(2, {}, node, old_master.epoch, now);
   EXPECT_TRUE(candidates().empty());
   EXPECT_FALSE(p.claim_of(node, old_master.epoch));
}

TEST_F(promotion_test, vain_selection_lets_the_next_ones_hold_nothing) {
   select(0);
   p.drop_candidate(0);
   now += settings.hold_on_selected + settings.hold_pause - 1ms;
   select(0, node, 7);
   EXPECT_EQ(held_until(), never);
   select(1, node, 7);
   EXPECT_NE(held_until(), never) << "another Sentinel's";
   now += 1ms;
   select(0, other, 8);
   EXPECT_EQ(held_until(), now + settings.hold_on_selected);
}

TEST_F(promotion_test, end_of_the_nodes_connection_extends_the_hold_once) {
   select(0);
   now += settings.hold_on_selected;
   p.extend_holds(other, now);
   EXPECT_EQ(held_until(), never);
   for (int i = 0; i != 2; ++i) {
      p.extend_holds(node, now + i * 1ms);
      EXPECT_EQ(held_until(), now + settings.hold_extension);
   }
}

TEST_F(promotion_test, newest_claim_is_the_one_that_counts) {
   select(0, node, 6, "id-0");
   select(2, node, 7, "id-2");
   select(3, other, 9);
   const auto c = p.claim_of(node, old_master.epoch);
   ASSERT_TRUE(c);
   EXPECT_EQ(c->by, 2u);
   EXPECT_EQ(c->id, "id-2");
   EXPECT_EQ(c->epoch, 7u);
   EXPECT_FALSE(p.claim_of(node, 7)) << "nothing newer than what is believed";
}

TEST_F(promotion_test, candidate_goes_with_the_connections_to_its_sentinel) {
   select(0, node, 6, "id");
   select(1, other, 6, "id");
   select(2, other, 6);
   p.on_disconnected(0, "id");
   EXPECT_EQ(candidates(), std::vector{other}) << "of the one without an id";
   p.on_disconnected(1, "id");
   EXPECT_EQ(candidates().size(), 1u);
   p.on_disconnected(2, "id");
   EXPECT_TRUE(candidates().empty());
}

TEST_F(promotion_test, switch_to_another_node_ends_the_candidate) {
   select(0);
   p.on_switched(0, node);
   EXPECT_EQ(candidates(), std::vector{node});
   p.on_switched(0, other);
   EXPECT_TRUE(candidates().empty());
}

TEST_F(promotion_test, sentinel_that_names_it_confirms) {
   believe();
   EXPECT_TRUE(p.is_provisional());
   EXPECT_EQ(p.before(), old_master);
   EXPECT_FALSE(p.confirm(node, std::vector<sentinel_vote>{{.where = old_master.where, .epoch = 5}}));
   EXPECT_FALSE(p.confirm(node, std::vector<sentinel_vote>{{.where = node, .epoch = 4}}));
   EXPECT_EQ(p.confirm(node, std::vector<sentinel_vote>{{.where = node, .epoch = 6}, {.where = node, .epoch = 7}}), 7u);
   EXPECT_FALSE(p.is_provisional());
   EXPECT_FALSE(p.confirm(node, std::vector<sentinel_vote>{{.where = node, .epoch = 8}})) << "once";
}

TEST_F(promotion_test, belief_drops_candidates_that_are_not_newer) {
   select(1, other, 6);
   select(2, other, 7);
   believe();
   EXPECT_EQ(p.candidates(master_node{node, 6}, now), std::vector{other});
   p.believe_named({node, 7});
   EXPECT_TRUE(p.candidates(master_node{node, 7}, now).empty());
}

TEST_F(promotion_test, selection_that_came_true_may_hold_again) {
   believe();
   select(0, other, 7);
   p.candidates(master_node{node, 6}, now);
   EXPECT_EQ(p.deadline(), now + settings.hold_on_selected);
}

TEST_F(promotion_test, pause_ends_once_that_failover_or_a_newer_one_is_believed) {
   for (const auto& believed : {master_node{node, 6}, master_node{other, 7}}) {
      promotion fresh{settings};
      std::swap(p, fresh);
      select(0);
      p.on_unsubscribed(0);
      p.believe_named({other, 5});
      select(0, other, 7);
      EXPECT_EQ(held_until(), never) << "that is an older one";
      p.believe_named(believed);
      select(0, other, 8);
      EXPECT_EQ(held_until(), now + settings.hold_on_selected);
   }
}

TEST_F(promotion_test, switch_that_no_answer_confirms_lets_nothing_be_held_again) {
   select(0);
   p.on_switched(0, node);
   now += settings.hold_on_selected;
   select(0, other, 7);
   EXPECT_EQ(held_until(), never);
}

TEST_F(promotion_test, vain_selection_is_that_sentinels_and_not_its_places) {
   select(0, node, 6, "id");
   p.drop_candidate(0);
   now += settings.hold_on_selected;
   select(1, node, 7, "id");
   EXPECT_EQ(held_until(), never) << "the same one, by another address";
   select(0, node, 7, "another");
   EXPECT_EQ(held_until(), now + settings.hold_on_selected) << "another one, by the same address";
   now = p.deadline();
   select(1, node, 8, "id");
   EXPECT_EQ(held_until(), never) << "it pauses still";
}

TEST_F(promotion_test, changing_ids_hold_at_most_twice_by_place_and_eight_in_all) {
   for (const std::uint64_t places : {1u, 20u}) {
      promotion fresh{settings};
      std::swap(p, fresh);
      unsigned held = 0;
      for (std::uint64_t n = 0; n != 20; ++n, now += settings.hold_on_selected) {
         select(n % places, node, 6 + n, "id-" + std::to_string(n));
         candidates();
         held += p.deadline() != never;
      }
      EXPECT_EQ(held, places == 1 ? 2u : 8u);
   }
}

TEST_F(promotion_test, hold_goes_on_where_another_address_tells_of_it_later) {
   select(0, node, 6, "id");
   const time_point until = p.candidates(old_master, now).empty() ? never : p.hold_until();
   p.on_unsubscribed(0);
   EXPECT_EQ(held_until(), never);
   now += 10ms;
   select(1, node, 6, "id");
   EXPECT_EQ(held_until(), until);
}

TEST_F(promotion_test, pause_without_an_id_goes_with_its_place) {
   select(0);
   p.on_forgotten(0);
   select(0, node, 7, "another");
   EXPECT_EQ(held_until(), now + settings.hold_on_selected);
}

TEST_F(promotion_test, selection_is_held_as_long_by_any_address_of_its_sentinel) {
   select(0, node, 6, "id");
   const time_point until = now + settings.hold_on_selected;
   now += 10ms;
   select(1, node, 6, "id");
   p.drop_candidate(0);
   EXPECT_EQ(held_until(), until);
   p.extend_holds(node, until);
   EXPECT_EQ(held_until(), until + settings.hold_extension);
}

TEST_F(promotion_test, only_who_selected_it_can_give_it_up) {
   believe(0, "id");
   select(1, node, 6);
   EXPECT_FALSE(p.on_aborted(1, "", 6)) << "another Sentinel's";
   select(2, node, 7, "id");
   EXPECT_FALSE(p.on_aborted(2, "id", 6)) << "another failover of its";
   EXPECT_TRUE(p.on_aborted(0, "", 6));
   select(2, node, 6, "id");
   EXPECT_TRUE(p.on_aborted(2, "id", 6)) << "it can be reached at two addresses";
   select(0, other, 6, "another");
   EXPECT_FALSE(p.on_aborted(0, "another", 6)) << "its name, or its balancer, leads to another one now";
   p.on_unsubscribed(0);
   EXPECT_TRUE(p.on_aborted(0, "", 6)) << "which one is unknown";
   p.on_forgotten(0);
   EXPECT_FALSE(p.on_aborted(0, "", 6)) << "the number is another one's now";
}

TEST_F(promotion_test, denial_waits_for_one_more_answer) {
   p.on_denied(asked.begin(now));
   EXPECT_EQ(p.now(), state::named) << "nothing is provisional";
   believe();
   p.on_denied(asked.begin(now += 1ms));
   EXPECT_EQ(p.now(), state::denied);
   EXPECT_FALSE(p.denial_is_answered(asked));
   asked.finish(asked.last());
   EXPECT_TRUE(p.denial_is_answered(asked));
   EXPECT_FALSE(p.denial_is_answered(asked));
   EXPECT_TRUE(p.is_provisional());
   p.on_denied(asked.last());
   p.on_verified();
   EXPECT_FALSE(p.denial_is_answered(asked));
}

}  // namespace
}  // namespace holdfast::impl::promotion_test

// The rules of belief as a table: what is believed, what is in hand, what follows.
#include "topology/sentinel/belief.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::impl::belief_test {
namespace {

const endpoint a{"10.0.0.1", 6379};
const endpoint b{"10.0.0.2", 6379};
const endpoint c{"10.0.0.3", 6379};
constexpr bool again = true;  // the second time that this Sentinel says so

struct row {
   const char* rule;
   std::optional<master_node> believed;
   std::vector<sentinel_vote> in_hand;
   master_choice expected;
};

const std::vector<row>& table() {
   static const std::optional<master_node> nothing;
   static const std::optional<master_node> a5 = master_node{a, 5, 0};
   static const std::vector<row> rows{
      {"nobody says anything", a5, {}, {}},
      {"one reachable Sentinel suffices", nothing, {{a, 0}}, {belief_change::adopt, a, 0}},
      {"the newest epoch wins against a majority", nothing, {{a, 4}, {b, 5}, {a, 4}}, {belief_change::adopt, b, 5}},
      {"a tie of epochs goes to the majority", nothing, {{a, 5}, {b, 5}, {b, 5}}, {belief_change::adopt, b, 5}},
      {"only those with the newest epoch vote", nothing, {{a, 5}, {b, 4}, {b, 4}}, {belief_change::adopt, a, 5}},
      {"a tie of both goes to the first", nothing, {{a, 5}, {b, 5}}, {belief_change::adopt, a, 5}},

      {"the same again", a5, {{a, 5}, {a, 5}, {a, 5}}, {belief_change::keep, a, 5}},
      {"a newer epoch is believed at once", a5, {{a, 5}, {b, 6}, {a, 5}}, {belief_change::adopt, b, 6}},
      {"a newer epoch with the same address", a5, {{a, 6}}, {belief_change::adopt, a, 6}},
      {"the newest of two newer ones", a5, {{b, 6}, {c, 7}}, {belief_change::adopt, c, 7}},

      {"another address for the first time", a5, {{b, 5}}, {belief_change::ask_again, a, 5}},
      {"another address, said again by the only one", a5, {{b, 5, again}}, {belief_change::adopt, b, 5}},
      {"another address, said again by a minority", a5, {{b, 5, again}, {a, 5}, {a, 5}}, {belief_change::keep, a, 5}},
      {"another address, said again by half", a5, {{b, 5, again}, {a, 5}}, {belief_change::keep, a, 5}},
      {"said again by a majority", a5, {{b, 5, again}, {b, 5, again}, {a, 5}}, {belief_change::adopt, b, 5}},
      {"a majority, but half of it new", a5, {{b, 5, again}, {b, 5}, {a, 5}}, {belief_change::ask_again, a, 5}},
      {"two others and no majority", a5, {{b, 5, again}, {c, 5, again}, {a, 5}}, {belief_change::keep, a, 5}},
      {"older answers don't vote", a5, {{b, 5, again}, {a, 4}, {a, 4}}, {belief_change::adopt, b, 5}},

      {"an older epoch", a5, {{b, 4}}, {belief_change::keep, a, 5}},
      {"an older epoch, however many say so", a5, {{b, 4, again}, {b, 4, again}}, {belief_change::keep, a, 5}},
   };
   return rows;
}

TEST(belief, follows_its_table) {
   for (const auto& r : table()) {
      SCOPED_TRACE(r.rule);
      EXPECT_EQ(choose_master(r.believed ? &*r.believed : nullptr, r.in_hand), r.expected);
   }
}

TEST(belief, never_goes_back_to_an_older_epoch) {
   // The whole product of three Sentinels, each naming one of two nodes at one of four epochs, once or again.
   const master_node believed{a, 2, 0};
   std::vector<sentinel_vote> one;
   for (std::uint64_t epoch = 0; epoch != 4; ++epoch) {
      for (const auto& where : {a, b}) {
         for (const bool repeated : {false, true}) one.push_back({where, epoch, repeated});
      }
   }
   for (const auto& x : one) {
      for (const auto& y : one) {
         for (const auto& z : one) {
            const sentinel_vote hand[] = {x, y, z};
            const auto choice = choose_master(&believed, hand);
            ASSERT_GE(choice.epoch, believed.epoch);
            const auto newest = std::max({x.epoch, y.epoch, z.epoch});
            ASSERT_EQ(choice.epoch, std::max(newest, believed.epoch));
            if (newest > believed.epoch) {
               ASSERT_EQ(choice.what, belief_change::adopt);
            }
            if (newest < believed.epoch) {
               ASSERT_EQ(choice.what, belief_change::keep);
            }
         }
      }
   }
}

struct agreement_row {
   const char* rule;
   std::vector<sentinel_vote> in_hand;
   std::size_t known;
   bool agreed;
};

TEST(belief, older_lineage_needs_all_in_hand_and_a_majority_of_the_known) {
   const master_node believed{a, 5, 0};
   const std::vector<agreement_row> rows{
      {"nobody", {}, 3, false},
      {"all three", {{b, 1}, {b, 1}, {b, 1}}, 3, true},
      {"two of three, the third is away", {{b, 1}, {b, 1}}, 3, true},
      {"one of three", {{b, 1}}, 3, false},
      {"half", {{b, 1}, {b, 1}}, 4, false},
      {"the only one", {{b, 1}}, 1, true},
      {"one still knows what is believed", {{b, 1}, {b, 1}, {a, 5}}, 3, false},
      {"different addresses", {{b, 1}, {b, 1}, {c, 1}}, 3, false},
      {"different epochs", {{b, 1}, {b, 1}, {b, 2}}, 3, false},
      {"the epoch that is believed", {{b, 5}, {b, 5}, {b, 5}}, 3, false},
      {"the node that is believed", {{a, 0}, {a, 0}, {a, 0}}, 3, true},
   };
   for (const auto& r : rows) {
      SCOPED_TRACE(r.rule);
      const auto agreed = agreed_older(believed, r.in_hand, r.known);
      EXPECT_EQ(agreed.has_value(), r.agreed);
      if (agreed) {
         EXPECT_EQ(agreed->where, r.in_hand[0].where);
      }
   }
}

}  // namespace
}  // namespace holdfast::impl::belief_test

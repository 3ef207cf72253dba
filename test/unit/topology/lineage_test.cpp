#include "topology/sentinel/lineage.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::lineage_test {
namespace {

using namespace std::chrono_literals;
using state = lineage::state;

const endpoint believed{"10.0.0.1", 6379};
const endpoint other{"10.0.0.2", 6379};

class lineage_test : public testing::Test {
 protected:
   sentinel_settings settings;
   lineage l{settings};
   rounds asked;
   time_point now = time_point{} + 1h;

   bool agree(const endpoint& where, std::uint64_t epoch = 1) {
      return l.on_votes(sentinel_vote{.where = where, .epoch = epoch}, now);
   }
   // All have agreed for long, and have answered once more.
   bool answer(const endpoint& where, bool is_provisional = false) {
      agree(where);
      now += settings.agree_for;
      EXPECT_GE(now, l.deadline());
      l.on_asked(asked.begin(now));
      EXPECT_FALSE(l.on_answered(asked, believed, is_provisional, now)) << "not answered yet";
      asked.finish(asked.last());
      return l.on_answered(asked, believed, is_provisional, now);
   }
};

TEST_F(lineage_test, agreement_that_lasts_is_offered) {
   EXPECT_TRUE(agree(other));
   EXPECT_FALSE(agree(other)) << "no new one";
   EXPECT_EQ(l.deadline(), now + settings.agree_for);
   EXPECT_FALSE(answer(other));
   ASSERT_NE(l.offered(), nullptr);
   EXPECT_EQ(l.offered()->where, other);
   EXPECT_FALSE(l.on_verified(believed, 1));
   EXPECT_FALSE(l.on_verified(other, 2)) << "another epoch";
   EXPECT_TRUE(l.on_verified(other, 1));
   l.end();
   EXPECT_EQ(l.now(), state::none);
}

TEST_F(lineage_test, verified_master_is_accepted_at_once) {
   l.on_verified(believed, 5);
   EXPECT_TRUE(answer(believed));
}

TEST_F(lineage_test, verified_master_that_was_refused_since_is_offered) {
   l.on_verified(believed, 5);
   l.on_refused(believed, now);
   EXPECT_FALSE(answer(believed));
   EXPECT_EQ(l.now(), state::offered);
}

TEST_F(lineage_test, provisional_belief_is_left_only_for_a_master) {
   EXPECT_FALSE(answer(other, true));
   EXPECT_TRUE(l.returns_to(other));
   EXPECT_EQ(l.offered(), nullptr);
   l.on_no_master(believed, now);  // nobody asked it
   EXPECT_TRUE(l.returns_to(other));
   l.on_no_master(other, now);
   EXPECT_EQ(l.now(), state::agreed);
   EXPECT_EQ(l.deadline(), now + settings.agree_for) << "the wait begins anew";
}

TEST_F(lineage_test, refused_offer_begins_anew) {
   answer(other);
   l.on_refused(other, now);
   EXPECT_EQ(l.now(), state::agreed);
   EXPECT_EQ(l.deadline(), now + settings.agree_for);
}

TEST_F(lineage_test, withdrawn_offer_is_asked_about_at_once) {
   answer(other);
   l.withdraw();
   EXPECT_EQ(l.now(), state::agreed);
   EXPECT_LE(l.deadline(), now);
}

TEST_F(lineage_test, other_votes_end_each_state) {
   for (const bool is_provisional : {false, true}) {
      answer(other, is_provisional);
      EXPECT_TRUE(agree(other, 2)) << "another epoch";
      EXPECT_EQ(l.now(), state::agreed);
      answer(other, is_provisional);
      EXPECT_FALSE(l.on_votes(std::nullopt, now));
      EXPECT_EQ(l.now(), state::none);
   }
   agree(other);
   l.on_asked(asked.begin(now));
   l.on_votes(std::nullopt, now);
   asked.finish(asked.last());
   EXPECT_FALSE(l.on_answered(asked, believed, false, now));
}

TEST_F(lineage_test, question_asked_too_early_offers_nothing) {
   agree(other);
   l.on_asked(asked.begin(now));
   asked.finish(asked.last());
   EXPECT_FALSE(l.on_answered(asked, believed, false, now));
   EXPECT_EQ(l.now(), state::agreed);
}

}  // namespace
}  // namespace holdfast::impl::lineage_test

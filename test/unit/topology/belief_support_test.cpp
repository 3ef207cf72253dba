// A newer epoch of learned Sentinels against the configured ones, as a table.
#include "topology/sentinel/belief.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::belief_support_test {
namespace {

const endpoint a{"10.0.0.1", 6379};
const endpoint b{"10.0.0.2", 6379};

sentinel_vote configured(std::uint64_t epoch) {
   return {.where = a, .epoch = epoch, .configured = true, .proven = true};
}
sentinel_vote learned(std::uint64_t epoch, bool proven = true) {
   return {.where = b, .epoch = epoch, .proven = proven};
}

struct row {
   const char* about;
   std::vector<sentinel_vote> in_hand;
   std::size_t known;
   std::size_t left;
};

const row rows[] = {
   {"no configured one answers", {learned(6), learned(5)}, 3, 2},
   {"a configured one says so too", {configured(5), configured(6), learned(6)}, 3, 3},
   {"one learned against one configured", {configured(5), learned(6)}, 3, 1},
   {"half of the known", {configured(5), learned(6), learned(6)}, 4, 1},
   {"more than half, proven", {configured(5), learned(6), learned(6)}, 3, 3},
   {"more than half, but one is unproven", {configured(5), learned(6), learned(6, false)}, 3, 1},
   {"older than the configured", {configured(5), learned(4), learned(5)}, 3, 3},
   {"nobody", {}, 3, 0},
};

TEST(support, newer_epoch_needs_a_configured_one_or_a_majority) {
   for (const auto& r : rows) {
      SCOPED_TRACE(r.about);
      auto in_hand = r.in_hand;
      EXPECT_EQ(leave_out_unsupported(in_hand, r.known), r.left != r.in_hand.size());
      EXPECT_EQ(in_hand.size(), r.left);
   }
}

}  // namespace
}  // namespace holdfast::impl::belief_support_test

#include "topology/sentinel/sentinel_peer.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::sentinel_peer_test {
namespace {

using namespace std::chrono_literals;
using status = sentinel_peer::status;

const endpoint master{"10.0.0.1", 6379};

class sentinel_peer_test : public testing::Test {
 protected:
   sentinel_settings settings;
   io_queue pending_io;
   sentinel_peer p{settings, pending_io, limits{}, 3, {"10.0.1.1", 26379}, false};
   time_point now = time_point{} + 1h;

   // Its answer in hand.
   void answered(bool down, bool failing_over) {
      p.take_answer(now);
      p.latest.what = sentinel_answer::kind::named;
      p.latest.state.shown = master;
      p.latest.state.objectively_down = down;
      p.latest.state.failover_in_progress = failing_over;
   }
};

TEST_F(sentinel_peer_test, vote_needs_an_answer_that_counts) {
   EXPECT_EQ(p.now(), status::untried);
   EXPECT_FALSE(p.votes());
   answered(false, false);
   EXPECT_TRUE(p.votes());
   p.member.counts = false;
   EXPECT_FALSE(p.votes());
   EXPECT_TRUE(p.names_a_master());
   p.fail(now);
   EXPECT_TRUE(p.is_down());
   EXPECT_FALSE(p.names_a_master());
   EXPECT_TRUE(p.member.look_elsewhere);
}

TEST_F(sentinel_peer_test, flags_are_of_the_master_that_is_believed) {
   answered(true, true);
   const endpoint other{"10.0.0.2", 6379};
   p.note_flags(&master);
   EXPECT_TRUE(p.objectively_down && p.failing_over);
   p.note_flags(&other);
   EXPECT_FALSE(p.objectively_down || p.failing_over);
   p.note_flags(&master);
   p.note_flags(nullptr);
   EXPECT_FALSE(p.objectively_down || p.failing_over);
}

TEST_F(sentinel_peer_test, hints_raise_and_clear_the_flags) {
   struct row {
      hint_kind kind;
      bool of_ours;
      bool down, failing_over;  // afterwards
   };
   const row rows[] = {
      {hint_kind::objectively_down, false, false, false},
      {hint_kind::objectively_down, true, true, false},
      {hint_kind::tries, false, true, false},
      {hint_kind::tries, true, true, true},
      {hint_kind::objectively_up, true, false, true},
      {hint_kind::aborted, true, false, false},
      {hint_kind::selected, false, false, true},
      {hint_kind::finished, false, false, false},
      {hint_kind::failing_over, true, false, true},
      {hint_kind::configured, true, false, true},
   };
   for (const auto& r : rows) {
      p.note_hint({r.kind, master}, r.of_ours);
      EXPECT_EQ(p.objectively_down, r.down) << static_cast<int>(r.kind);
      EXPECT_EQ(p.failing_over, r.failing_over) << static_cast<int>(r.kind);
   }
}

TEST_F(sentinel_peer_test, place_that_goes_to_another_knows_nothing_of_the_one_before) {
   answered(true, true);
   p.note_flags(&master);
   p.member.several = true;
   p.become({"10.0.1.9", 26379}, "id-9");
   EXPECT_EQ(p.now(), status::untried);
   EXPECT_FALSE(p.objectively_down || p.failing_over || p.member.several);
   EXPECT_EQ(p.member.listed_as, "id-9");
   EXPECT_EQ(p.number, 3u);
   EXPECT_TRUE(p.why.empty());
}

}  // namespace
}  // namespace holdfast::impl::sentinel_peer_test

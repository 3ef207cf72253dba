// A failover is announced: writes that wait for a selected node to be promoted, and a node that the Sentinels agree is
// down.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::hold_test {
namespace {

struct hold : warm_lane {
   void until(duration d) {
      s.watch.view.hold_writes_until = after(s.now, d);
      s.on_view();
   }
   // The tracker's own timer, which the view comes from.
   std::string sent_after(duration d) {
      s.advance(d);
      s.on_view();
      return s.accept();
   }
};

TEST_F(hold, write_waits_and_a_read_does_not) {
   until(250ms);
   auto& get = s.send("GET a");
   auto& incr = s.submit("INCR a");
   EXPECT_EQ(s.accept(), "");
   s.answer(number(1));
   EXPECT_EQ(get.says(), "1");
   EXPECT_EQ(incr.says(), "waiting");
}

TEST_F(hold, held_write_and_the_read_behind_it_go_to_who_is_still_the_master) {
   until(250ms);
   auto& incr = s.submit("INCR a");
   s.submit("GET a");
   EXPECT_EQ(sent_after(249ms), "");
   EXPECT_EQ(sent_after(1ms), "INCR a; GET a") << "in their order";
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
   EXPECT_EQ(incr.op.attempts, 1U);
}

TEST_F(hold, promotion_takes_what_is_held_to_the_new_master_in_its_order) {
   until(250ms);
   auto& one = s.submit("INCR a");
   auto& two = s.submit("RPUSH l 1");
   s.watch.view.hold_writes_until = time_point::min();
   s.name(node_b, 6);
   s.connect(8);
   s.expect_sent({&one, &two}, number(1) + number(1));
}

TEST_F(hold, command_under_way_is_not_held_back_from_its_reply) {
   auto& incr = s.send("INCR a");
   until(250ms);
   s.answer(number(1));
   EXPECT_EQ(incr.says(), "1");
}

TEST_F(hold, held_command_that_runs_out_of_time_says_why) {
   until(250ms);
   auto& incr = s.submit("INCR a", {.deadline = 100ms});
   EXPECT_EQ(sent_after(100ms), "");
   expect_end(incr, "not_executed, deadline_exceeded", "another node is about to be promoted");
}

// ---- +odown -------------------------------------------------------------------------------------------------------

struct called_down : warm_lane {
   // This is under way, the Sentinels agree that the node is down, and the probe is opened; its answer, if any.
   call& probed(std::string_view line, std::string_view answer) {
      call& c = s.send(line);
      s.agree_on_down();
      EXPECT_EQ(s.news_after(100ms), "suspected");
      s.probe(answer);
      return c;
   }
};

TEST_F(called_down, node_is_probed_at_once_where_a_reply_is_late) {
   auto& incr = s.send("INCR a");
   s.advance(20ms);
   s.agree_on_down();
   EXPECT_EQ(s.news(), "") << "a reply may be on its way";
   EXPECT_EQ(s.news_after(80ms), "suspected");
   s.probe("");
   EXPECT_EQ(s.news_after(499ms), "");
   EXPECT_EQ(s.news_after(1ms), "lost");
   EXPECT_EQ(incr.says(), "waiting") << "for the fence";
}

TEST_F(called_down, node_that_answers_the_probe_is_not_left) {
   auto& get = probed("GET a", pong);
   EXPECT_EQ(s.news_after(1900ms), "");
   s.answer(number(1));
   EXPECT_EQ(get.says(), "1");
}

TEST_F(called_down, blocking_command_is_probed_again_when_called_down_again) {
   probed("BLPOP q 0", pong);
   EXPECT_EQ(s.news_after(60s), "");
   s.agree_on_down(false);
   s.advance(60s);
   s.agree_on_down();
   EXPECT_EQ(s.news_after(100ms), "suspected");
   EXPECT_EQ(s.news_after(500ms), "lost");
}

TEST_F(called_down, blocking_command_is_left_if_the_probe_fails) {
   probed("BLPOP q 0", "");
   EXPECT_EQ(s.news_after(500ms), "lost");
}

}  // namespace
}  // namespace holdfast::impl::test::hold_test

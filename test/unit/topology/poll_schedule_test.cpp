#include "topology/sentinel/poll_schedule.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::poll_schedule_test {
namespace {

using namespace std::chrono_literals;

class poll_schedule_test : public testing::Test {
 protected:
   sentinel_settings settings;
   poll_schedule p{settings, 1};
   time_point now = time_point{} + 1h;
};

TEST_F(poll_schedule_test, peace_and_alert_have_their_own_pace) {
   EXPECT_EQ(p.deadline(), never);
   for (int i = 0; i != 100; ++i) {
      p.plan(false, now);
      EXPECT_GE(p.deadline(), now + settings.idle_poll * 3 / 4);
      EXPECT_LE(p.deadline(), now + settings.idle_poll);
      p.plan(true, now);
      EXPECT_GE(p.deadline(), now + settings.alert_poll * 3 / 4);
      EXPECT_LE(p.deadline(), now + settings.alert_poll);
   }
}

TEST_F(poll_schedule_test, waiting_commands_ask_more_often_and_then_less) {
   EXPECT_TRUE(p.on_need(true));
   EXPECT_FALSE(p.on_need(true));
   EXPECT_TRUE(p.commands_wait());
   p.plan(false, now);
   EXPECT_LE(p.deadline(), now + settings.outage_base);
   for (int i = 0; i != 100; ++i) {
      p.plan(false, now);
      EXPECT_GE(p.deadline(), now + 1ms);
      EXPECT_LE(p.deadline(), now + settings.outage_poll);
   }
   EXPECT_TRUE(p.on_need(false));
   EXPECT_TRUE(p.on_need(true));
   p.plan(false, now);
   EXPECT_LE(p.deadline(), now + settings.outage_base) << "from the beginning";
}

TEST_F(poll_schedule_test, poll_is_brought_forward_never_put_off) {
   p.plan(true, now);
   p.poll_at_latest(now + 5ms);
   p.poll_at_latest(now + 50ms);
   EXPECT_FALSE(p.poll_is_due(now + 4ms));
   EXPECT_TRUE(p.poll_is_due(now + 5ms));
}

TEST_F(poll_schedule_test, hints_in_a_row_are_asked_about_together) {
   EXPECT_FALSE(p.take_hint(now));
   p.on_hint(now);
   EXPECT_TRUE(p.take_hint(now));
   EXPECT_FALSE(p.take_hint(now));
   p.on_hint(now += 1ms);
   EXPECT_EQ(p.deadline(), now - 1ms + settings.hint_spacing);
   p.on_hint(now += 1ms);
   EXPECT_FALSE(p.take_hint(now));
   EXPECT_TRUE(p.take_hint(p.deadline()));
}

TEST_F(poll_schedule_test, doubt_does_not_wait_for_further_hints) {
   p.on_hint(now);
   EXPECT_TRUE(p.take_hint(now));
   p.on_doubt(now);
   EXPECT_TRUE(p.take_hint(now));
}

TEST_F(poll_schedule_test, refusals_in_a_row_are_asked_about_more_slowly) {
   const auto latest = [&] {
      duration longest = {};
      for (int i = 0; i != 100; ++i) {
         p.plan(false, now);
         p.on_refused(settings.alert_poll, now);
         longest = std::max(longest, p.deadline() - now);
      }
      return longest;
   };
   p.plan(false, now);
   p.on_refused(settings.alert_poll, now);
   EXPECT_LE(p.deadline(), now + settings.outage_base);
   EXPECT_GT(latest(), settings.outage_base);
   EXPECT_LE(latest(), settings.alert_poll);
   p.forget_refusals();
   p.plan(false, now);
   p.on_refused(settings.alert_poll, now);
   EXPECT_LE(p.deadline(), now + settings.outage_base);
}

}  // namespace
}  // namespace holdfast::impl::poll_schedule_test

// How the requests of many lanes become those of one, and what the lanes are told.
#include "engine/publisher.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace holdfast::impl::publisher_test {
namespace {

using namespace std::chrono_literals;

const endpoint a{"10.0.0.1", 6379};
const endpoint b{"10.0.0.2", 6379};

class publisher_test : public testing::Test {
 protected:
   // The lanes' questions, up to this one.
   void ask(std::uint64_t question) {
      requests_.asked = question;
      take();
   }
   void take() {
      put_ = subject_.take(requests_, tracker_, now_);
      requests_.reports.clear();
      if (auto u = subject_.changed(tracker_)) {
         said_ = *u;
         ++publications_;
      }
   }
   void answer(std::uint64_t questions) {
      tracker_.answered = questions;
      take();
   }
   void say(topology_view v) {
      v.version = tracker_.view->version + 1;
      tracker_.view = std::make_shared<const topology_view>(std::move(v));
      take();
   }

   publisher subject_;
   topology_requests requests_;
   topology_update tracker_;  // what it says
   topology_requests put_;    // what it got last
   time_point now_ = time_point{} + 1h;
   topology_update said_;
   unsigned publications_ = 0;
};

TEST_F(publisher_test, asks_at_once_for_the_first_and_answers_after_the_round) {
   take();
   EXPECT_EQ(put_.asked, 0U) << "nobody wants to know";
   ask(1);
   EXPECT_EQ(put_.asked, 1U);
   EXPECT_EQ(said_.answered, 0U);
   answer(1);
   EXPECT_EQ(said_.answered, 1U);
}

TEST_F(publisher_test, asks_once_for_all_who_ask_while_a_question_is_under_way) {
   for (std::uint64_t t = 1; t <= 100; ++t) ask(t);
   EXPECT_EQ(put_.asked, 1U);
   EXPECT_EQ(subject_.next_deadline(), now_ + publisher::spacing);
   answer(1);
   EXPECT_EQ(said_.answered, 1U) << "the others asked after that question";
   EXPECT_EQ(put_.asked, 2U) << "and are asked for at once";
   EXPECT_EQ(subject_.next_deadline(), never);
   answer(2);
   EXPECT_EQ(said_.answered, 100U);
}

TEST_F(publisher_test, asks_at_a_slower_pace_while_lanes_ask_in_vain) {
   requests_.commands_wait = true;
   std::uint64_t t = 0;
   for (const auto end = now_ + 10s; now_ < end; now_ += 1ms) {
      ask(++t);
      tracker_.answered = put_.asked;
   }
   EXPECT_LE(put_.asked, 10s / publisher::outage_spacing + publisher::patience / 1ms + 2);
   EXPECT_GE(put_.asked, 10s / publisher::outage_spacing);
   requests_.commands_wait = false;
   const auto before = put_.asked;
   ask(++t);
   ask(++t);
   EXPECT_EQ(put_.asked, before + 1);
}

TEST_F(publisher_test, does_not_wait_for_a_slow_round_to_begin_the_next) {
   ask(1);
   now_ += 20ms;
   ask(2);
   EXPECT_EQ(put_.asked, 2U);
   answer(1);
   EXPECT_EQ(said_.answered, 1U);
   answer(2);
   EXPECT_EQ(said_.answered, 2U);
}

TEST_F(publisher_test, keeps_a_bounded_number_of_questions_and_answers_all_of_them) {
   for (std::uint64_t t = 1; t <= 1000; ++t) {
      ask(t);
      now_ += publisher::spacing;
   }
   EXPECT_EQ(put_.asked, 1000U);
   answer(1000);
   EXPECT_EQ(said_.answered, 1000U);
}

TEST_F(publisher_test, another_master_answers_all_who_asked) {
   ask(1);
   ask(2);
   say({.master = master_node{b, 2, 1}});
   EXPECT_EQ(said_.answered, 2U);
   EXPECT_EQ(said_.view->master->where, b);
   EXPECT_EQ(subject_.next_deadline(), never);
   now_ += 1s;
   take();
   EXPECT_EQ(put_.asked, 1U) << "there is nothing left to ask";
}

TEST_F(publisher_test, publishes_the_view_itself_and_nothing_twice) {
   say({.master = master_node{a, 1, 1}, .in_doubt = true});
   EXPECT_EQ(said_.view, tracker_.view) << "no copy";
   take();
   EXPECT_EQ(publications_, 1U);
   ask(1);
   answer(1);
   EXPECT_EQ(publications_, 2U);
   EXPECT_EQ(said_.view, tracker_.view);
}

TEST_F(publisher_test, passes_on_need_and_reports) {
   requests_.commands_wait = true;
   requests_.report({.where = a, .role = "slave", .generation = 1});
   take();
   EXPECT_TRUE(put_.commands_wait);
   EXPECT_EQ(put_.reports, (std::vector<role_report>{{.where = a, .role = "slave", .generation = 1}}));
   requests_.commands_wait = false;
   take();
   EXPECT_FALSE(put_.commands_wait);
   EXPECT_TRUE(put_.reports.empty());
}

}  // namespace
}  // namespace holdfast::impl::publisher_test

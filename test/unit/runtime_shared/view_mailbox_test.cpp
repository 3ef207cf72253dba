// Values between the clients of a deployment and its thread.
#include "runtime/shared/view_mailbox.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast::impl::view_mailbox_test {
namespace {

bool is_set(const waker& w) {
   pollfd f{w.fd(), POLLIN, 0};
   return ::poll(&f, 1, 0) == 1;
}

const endpoint a{"10.0.0.1", 6379};

class mailbox : public testing::Test {
 protected:
   topology_requests requests() {
      topology_requests r;
      mailbox_.wakes().clear();
      mailbox_.take(r);
      return r;
   }
   void publish_news(bool in_doubt) {
      said_.view =
         std::make_shared<const topology_view>(topology_view{.version = said_.view->version + 1, .in_doubt = in_doubt});
      mailbox_.publish(said_);
   }
   void publish_answer(std::uint64_t to) {
      said_.answered = to;
      mailbox_.publish(said_);
   }
   view_mailbox mailbox_;
   topology_update said_;
};

TEST_F(mailbox, questions_of_all_subscribers_are_counted_together_and_wake_the_watch) {
   view_subscriber one(mailbox_), two(mailbox_);
   one.enter();
   two.enter();
   EXPECT_FALSE(is_set(mailbox_.wakes()));
   one.give({.asked = 1});
   two.give({.asked = 1});
   EXPECT_TRUE(is_set(mailbox_.wakes()));
   EXPECT_EQ(requests().asked, 2U);
   two.give({.asked = 1, .commands_wait = true});
   EXPECT_EQ(requests().asked, 2U) << "it asked nothing more";
   two.give({.asked = 4});
   EXPECT_EQ(requests().asked, 3U) << "what is asked at once is one question";
}

TEST_F(mailbox, answer_is_counted_as_the_subscriber_counts_its_questions) {
   view_subscriber one(mailbox_), two(mailbox_);
   one.give({.asked = 1});
   two.give({.asked = 1});
   one.give({.asked = 2});
   one.give({.asked = 3});
   EXPECT_EQ(requests().asked, 4U);
   publish_answer(1);
   EXPECT_EQ(one.take().answered, 1U);
   EXPECT_EQ(two.take().answered, 0U) << "it asked later";
   publish_answer(3);
   EXPECT_EQ(one.take().answered, 2U);
   EXPECT_EQ(two.take().answered, 1U);
   publish_answer(4);
   EXPECT_EQ(one.take().answered, 3U);
   EXPECT_EQ(two.take().answered, 1U);
}

TEST_F(mailbox, news_wake_all_who_are_in_a_call_and_nobody_else) {
   view_subscriber waits(mailbox_), away(mailbox_);
   waits.enter();
   EXPECT_TRUE(waits.moved()) << "it has seen nothing yet";
   waits.take();
   away.take();
   EXPECT_FALSE(waits.moved());
   publish_news(true);
   EXPECT_TRUE(is_set(waits.wakes()));
   EXPECT_FALSE(is_set(away.wakes()));
   EXPECT_TRUE(waits.moved() && away.moved()) << "the other finds out when it comes in";
   EXPECT_TRUE(away.take().view->in_doubt);
   EXPECT_FALSE(away.moved());
}

TEST_F(mailbox, answer_wakes_those_who_asked_for_it) {
   view_subscriber first(mailbox_), second(mailbox_), third(mailbox_);
   for (auto* s : {&first, &second, &third}) s->enter();
   first.give({.asked = 1});
   second.give({.asked = 1});
   publish_answer(1);
   EXPECT_TRUE(is_set(first.wakes()));
   EXPECT_FALSE(is_set(second.wakes()));
   EXPECT_FALSE(is_set(third.wakes()));
   first.wakes().clear();
   publish_answer(2);
   EXPECT_FALSE(is_set(first.wakes()));
   EXPECT_TRUE(is_set(second.wakes()));
}

TEST_F(mailbox, need_of_a_lane_counts_while_its_caller_is_inside) {
   view_subscriber one(mailbox_);
   one.enter();
   one.give({.commands_wait = true});
   EXPECT_TRUE(requests().commands_wait);
   one.leave();
   EXPECT_FALSE(requests().commands_wait) << "nobody waits any more";
   one.enter();
   EXPECT_TRUE(requests().commands_wait) << "it is still without a connection";
   one.give({.commands_wait = false});
   EXPECT_FALSE(requests().commands_wait);
}

TEST_F(mailbox, need_of_a_client_goes_with_it) {
   view_subscriber other(mailbox_);
   other.enter();
   {
      view_subscriber one(mailbox_);
      one.enter();
      one.give({.commands_wait = true});
      other.give({.commands_wait = true});
      EXPECT_TRUE(requests().commands_wait);
   }
   EXPECT_TRUE(requests().commands_wait) << "the other one's";
   other.give({.commands_wait = false});
   EXPECT_FALSE(requests().commands_wait);
}

TEST_F(mailbox, reports_are_taken_once_and_the_same_of_many_is_one) {
   view_subscriber one(mailbox_), two(mailbox_);
   one.give({.reports = {{.where = a, .role = "slave", .generation = 3}}});
   two.give({.reports = {{.where = a, .role = "slave", .generation = 3},
                         {.where = a, .verified = true, .epoch = 5, .generation = 4}}});
   EXPECT_EQ(requests().reports,
             (std::vector<role_report>{{.where = a, .role = "slave", .generation = 3},
                                       {.where = a, .verified = true, .epoch = 5, .generation = 4}}));
   EXPECT_TRUE(requests().reports.empty());
}

TEST_F(mailbox, subscribers_go_in_any_order) {
   std::vector<std::unique_ptr<view_subscriber>> all;
   for (int i = 0; i < 10; ++i) all.push_back(std::make_unique<view_subscriber>(mailbox_));
   for (const int i : {4, 0, 7, 3}) all.erase(all.begin() + i);
   for (const auto& s : all) s->enter();
   publish_news(true);
   for (const auto& s : all) EXPECT_TRUE(is_set(s->wakes()));
}

TEST_F(mailbox, close_tells_the_watch_the_end) {
   topology_requests r;
   EXPECT_TRUE(mailbox_.take(r));
   mailbox_.close();
   EXPECT_TRUE(is_set(mailbox_.wakes()));
   EXPECT_FALSE(mailbox_.take(r));
}

// A client that looks, and then waits until it is woken, misses no publication.
TEST_F(mailbox, nothing_is_missed_between_a_look_and_a_wait) {
   constexpr std::uint64_t rounds = 5000;
   std::atomic<std::uint64_t> seen = 0;
   std::jthread client([&] {
      view_subscriber mine(mailbox_);
      while (seen < rounds) {
         mine.enter();
         while (!mine.moved()) {
            pollfd f{mine.wakes().fd(), POLLIN, 0};
            if (::poll(&f, 1, 10'000) != 1) ADD_FAILURE() << "it was not woken";
            mine.wakes().clear();
         }
         seen = mine.take().view->version;
         seen.notify_one();
         mine.leave();
      }
   });
   for (std::uint64_t published = 1; published <= rounds; ++published) {
      publish_news(published % 2 == 1);
      for (auto now = seen.load(); now < published && published % 7 != 0; now = seen) seen.wait(now);
   }
}

}  // namespace
}  // namespace holdfast::impl::view_mailbox_test

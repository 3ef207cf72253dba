// The roll by itself: Sentinels answer by hand. How it fares in a deployment: tracker_roster_test.cpp.
#include "topology/sentinel/sentinel_roll.hpp"

#include "topology/sentinel/sentinel_reports.hpp"
#include "unit/topology/replies.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::sentinel_roll_test {
namespace {

using namespace std::chrono_literals;
using namespace test;
using move = sentinel_roll::move;

const endpoint master{"10.0.0.1", 6379};

endpoint at(int n) { return {"10.0.1." + std::to_string(n), 26379}; }
std::string id(int n) { return "id-" + std::to_string(n); }
sentinel_settings three() {
   sentinel_settings s;
   s.sentinels = {at(1), at(2), at(3)};
   s.master = "mymaster";
   return s;
}

// The test itself says what the links report.
struct silent_owner final : link_owner {
   void on_opened(link&, time_point) override {}
   void on_received(link&, time_point) override {}
   void on_lost(link&, std::string_view, time_point) override {}
};

class sentinel_roll_test : public testing::Test {
 protected:
   sentinel_settings settings = three();
   io_queue pending_io;
   event_queue events{false};
   silent_owner owner;
   sentinel_roll roll{settings, pending_io, limits{}, events, owner};
   time_point now = time_point{} + 1h;

   sentinel_peer& place(std::size_t i) { return *roll.all()[i]; }

   // Whoever stands at this place connects and answers, and lists these; whether it was welcome.
   bool answer(std::size_t i, int who, const std::vector<int>& lists, const endpoint& moved_to = {}) {
      sentinel_peer& p = place(i);
      auto& c = p.questions.connection;
      if (c.now() == checked_connection::phase::resting) p.questions.dial(p.where, now);
      c.link.opened(now);
      p.questions.ask(1, now);
      p.questions.opened(now);
      std::vector<std::string> others;
      for (const int n : lists) others.push_back(listed(moved_to.empty() || n != 4 ? at(n) : moved_to, id(n)));
      put(c.link.in,
          bulk(id(who)) + master_reply{.shown = master, .epoch = 5}.bytes() + address_reply(master) + array(others));
      for (bool more = true; more;) {
         switch (p.questions.take(now)) {
            case inquiry::event::told_id:
               if (!roll.welcomes_answers(p)) return false;
               break;
            case inquiry::event::answered: p.take_answer(now); break;
            case inquiry::event::listed:
               p.others.tell(p.id(), p.questions.list(), now);
               roll.note_change();
               break;
            default: more = false;
         }
      }
      roll.prefer(p, now);
      return true;
   }
   // The one that stands there is subscribed to.
   void hear(std::size_t i, int who) {
      sentinel_peer& p = place(i);
      p.events.dial(p.where, now);
      p.events.connection.link.opened(now);
      p.events.opened(now);
      std::string text = bulk(id(who));
      for (const auto channel : event_channels()) text += array({bulk("subscribe"), bulk(channel), ":1\r\n"});
      put(p.events.connection.link.in, text);
      ASSERT_EQ(p.events.take(now), subscription::event::active);
      roll.note_if_several(p, 2, now);
   }
   void receives_answer(std::size_t i) {
      put(place(i).questions.connection.link.in,
          master_reply{.shown = master, .epoch = 5}.bytes() + address_reply(master));
      EXPECT_EQ(place(i).questions.take(now), inquiry::event::answered);
      roll.find_several(place(i));
   }
   void receives_pong(std::size_t i) {
      put(place(i).events.connection.link.in, array({bulk("pong"), bulk("")}));
      EXPECT_EQ(place(i).events.take(now), subscription::event::nothing);
      roll.find_several(place(i));
   }
   void fail(std::size_t i) {
      place(i).questions.lost("gone");
      place(i).fail(now);
      roll.note_change();
   }
   // A fourth one, listed by all and met at the place 3.
   void learn_the_fourth() {
      for (int n = 1; n <= 3; ++n) answer(static_cast<std::size_t>(n - 1), n, {1, 2, 3, 4});
      roll.call(now);
      for (const auto& who : roll.take_unmet()) roll.add_learned(who, 1, now);
      answer(3, 4, {1, 2, 3});
      roll.call(now);
   }
   // What its lists lead to for the fourth one.
   move follow() {
      roll.call(now);
      return roll.follow_the_list(place(3), 1, now);
   }
};

TEST_F(sentinel_roll_test, configured_ones_are_dialled_in_turn_until_one_answers) {
   roll.dial_next(now);
   EXPECT_EQ(place(0).questions.connection.now(), checked_connection::phase::dialing);
   EXPECT_EQ(place(1).questions.connection.now(), checked_connection::phase::resting);
   EXPECT_EQ(roll.deadline(), now + settings.stagger);
   answer(0, 1, {2, 3});
   EXPECT_EQ(place(2).questions.connection.now(), checked_connection::phase::dialing);
   EXPECT_TRUE(roll.ever_named());
}

TEST_F(sentinel_roll_test, one_that_answers_comes_to_the_front) {
   roll.dial_rest(now);
   answer(1, 2, {});
   EXPECT_EQ(roll.addresses(), (std::vector{at(2), at(1), at(3)}));
}

TEST_F(sentinel_roll_test, stray_has_no_vote_until_the_others_are_silent_for_long) {
   answer(0, 1, {2});
   answer(1, 2, {1});
   answer(2, 9, {});
   EXPECT_TRUE(roll.is_due());
   EXPECT_TRUE(roll.call(now));
   EXPECT_FALSE(roll.is_due());
   EXPECT_FALSE(place(2).member.counts);
   EXPECT_EQ(roll.votes().size(), 2u);
   EXPECT_FALSE(roll.call(now)) << "nothing new";
   fail(0);
   fail(1);
   roll.call(now);
   const time_point end = now + settings.stray_for;
   while (now < end - 1s) {
      roll.call(now += 1s);
      EXPECT_FALSE(place(2).member.counts);
   }
   EXPECT_TRUE(roll.call(end)) << "another one counts than before";
   EXPECT_TRUE(place(2).member.counts);
   EXPECT_TRUE(roll.is_due());
   roll.call(now);
   EXPECT_TRUE(place(2).member.counts) << "and goes on";
}

TEST_F(sentinel_roll_test, time_in_which_nobody_was_asked_pardons_no_stray) {
   answer(0, 1, {2});
   answer(1, 2, {1});
   answer(2, 9, {});
   roll.call(now);
   fail(0);
   fail(1);
   roll.call(now);
   EXPECT_FALSE(roll.call(now += 2 * settings.stray_for)) << "the caller was away";
   EXPECT_FALSE(place(2).member.counts);
}

TEST_F(sentinel_roll_test, listed_one_is_met_when_all_configured_were_tried) {
   answer(0, 1, {2, 3, 4});
   roll.call(now);
   EXPECT_FALSE(roll.may_learn());
   fail(1);
   fail(2);
   roll.call(now);
   EXPECT_TRUE(roll.may_learn());
   const auto unmet = roll.take_unmet();
   ASSERT_EQ(unmet.size(), 1u);
   const auto m = roll.add_learned(unmet[0], 1, now);
   EXPECT_EQ(m.place, &place(3));
   EXPECT_FALSE(m.is_taken);
   EXPECT_EQ(place(3).where, at(4));
   EXPECT_EQ(place(3).questions.connection.now(), checked_connection::phase::dialing);
   EXPECT_EQ(roll.add_learned(unmet[0], 1, now).place, nullptr) << "once";
}

TEST_F(sentinel_roll_test, learned_one_has_to_be_who_was_listed) {
   learn_the_fourth();
   EXPECT_EQ(roll.votes().size(), 4u);
   EXPECT_EQ(roll.known(), 4u);
   fail(3);
   EXPECT_FALSE(answer(3, 9, {}));
}

TEST_F(sentinel_roll_test, learned_one_that_nobody_lists_is_forgotten) {
   learn_the_fourth();
   for (int n = 1; n <= 3; ++n) {
      fail(static_cast<std::size_t>(n - 1));
      answer(static_cast<std::size_t>(n - 1), n, {1, 2, 3});
   }
   EXPECT_FALSE(roll.call(now)) << "the lists may be about to fill again";
   EXPECT_EQ(roll.deadline(), now + 2500ms);
   now += 2500ms;
   for (const auto& p : roll.all()) p->others.expire(now);
   EXPECT_TRUE(roll.call(now));
   EXPECT_FALSE(place(3).member.counts);
   EXPECT_TRUE(place(3).member.in_use);
   roll.call(now += settings.forget_after);
   EXPECT_FALSE(place(3).member.in_use);
   EXPECT_EQ(roll.addresses().size(), 3u);
   EXPECT_EQ(roll.add_learned({at(5), id(5)}, 1, now).place, &place(3));
   EXPECT_EQ(roll.addresses().size(), 4u);
}

TEST_F(sentinel_roll_test, one_that_fails_is_dialled_where_it_is_listed_now) {
   learn_the_fourth();
   EXPECT_EQ(follow(), move::none);
   for (int n = 1; n <= 3; ++n) {
      fail(static_cast<std::size_t>(n - 1));
      answer(static_cast<std::size_t>(n - 1), n, {1, 2, 3, 4}, at(8));
   }
   EXPECT_EQ(follow(), move::none) << "it answers where it is";
   fail(3);
   EXPECT_EQ(follow(), move::moved);
   EXPECT_EQ(place(3).where, at(8));
}

TEST_F(sentinel_roll_test, one_that_a_configured_address_leads_to_needs_no_second_place) {
   learn_the_fourth();
   fail(2);
   answer(2, 4, {1, 2});  // the third one's name leads to the fourth
   EXPECT_EQ(follow(), move::forgotten);
   EXPECT_FALSE(place(3).member.in_use);
}

// Questions from before the other one was heard may be answered by a process that has gone meanwhile.
TEST_F(sentinel_roll_test, two_stand_behind_an_address_when_both_answer_now) {
   answer(0, 1, {2, 3});
   place(0).questions.ask(1, now);
   hear(0, 9);
   now += 1ms;
   receives_pong(0);
   receives_answer(0);
   EXPECT_FALSE(place(0).member.several);
   place(0).questions.ask(3, now);  // questions that never end hinder nobody
   receives_answer(0);
   EXPECT_TRUE(place(0).member.several);
}

TEST_F(sentinel_roll_test, one_stands_there_when_the_connection_to_the_other_ends) {
   answer(0, 1, {2, 3});
   hear(0, 9);
   now += 1ms;
   receives_pong(0);
   fail(0);
   roll.find_several(place(0));
   EXPECT_FALSE(place(0).member.several);
   EXPECT_FALSE(place(0).member.differ_since);
}

TEST_F(sentinel_roll_test, newer_epoch_that_learned_ones_claim_is_left_out) {
   learn_the_fourth();
   place(3).latest.state.epoch = 9;
   EXPECT_EQ(roll.supported_votes().size(), 3u);
   EXPECT_TRUE(roll.contradicted());
   place(3).latest.state.epoch = 5;
   EXPECT_EQ(roll.supported_votes().size(), 4u);
   EXPECT_FALSE(roll.contradicted());
}

TEST_F(sentinel_roll_test, one_that_failed_is_hurried_but_not_at_once) {
   answer(0, 1, {});
   fail(0);
   auto& c = place(0).questions.connection;
   c.retry_from(now + 10s);
   roll.redial_now(place(0), now);
   EXPECT_EQ(c.retry_at(), now + settings.outage_poll);
   roll.redial_now(place(0), now += settings.outage_poll);
   EXPECT_EQ(c.now(), checked_connection::phase::dialing);
}

}  // namespace
}  // namespace holdfast::impl::sentinel_roll_test

// From nothing to a master's name.
#include "unit/topology/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::tracker_start_test {
namespace {

using namespace test;

struct start : testing::Test {
   // There is no master, for this reason, which may be final.
   void expect_none(errc why, bool is_final) {
      const auto t = w.watched.why_none();
      ASSERT_TRUE(t);
      EXPECT_EQ(t->code, why);
      EXPECT_EQ(t->final, is_final);
   }
   std::string cause(std::size_t n) const { return w.watched.why_none()->causes.at(n); }
   deployment w;
};

TEST_F(start, nothing_happens_before_the_first_tick) {
   EXPECT_FALSE(w.pending_io.take());
   EXPECT_FALSE(w.watched.target());
   EXPECT_FALSE(w.watched.why_none());
   EXPECT_LE(w.watched.next_deadline(), w.now);
}

TEST_F(start, names_the_master_after_two_waits_for_a_reply) {
   const auto r = w.watched.ask(w.now);
   // Connect, question; connect, question: each one millisecond.
   ASSERT_TRUE(w.run_till([&] { return w.watched.answered(r); }));
   EXPECT_EQ(w.since_start(), 4ms);
   ASSERT_TRUE(w.targets(old_master));
   EXPECT_EQ(*w.watched.target(), (master_node{old_master, 5, 1}));
   EXPECT_EQ(w.watched.down_after(), 1s);
   EXPECT_FALSE(w.watched.why_none());
}

TEST_F(start, second_sentinel_is_dialled_50_ms_after_a_silent_first) {
   w.set(s1, condition::vanished);
   w.run_for(49ms);
   EXPECT_EQ(w.count(s2, "SENTINEL MASTER"), 0u);
   w.run_for(4ms);
   EXPECT_EQ(w.count(s2, "SENTINEL MASTER"), 1u);
   // The third is not waited for another 50 ms: the second has answered.
   w.run_for(4ms);
   EXPECT_GE(w.count(s3, "SENTINEL MASTER"), 1u);
}

TEST_F(start, second_sentinel_is_dialled_at_once_when_the_first_refuses) {
   w.set(s1, condition::refusing);
   ASSERT_TRUE(w.run_till([&] { return w.count(s2, "SENTINEL MASTER") != 0; }));
   EXPECT_LT(w.since_start(), 4ms);
}

TEST_F(start, first_belief_waits_300_ms_for_a_silent_sentinel) {
   w.set(s3, condition::stopped);
   ASSERT_TRUE(w.finds_any());
   EXPECT_GE(w.since_start(), 300ms);
   EXPECT_LE(w.since_start(), 305ms);
}

TEST_F(start, first_belief_does_not_wait_for_a_sentinel_that_failed) {
   w.set(s3, condition::refusing);
   ASSERT_TRUE(w.finds_any());
   EXPECT_LE(w.since_start(), 6ms);
}

TEST_F(start, failover_that_is_under_way_is_known_with_the_first_belief) {
   for (const auto& s : {s1, s2, s3}) w.at(s).flags = "s_down,o_down,master,failover_in_progress";
   ASSERT_TRUE(w.finds_any());
   EXPECT_TRUE(w.watched.failover_in_progress());
}

TEST_F(start, newest_epoch_wins_over_a_majority_that_answered_first) {
   w.name(s3, new_master, 6);
   ASSERT_TRUE(w.finds_any());
   EXPECT_TRUE(w.targets(new_master));
   EXPECT_EQ(w.told<event::stale_answer>().size(), 2u) << "at once";
   w.run_for(1s);
   EXPECT_TRUE(w.targets(new_master));
   EXPECT_EQ(w.told<event::stale_answer>().size(), 2u);
   EXPECT_EQ(w.told<event::master_named>().size(), 1u);
}

TEST_F(start, sentinel_that_does_not_know_the_name_is_passed_over) {
   w.at(s1).knows_the_name = false;
   w.at(s2).knows_the_name = false;
   ASSERT_TRUE(w.finds_any());
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_LE(w.since_start(), 5ms);
}

TEST_F(start, sentinel_that_answered_moves_to_the_front) {
   w.set(s1, condition::refusing);
   w.start();
   EXPECT_EQ(w.watched.sentinels(), (std::vector<endpoint>{s2, s1, s3}));
}

TEST_F(start, every_sentinel_is_subscribed_to) {
   w.start();
   for (const auto& s : {s1, s2, s3}) EXPECT_EQ(w.subscriptions(s), 1u);
   EXPECT_EQ(w.told<event::sentinel_up>().size(), 3u);
   EXPECT_TRUE(w.told<event::sentinel_down>().empty());
}

TEST_F(start, sentinel_is_asked_in_one_write_the_epoch_before_the_address) {
   std::vector<std::string> order;
   w.at(s1).tamper = [&](std::string& reply, unsigned) { order.push_back(reply.substr(0, 4)); };
   w.watched.tick(w.now);
   w.carry_out();
   auto& link = w.watched.link_at(0);
   ASSERT_EQ(link.where(), s1);
   link.opened(w.now);
   const auto pending = link.out.pending();
   const std::string written(pending.begin(), pending.end());
   const auto id = written.find("MYID");
   const auto epoch = written.find("\r\nMASTER\r\n");
   const auto address = written.find("GET-MASTER-ADDR-BY-NAME");
   const auto list = written.find("SENTINELS\r\n");
   ASSERT_NE(list, std::string::npos);
   EXPECT_LT(id, epoch);
   EXPECT_LT(epoch, address);
   EXPECT_LT(address, list);
   EXPECT_EQ(written.find("SELECT"), std::string::npos);
}

TEST_F(start, asking_twice_at_the_same_instant_is_one_round) {
   EXPECT_EQ(w.watched.ask(w.now), w.watched.ask(w.now));
   w.start();
   const auto r = w.watched.ask(w.now);
   EXPECT_EQ(w.watched.ask(w.now), r);
   EXPECT_FALSE(w.watched.answered(r));
   w.now += 1us;
   EXPECT_NE(w.watched.ask(w.now), r);
}

// ---- no master ----------------------------------------------------------------------------------------------------

TEST_F(start, no_sentinel_reachable_is_said_with_one_cause_for_each) {
   w.set(s1, condition::refusing);
   w.set(s2, condition::vanished);
   w.set(s3, condition::stopped);
   const auto r = w.watched.ask(w.now);
   ASSERT_TRUE(w.run_till([&] { return w.watched.answered(r); }));
   EXPECT_LE(w.since_start(), 50ms + 300ms + 10ms);
   EXPECT_FALSE(w.watched.target());
   expect_none(errc::no_sentinel, false);
   EXPECT_EQ(w.watched.why_none()->causes,
             (std::vector<std::string>{
                "Sentinel 10.0.1.1:26379: connection refused",
                "Sentinel 10.0.1.2:26379: no connection within 300 ms, where sentinel_timeout is 300 ms",
                "Sentinel 10.0.1.3:26379: no answer within 300 ms, where sentinel_timeout is 300 ms"}));
   EXPECT_EQ(w.told<event::sentinel_down>().size(), 3u);
   EXPECT_EQ(w.told<event::master_lost>().size(), 1u);
   w.run_for(5s);
   EXPECT_EQ(w.told<event::sentinel_down>().size(), 3u) << "told once, not at each try";
   EXPECT_EQ(w.told<event::master_lost>().size(), 1u);
}

TEST_F(start, sentinel_that_comes_later_is_found_within_the_backoff) {
   w.set_all(condition::refusing);
   w.run_for(30s);
   EXPECT_FALSE(w.watched.target());
   w.at(s2).is = condition::working;
   const auto before = w.now;
   ASSERT_TRUE(w.finds_any());
   EXPECT_LE(w.now - before, 260ms);
   EXPECT_TRUE(w.targets(old_master));
}

TEST_F(start, unknown_name_is_final_only_when_every_seed_says_so) {
   for (const auto& s : {s1, s2}) w.at(s).knows_the_name = false;
   w.set(s3, condition::refusing);
   w.start();
   expect_none(errc::unknown_master, false);
   w.at(s3).is = condition::working;
   w.at(s3).knows_the_name = false;
   w.run_for(1s);
   expect_none(errc::unknown_master, true);
   EXPECT_EQ(cause(0), "Sentinel 10.0.1.1:26379: knows no master named 'mymaster'");
}

TEST_F(start, name_that_was_once_known_is_never_finally_unknown) {
   w.start();
   for (const auto& s : {s1, s2, s3}) w.at(s).knows_the_name = false;
   const auto r = w.watched.ask(w.now);
   ASSERT_TRUE(w.run_till([&] { return w.watched.answered(r); }));
   EXPECT_FALSE(w.watched.target());
   expect_none(errc::unknown_master, false);
}

TEST_F(start, refused_password_is_its_own_trouble) {
   for (const auto& s : {s1, s2, s3}) w.at(s).password = "secret";
   w.start();
   expect_none(errc::authentication_failed, true);
   EXPECT_EQ(cause(2), "Sentinel 10.0.1.3:26379: refused our user or password: NOAUTH Authentication required.");
}

TEST(start_with_settings, password_opens_each_connection) {
   for (const auto* user : {"", "watcher"}) {
      auto settings = three_sentinels();
      settings.username = user;
      settings.password = "secret";
      deployment w(settings);
      for (const auto& s : {s1, s2, s3}) w.at(s).password = "secret";
      w.start();
      EXPECT_TRUE(w.targets(old_master));
      EXPECT_EQ(w.count(s1, "AUTH"), 2u);
      EXPECT_EQ(w.subscriptions(s1), 1u);
   }
}

// ---- learned Sentinels --------------------------------------------------------------------------------------------

TEST(start_with_settings, one_seed_learns_the_others_and_the_first_belief_hears_them) {
   deployment w(with_seeds({s1}));
   w.name(s2, new_master, 6);
   w.name(s3, new_master, 6);
   ASSERT_TRUE(w.finds_any());
   EXPECT_TRUE(w.targets(new_master));
   EXPECT_EQ(w.watched.sentinels(), (std::vector<endpoint>{s1, s2, s3}));
   EXPECT_EQ(w.told<event::sentinel_learned>().size(), 2u);
   EXPECT_EQ(w.watched.link_count(), 6u);
}

TEST(start_with_settings, seed_given_by_name_is_not_learned_again_by_its_address) {
   const endpoint n1{"sentinel-1", 26379};
   const endpoint n2{"sentinel-2", 26379};
   deployment w(with_seeds({n1, n2}));
   w.at(n1) = w.at(s1);
   w.at(n2) = w.at(s2);
   w.start();
   EXPECT_EQ(w.watched.sentinels(), (std::vector<endpoint>{n1, n2, s3}));
}

TEST(start_with_settings, sentinels_that_are_learned_are_bounded) {
   auto settings = three_sentinels();
   settings.max_sentinels = 5;
   deployment w(settings);
   for (std::uint16_t i = 1; i != 60; ++i)
      w.at(s1).others.emplace_back(endpoint{"10.9.9.9", i}, "x" + std::to_string(i));
   w.run_for(10s);
   EXPECT_EQ(w.watched.sentinels().size(), 5u);
   EXPECT_TRUE(w.targets(old_master));
}

}  // namespace
}  // namespace holdfast::impl::tracker_start_test

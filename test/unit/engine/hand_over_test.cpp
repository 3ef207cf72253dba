// What passes between the topology and the lane within one call of the engine.
#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::hand_over_test {
namespace {

using phase = connector::phase;

// Nobody is left to be waited for, so that the round is over when it begins.
TEST(hand_over, answer_that_comes_while_asked_for_reaches_the_lane_at_once) {
   deployment d(with_sentinels());
   for (const auto& s : {s1, s2, s3}) d.set(s, host::condition::refusing);
   d.subject.discover(d.now);
   d.run_for(20s);
   ASSERT_TRUE(d.subject.watch()->why_none());
   ASSERT_EQ(d.subject.lane().connection().now(), phase::resting);
   const call& c = d.submit("GET counter");
   if (watch_is_shared) d.run_for(2 * subject::hop);
   EXPECT_NE(d.subject.lane().connection().now(), phase::asking) << "it waits for what was answered already";
   for (const auto& s : {s1, s2, s3}) d.set(s, host::condition::working);
   EXPECT_TRUE(d.finish(c));
   EXPECT_TRUE(c.results[0]);
}

TEST(hand_over, view_stays_the_same_one_while_nothing_changes) {
   deployment d(with_sentinels());
   ASSERT_TRUE(d.finish(d.submit("GET counter")));
   d.run_for(100ms);
   const auto view = d.subject.latest().view;
   const unsigned asked = d.at(s1).asked;
   d.run_for(60s);
   EXPECT_GT(d.at(s1).asked, asked);
   EXPECT_EQ(d.subject.latest().view, view) << "the Sentinels were asked, and said the same";
   d.fail_over();
   d.run_for(1s);
   EXPECT_GT(d.subject.latest().view->version, view->version);
   EXPECT_EQ(view->master->where, node_a) << "what was published stays as it was";
}

TEST(hand_over, fixed_server_is_requested_nothing) {
   const config c = with_server();
   engine e(c, 1);
   const time_point now = time_point{} + 1h;
   e.discover(now);
   EXPECT_FALSE(e.has_requests());
   call one{.commands = {command{"GET", "counter"}}, .results = std::vector<result<value>>(1), .op = {}};
   one.op.commands = one.commands;
   one.op.results = one.results.data();
   one.op.submitted = now;
   e.submit(one.op, now);
   EXPECT_TRUE(e.has_io());
   EXPECT_FALSE(e.has_requests()) << "nobody takes them, and each entry point would try to hand them over";
   e.cancel_all(now);
   EXPECT_EQ(e.take_done(now), &one.op);
}

// Nothing else would report it: the lane stays at the node, and has told that it is a master.
TEST(hand_over, verified_role_holds_under_the_present_epoch_of_the_node) {
   deployment d(with_sentinels());
   d.subject.discover(d.now);
   d.run_for(1s);
   const auto before = *d.subject.latest().view->master;
   ASSERT_EQ(before.epoch, 5U);
   for (const auto& s : {s1, s2, s3}) d.at(s).epoch = 3;
   d.run_for(30s);
   const auto offered = *d.subject.latest().view->master;
   ASSERT_EQ(offered.where, before.where);
   ASSERT_EQ(offered.epoch, 3U);
   EXPECT_TRUE(d.told<event::new_lineage>().empty());
   d.subject.serve({.reports = {{.where = node_a, .verified = true, .epoch = 5, .generation = before.generation}}},
                   d.now);
   d.run_for(1ms);
   EXPECT_EQ(d.told<event::new_lineage>().size(), 1U);
}

TEST(hand_over, report_of_another_generation_is_dropped) {
   deployment d(with_sentinels());
   ASSERT_TRUE(d.finish(d.submit("GET counter")));
   d.run_for(100ms);
   const auto generation = d.subject.latest().view->master->generation;
   const auto poll = d.subject.watch()->next_deadline();
   ASSERT_GT(poll, d.now + 100ms);
   d.subject.serve({.reports = {{.where = node_a, .role = "slave", .generation = generation - 1}}}, d.now);
   d.subject.serve({.reports = {{.where = node_a, .role = "slave", .generation = generation + 1}}}, d.now);
   EXPECT_EQ(d.subject.watch()->next_deadline(), poll);
   d.subject.serve({.reports = {{.where = node_a, .role = "slave", .generation = generation}}}, d.now);
   EXPECT_LT(d.subject.watch()->next_deadline(), poll) << "it is asked again soon";
}

}  // namespace
}  // namespace holdfast::impl::test::hand_over_test

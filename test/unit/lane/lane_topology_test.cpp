#include "lane/lane_topology.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::lane_topology_test {
namespace {

topology_update update(topology_view v) { return {std::make_shared<const topology_view>(std::move(v))}; }

TEST(lane_topology, requests_are_taken_once) {
   lane_topology g;
   EXPECT_FALSE(g.has_requests());
   g.ask();
   g.need(true);
   EXPECT_TRUE(g.has_requests());
   const auto taken = g.take_requests();
   EXPECT_EQ(taken.asked, 1U);
   EXPECT_TRUE(taken.commands_wait);
   EXPECT_FALSE(g.has_requests());
}

TEST(lane_topology, fixed_server_is_requested_nothing) {
   lane_topology g;
   g.update(update({.master = master_node{.where = {"10.0.0.1", 6379}, .generation = 1}, .verify_role = false}));
   EXPECT_TRUE(g.answered(g.ask()));
   g.need(true);
   EXPECT_FALSE(g.has_requests()) << "nobody would take them";
}

TEST(lane_topology, knows_the_view_and_the_answer_that_came_last) {
   lane_topology g;
   auto u = update({.version = 1});
   EXPECT_FALSE(g.knows(u));
   g.update(u);
   EXPECT_TRUE(g.knows(u));
   ++u.answered;
   EXPECT_FALSE(g.knows(u)) << "another question is answered";
   g.update(u);
   EXPECT_FALSE(g.knows(update({.version = 2})));
}

}  // namespace
}  // namespace holdfast::impl::lane_topology_test

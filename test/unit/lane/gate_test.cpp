// The machine alone: what closes a gate, whom it holds, and for how long.
#include "lane/gate.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::gate_test {
namespace {

using namespace std::chrono_literals;
using enum reply_class;

const time_point start = time_point{} + 100s;
const endpoint node_a{"10.0.0.1", 6379};
const endpoint node_b{"10.0.0.2", 6379};
constexpr pause asked{100ms, 500ms};

operation numbered(std::uint64_t sequence, bool reads) {
   operation op;
   op.sequence = sequence;
   op.reads_only = reads;
   return op;
}

TEST(gate, refusal_pauses_longer_each_time_up_to_cap) {
   gate g(random_source(1));
   g.on_refused(loading, asked, 0, node_a, "LOADING", start);
   EXPECT_TRUE(g.paused(start + 49ms));
   EXPECT_FALSE(g.paused(start + 100ms));
   g.on_refused(loading, asked, 9, node_a, "LOADING", start);
   EXPECT_TRUE(g.paused(start + 249ms));
   EXPECT_FALSE(g.paused(start + 500ms));
   EXPECT_EQ(g.words(), "LOADING");
   g.tick(start + 500ms);
   EXPECT_EQ(g.pause_ends(), time_point{});
}

TEST(gate, out_of_memory_holds_writes_and_loading_everything) {
   const operation read = numbered(1, true);
   const operation write = numbered(2, false);
   gate g(random_source(1));
   g.on_refused(out_of_memory, asked, 0, node_a, "OOM", start);
   EXPECT_TRUE(g.passes(read));
   EXPECT_FALSE(g.passes(write));
   g.on_refused(loading, asked, 0, node_a, "LOADING", start);
   EXPECT_FALSE(g.passes(read));
   g.on_refused(out_of_memory, asked, 0, node_a, "OOM", start);
   EXPECT_FALSE(g.passes(read)) << "the stricter state stays";
}

TEST(gate, first_refusal_without_pause_leaves_it_open) {
   gate g(random_source(1));
   g.on_refused(readonly, {0ms, 500ms}, 0, node_a, "READONLY", start);
   EXPECT_TRUE(g.is_open());
   EXPECT_FALSE(g.paused(start));
   g.on_refused(readonly, {0ms, 500ms}, 1, node_a, "READONLY", start);
   EXPECT_FALSE(g.is_open());
}

TEST(gate, other_node_opens_it) {
   gate g(random_source(1));
   g.on_refused(loading, asked, 0, node_a, "LOADING", start);
   g.on_connected(node_a);
   EXPECT_FALSE(g.is_open());
   g.on_connected(node_b);
   EXPECT_TRUE(g.is_open());
   EXPECT_FALSE(g.paused(start));
}

TEST(gate, probe_is_one_command) {
   gate g(random_source(1));
   EXPECT_FALSE(g.take_probe(0));
   g.set_probe(numbered(7, false));
   EXPECT_FALSE(g.take_probe(6));
   EXPECT_FALSE(g.wants_probe(start));
   EXPECT_TRUE(g.take_probe(7));
   EXPECT_TRUE(g.wants_probe(start));
}

TEST(gate, sentinels_are_asked_once_a_second) {
   gate g(random_source(1));
   EXPECT_TRUE(g.may_ask(start));
   EXPECT_FALSE(g.may_ask(start + 999ms));
   EXPECT_TRUE(g.may_ask(start + 1s));
}

}  // namespace
}  // namespace holdfast::impl::test::gate_test

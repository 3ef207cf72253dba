// The machine alone: the reasons not to write, and their order. The lane's tests show what follows from each.
#include "lane/pacing.hpp"

#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::pacing_test {
namespace {

using reason = pacing::reason;

struct pacing_machine : testing::Test {
   reason why(bool writes = true) const {
      operation op;
      op.reads_only = !writes;
      return subject.why_held(&op, topology.port, at, now);
   }

   time_point now = time_point{} + 100s;
   scripted_topology topology;
   gate at{random_source(1)};
   pacing subject{10, 2, false};
};

TEST_F(pacing_machine, every_reason_holds_and_the_first_is_named) {
   EXPECT_EQ(why(), reason::none);
   topology.view.in_doubt = true;
   topology.publish();
   EXPECT_EQ(why(), reason::doubt);
   EXPECT_EQ(subject.text(why(), at), "");
   at.on_refused(reply_class::busy, {1s, 1s}, 0, node_a, "BUSY", now);
   EXPECT_EQ(why(), reason::pause);
   EXPECT_EQ(subject.text(why(), at), "held back, because an earlier command was answered BUSY");
   topology.view.hold_writes_until = now + 1s;
   topology.publish();
   EXPECT_EQ(why(), reason::promotion);
   EXPECT_EQ(why(false), reason::pause) << "reads go on";
   subject.of_multi().asked();
   EXPECT_EQ(why(), reason::multi_test);
   subject.set_tests_idle();
   EXPECT_EQ(why(), reason::idle_test);
   subject.leave_soon("it answered READONLY", now);
   EXPECT_EQ(why(), reason::leaving);
   EXPECT_EQ(subject.text(why(), at), "it answered READONLY");
}

TEST_F(pacing_machine, new_connection_forgets_tests_and_leaving) {
   subject.leave_soon("why", now);
   subject.set_tests_idle();
   subject.of_multi().asked();
   subject.begin();
   EXPECT_EQ(why(), reason::none);
   EXPECT_FALSE(subject.leaving_since());
}

TEST_F(pacing_machine, first_reply_raises_limit_in_flight) {
   EXPECT_TRUE(subject.is_full(2, 0));
   subject.on_reply();
   EXPECT_FALSE(subject.is_full(9, 0));
   EXPECT_TRUE(subject.is_full(10, 0));
   EXPECT_TRUE(subject.is_full(0, 64 * 1024));
}

TEST_F(pacing_machine, fixed_server_that_is_no_master_is_left_once_a_second) {
   using enum reply_class;
   EXPECT_TRUE(subject.is_worth_leaving(readonly, true, now));
   EXPECT_TRUE(subject.is_worth_leaving(readonly, false, now));
   EXPECT_FALSE(subject.is_worth_leaving(readonly, false, now + 999ms));
   EXPECT_TRUE(subject.is_worth_leaving(refused, false, now + 999ms));
   EXPECT_TRUE(subject.is_worth_leaving(demoted, false, now + 1s));
}

TEST(says_no_master, only_where_the_node_itself_says_it) {
   EXPECT_TRUE(says_no_master("READONLY You can't write against a read only replica."));
   EXPECT_TRUE(says_no_master("MASTERDOWN Link with MASTER is down"));
   EXPECT_FALSE(says_no_master("ERR no such key"));
}

}  // namespace
}  // namespace holdfast::impl::test::pacing_test

// What the client takes back before the engine has begun with it.
#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::engine::test {
namespace {

TEST(Refusal, EndsACommandThatWasNeverGivenToTheLane) {
   deployment d;
   call c;
   c.commands.push_back(command{"INCR", "n"});
   c.results.resize(1);
   c.op.commands = c.commands;
   c.op.results = c.results.data();
   c.op.submitted = d.now;
   d.subject.refuse(c.op, errc::cancelled, d.now);
   EXPECT_TRUE(d.subject.has_done());
   EXPECT_EQ(d.subject.take_done(d.now), &c.op);
   EXPECT_TRUE(c.failed_with(errc::cancelled, outcome::not_executed));
   EXPECT_EQ(c.error().attempts, 0U);
   d.run_for(1s);
   EXPECT_TRUE(d.at(node_a).arrived.empty());
}

}  // namespace
}  // namespace holdfast::engine::test

// What the client takes back before the engine has begun with it.
#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::engine_refusal_test {
namespace {

TEST(refusal, ends_a_command_that_was_never_given_to_the_lane) {
   const time_point now = time_point{} + 1h;
   engine subject(with_sentinels(), 1);
   call c;
   c.commands.push_back(command{"INCR", "n"});
   c.results.resize(1);
   c.op.commands = c.commands;
   c.op.results = c.results.data();
   c.op.submitted = now;
   subject.refuse(c.op, errc::cancelled, now);
   EXPECT_TRUE(subject.has_done());
   EXPECT_EQ(subject.take_done(now), &c.op);
   EXPECT_TRUE(c.failed_with(errc::cancelled, outcome::not_executed));
   EXPECT_EQ(c.error().attempts, 0U);
   io_request nothing;
   EXPECT_FALSE(subject.next_io(nothing)) << "nobody is dialled for it";
}

TEST(cancel, ended_operation_without_commands_is_left_alone) {
   const time_point now = time_point{} + 1h;
   engine subject(with_sentinels(), 1);
   operation ended;
   subject.cancel(ended, now);
   EXPECT_FALSE(subject.has_done());
}

}  // namespace
}  // namespace holdfast::impl::test::engine_refusal_test

// The machine alone: when a silence ends, and with what.
#include "lane/suspicion.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::suspicion_test {
namespace {

using namespace std::chrono_literals;

const time_point start = time_point{} + 100s;

struct suspicion_machine : testing::Test {
   suspicion_machine() { subject.on_waiting(start); }
   suspicion::awaited oldest() const { return {.oldest = &slot}; }
   suspicion::finding check(duration d) { return subject.check(oldest(), {"10.0.0.1", 6379}, start + d); }

   event_queue events{true};
   io_queue pending_io;
   link probe{pending_io, {}};
   operation op;
   ledger_slot slot{.op = &op};
   suspicion subject{probe, events, 2s, 1s};
};

TEST_F(suspicion_machine, nothing_awaited_never_ends) {
   EXPECT_EQ(subject.ends({}), never);
   EXPECT_FALSE(subject.check({}, {}, start + 1h).raised);
}

TEST_F(suspicion_machine, late_reply_raises_then_gives_up) {
   EXPECT_EQ(subject.ends(oldest()), start + 2s);
   EXPECT_FALSE(check(1999ms).raised);
   EXPECT_TRUE(check(2s).raised);
   EXPECT_EQ(probe.now(), link::state::dialing);
   EXPECT_EQ(subject.ends(oldest()), start + 4s);
   EXPECT_EQ(check(4s).lost, "no reply for 4000 ms");
}

TEST_F(suspicion_machine, byte_clears) {
   check(2s);
   subject.on_bytes(start + 3s);
   EXPECT_FALSE(subject.raised());
   EXPECT_EQ(probe.now(), link::state::closed);
   EXPECT_EQ(subject.ends(oldest()), start + 5s);
}

TEST_F(suspicion_machine, called_down_asks_soon_and_counts_probe) {
   subject.set_called_down(true);
   EXPECT_TRUE(check(100ms).raised);
   EXPECT_EQ(subject.ends(oldest()), start + 600ms);
   EXPECT_EQ(check(600ms).lost, "no reply, and the Sentinels agree that it is down");
}

TEST_F(suspicion_machine, blocking_for_ever_is_not_suspected) {
   slot.blocks_for_ever = true;
   EXPECT_EQ(subject.ends(oldest()), never);
}

TEST_F(suspicion_machine, idle_test_and_leaving_are_lost_without_probe) {
   suspicion::awaited a = oldest();
   a.leaving_since = start + 1s;
   EXPECT_EQ(subject.ends(a), start + 3s);
   EXPECT_EQ(subject.check(a, {}, start + 3s).lost, "no reply for 3000 ms");
   slot.op = nullptr;
   EXPECT_EQ(subject.ends(a), start + 2s) << "nobody waits for it";
   a.tests_idle = true;
   EXPECT_EQ(subject.check(a, {}, start + 1s).lost, "silent after idling");
   EXPECT_FALSE(subject.raised());
}

}  // namespace
}  // namespace holdfast::impl::test::suspicion_test

#include "core/counters.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace holdfast::impl {
namespace {

using namespace std::chrono_literals;

const endpoint a{"10.0.0.1", 6379};
const endpoint b{"10.0.0.2", 6379};

TEST(counters, each_end_has_its_number) {
   counters c;
   for (int i = 0; i < 4; ++i) c.submitted();
   for (const outcome o : {outcome::executed, outcome::not_executed, outcome::unknown}) {
      c.ended(1ms);
      c.failed(o);
   }
   c.ended(3ms);
   c.succeeded();
   const stats s = c.snapshot();
   EXPECT_EQ(s.succeeded, 1U);
   EXPECT_EQ(s.executed_with_error, 1U);
   EXPECT_EQ(s.not_executed, 1U);
   EXPECT_EQ(s.unknown, 1U);
   EXPECT_EQ(s.failed(), 3U);
   EXPECT_EQ(s.ended(), 4U);
   EXPECT_EQ(s.latency.count(), 4U);
   EXPECT_EQ(s.latency.counts[latency_histogram::bucket_of(1ms)], 3U);
   EXPECT_NEAR(s.latency.sum.count(), 0.006, 0.000'001);
   EXPECT_EQ(s.queued + s.in_flight, 0U);
}

TEST(counters, what_is_not_in_flight_waits) {
   counters c;
   for (int i = 0; i < 5; ++i) c.submitted();
   c.written();
   c.written();
   EXPECT_EQ(c.snapshot().in_flight, 2U);
   EXPECT_EQ(c.snapshot().queued, 3U);
   c.left_flight();
   EXPECT_EQ(c.snapshot().queued, 4U) << "it is to be sent again";
   c.ended(1ms);
   c.succeeded();
   EXPECT_EQ(c.snapshot().queued, 3U);
}

TEST(counters, reconnect_is_a_connection_behind_another_of_the_lane) {
   counters c;
   c.connected(a, "run a", false);
   EXPECT_EQ(c.snapshot().reconnects, 0U);
   c.connected(a, "run a", true);
   EXPECT_EQ(c.snapshot().reconnects, 1U);
   EXPECT_EQ(c.snapshot().cutovers, 0U);
   c.connected(a, "run a", false);  // another lane's first
   EXPECT_EQ(c.snapshot().reconnects, 1U);
}

TEST(counters, cutover_is_one_for_all_lanes) {
   counters c;
   for (const endpoint& where : {a, b})
      for (int lane = 0; lane < 3; ++lane) c.connected(where, "run at " + where.host, where == b);
   EXPECT_EQ(c.snapshot().cutovers, 1U);
   EXPECT_EQ(c.snapshot().reconnects, 3U);
}

TEST(counters, neither_another_name_nor_another_process_at_an_address_is_a_cutover) {
   counters c;
   c.connected(a, "run a", false);
   c.connected({"redis.example", 6379}, "run a", true);
   c.connected({"redis.example", 6379}, "run b", true);
   EXPECT_EQ(c.snapshot().cutovers, 0U);
   c.connected(a, {}, true);
   c.connected(b, {}, true);
   EXPECT_EQ(c.snapshot().cutovers, 2U) << "by the address where the process is not known";
}

// What another thread reads never falls, and is never more than was done.
TEST(counters, are_read_by_another_thread) {
   constexpr std::uint64_t commands = 200'000;
   counters c;
   std::atomic<bool> begun = false;
   std::thread writer([&] {
      begun.wait(false);
      for (std::uint64_t i = 0; i < commands; ++i) {
         c.submitted();
         c.written();
         c.wrote(10);
         c.left_flight();
         c.ended(std::chrono::microseconds(i % 1000));
         if (i % 2 == 0)
            c.succeeded();
         else
            c.failed(outcome::unknown);
      }
   });
   stats before = c.snapshot();
   begun = true;
   begun.notify_all();
   while (before.ended() != commands) {
      const stats s = c.snapshot();
      ASSERT_GE(s.succeeded, before.succeeded);
      ASSERT_GE(s.unknown, before.unknown);
      ASSERT_GE(s.bytes_written, before.bytes_written);
      ASSERT_GE(s.latency.count(), before.latency.count());
      ASSERT_LE(s.in_flight, 1U);
      ASSERT_LE(s.ended(), commands);
      before = s;
   }
   writer.join();
   const stats s = c.snapshot();
   EXPECT_EQ(s.succeeded, commands / 2);
   EXPECT_EQ(s.unknown, commands / 2);
   EXPECT_EQ(s.bytes_written, commands * 10);
   EXPECT_EQ(s.latency.count(), commands);
   EXPECT_EQ(s.queued + s.in_flight, 0U);
}

}  // namespace
}  // namespace holdfast::impl

// stats() of each client, and config::command_observer, against a real server: what they say is what was done.
#include "failed_as.hpp"
#include "lab/await.hpp"
#include "lab/deployment.hpp"
#include "redis/forked.hpp"

#include <holdfast/async.hpp>
#include <holdfast/holdfast.hpp>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

struct told_command {
   std::string name;
   std::size_t commands;
   std::optional<std::size_t> keys;
   std::optional<outcome> failed;
   unsigned attempts;
   endpoint where;
   time_point given;
   time_point ended;
   std::thread::id thread;
};

struct one_client : testing::Test {
   config settings() {
      config c = config::from_uri(servers.uri()).value();
      c.deadline = 10s;
      c.command_observer = [this](const ended_command& e) {
         const auto failed = e.failed != nullptr ? std::optional(e.failed->outcome) : std::nullopt;
         told.push_back({std::string(e.name), e.commands, e.keys, failed, e.attempts, e.where, e.given, e.ended,
                         std::this_thread::get_id()});
      };
      return c;
   }
   std::uint64_t told_of(std::optional<outcome> failed) const {
      return static_cast<std::uint64_t>(
         std::count_if(told.begin(), told.end(), [&](const auto& t) { return t.failed == failed; }));
   }
   // Both say the same.
   void expect_agreement() const {
      const stats s = redis.stats();
      EXPECT_EQ(s.succeeded, told_of(std::nullopt));
      EXPECT_EQ(s.executed_with_error, told_of(outcome::executed));
      EXPECT_EQ(s.not_executed, told_of(outcome::not_executed));
      EXPECT_EQ(s.unknown, told_of(outcome::unknown));
      EXPECT_EQ(s.latency.count(), told.size());
      EXPECT_EQ(s.in_flight + s.queued, 0U);
      std::chrono::duration<double> sum{};
      for (const auto& t : told) sum += t.ended - t.given;
      EXPECT_NEAR(s.latency.sum.count(), sum.count(), 32e-9 * static_cast<double>(told.size()) + 1e-9)
         << "rounded to 64 ns";
   }
   // The client has a command in flight, as seen from this thread.
   void await_in_flight() const {
      lab::await("a command is in flight", [&] { return redis.stats().in_flight == 1; }, 5s);
   }

   std::vector<told_command> told;
   lab::deployment servers{{.replicas = 0, .sentinels = 0}};
   client redis{settings()};
};

TEST_F(one_client, counts_what_commands_came_to) {
   EXPECT_TRUE(redis.set("k", "v").value());
   EXPECT_TRUE(redis.get("k").value());
   EXPECT_TRUE(failed_as(redis.incr("k"), outcome::not_executed, errc::server_error));
   const auto half =
      redis.run({"EVAL", "redis.call('set', KEYS[1], 1) return redis.call('incr', KEYS[2])", 2, "n", "k"});
   EXPECT_TRUE(failed_as(half, outcome::executed, errc::server_error));
   EXPECT_TRUE(failed_as(redis.run<int>({"GET", "k"}), outcome::executed, errc::type_mismatch)) << "'v' is no number";
   EXPECT_TRUE(failed_as(redis.run({"SUBSCRIBE", "c"}), outcome::not_executed, errc::not_supported));
   EXPECT_TRUE(failed_as(redis.ping({.deadline = 0s}), outcome::not_executed, errc::deadline_exceeded));
   const stats s = redis.stats();
   EXPECT_EQ(s.succeeded, 3U) << "the server did not know that a number was wanted";
   EXPECT_EQ(s.executed_with_error, 1U);
   EXPECT_EQ(s.not_executed, 3U);
   EXPECT_EQ(s.unknown, 0U);
   EXPECT_EQ(s.resends + s.reconnects + s.cutovers, 0U);
   expect_agreement();

   std::vector<std::string> names;
   for (const auto& t : told) names.push_back(t.name);
   EXPECT_EQ(names, (std::vector<std::string>{"set", "get", "incr", "eval", "get", "subscribe", "ping"}));
   EXPECT_EQ(told[3].keys, 2U);
   EXPECT_EQ(told[0].where, servers.node(0).own_address());
   EXPECT_EQ(told[0].thread, std::this_thread::get_id());
}

TEST_F(one_client, counts_transaction_as_one_and_each_other_of_a_list) {
   const std::vector<command> list{{"SET", "a", 1}, {"MULTI"},         {"INCR", "a"}, {"MSET", "b", 1, "c", 2},
                                   {"EXEC"},        {"LPUSH", "a", 1}, {"GET", "a"}};
   const auto replies = redis.run(list);
   EXPECT_EQ(replies.back().value().text(), "2");
   EXPECT_EQ(redis.stats().succeeded, 3U);
   EXPECT_EQ(redis.stats().not_executed, 1U);
   ASSERT_EQ(told.size(), 4U);
   const auto transaction = std::find_if(told.begin(), told.end(), [](const auto& t) { return t.name == "multi"; });
   ASSERT_NE(transaction, told.end());
   EXPECT_EQ(transaction->commands, 2U);
   EXPECT_EQ(transaction->keys, 3U);
   expect_agreement();
}

TEST_F(one_client, counts_what_of_a_list_was_too_late_to_be_tried) {
   std::vector<command> list(5000, command{"PING"});
   list.insert(list.begin(), {{"MULTI"}, {"PING"}, {"EXEC"}});
   list.insert(list.end(), {{"MULTI"}, {"PING"}, {"EXEC"}, {"MULTI"}, {"GET", "k"}});
   const auto replies = redis.run(list, {.deadline = 0s});
   EXPECT_TRUE(std::none_of(replies.begin(), replies.end(), [](const auto& r) { return r.has_value(); }));
   EXPECT_EQ(redis.stats().not_executed, 5003U) << "and a MULTI without EXEC, with all behind it, is one";
   expect_agreement();
   EXPECT_EQ(told.back().name, "multi");
   EXPECT_EQ(told.back().commands, 1U);
}

TEST_F(one_client, counts_what_was_cancelled_but_not_what_was_never_taken) {
   std::stop_source stop;
   {
      const std::jthread stopper([&] {
         await_in_flight();
         stop.request_stop();
      });
      EXPECT_TRUE(
         failed_as(redis.run({"BLPOP", "none", 0}, {.stop = stop.get_token()}), outcome::unknown, errc::cancelled));
   }
   EXPECT_EQ(redis.stats().unknown, 1U);
   EXPECT_TRUE(failed_as(redis.ping({.stop = stop.get_token()}), outcome::not_executed, errc::cancelled));
   EXPECT_EQ(redis.stats().ended(), 1U) << "the client did not take it";
   expect_agreement();
}

TEST_F(one_client, counts_what_was_resent_after_its_server_was_killed) {
   EXPECT_TRUE(redis.set("k", "v").value());
   const std::uint64_t before = redis.stats().bytes_written;
   servers.node(0).stop();
   {
      const std::jthread killer([&] {
         await_in_flight();
         servers.node(0).kill();
         lab::await("what was in flight waits", [&] { return redis.stats().queued == 1; }, 5s);
         servers.node(0).start();
      });
      EXPECT_TRUE(redis.get("k"));
   }
   const stats s = redis.stats();
   EXPECT_EQ(s.succeeded, 2U);
   EXPECT_EQ(s.resends, 1U);
   EXPECT_EQ(s.reconnects, 1U);
   EXPECT_EQ(s.cutovers, 0U) << "the server is where it was";
   EXPECT_GT(s.bytes_written, before + 2 * std::string_view("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n").size());
   EXPECT_GT(s.bytes_read, 0U);
   ASSERT_EQ(told.size(), 2U);
   EXPECT_EQ(told.back().attempts, 2U);
   expect_agreement();
}

TEST_F(one_client, begins_anew_in_forked_child) {
   EXPECT_EQ(redis.incr("n").value(), 1);
   EXPECT_EQ(redis.incr("n").value(), 2);
   EXPECT_TRUE(test::in_a_child([&] {
      const bool ran = redis.incr("n").value() == 3;
      const stats s = redis.stats();
      return ran && s.ended() == 1 && s.latency.count() == 1 && s.reconnects == 0 && s.queued + s.in_flight == 0;
   }));
   EXPECT_EQ(redis.stats().ended(), 2U);
}

TEST_F(one_client, outcome_survives_observer_that_throws) {
   config c = settings();
   c.command_observer = [](const ended_command&) { throw std::runtime_error("no"); };
   client other(c);
   EXPECT_EQ(other.incr("n").value(), 1);
   EXPECT_TRUE(failed_as(other.run({"LPUSH", "n", 1}), outcome::not_executed, errc::server_error));
   EXPECT_EQ(other.run(std::vector<command>{{"INCR", "n"}, {"INCR", "n"}}).back().value().integer(), 3);
   EXPECT_EQ(other.stats().observer_exceptions, 4U);
}

TEST_F(one_client, observer_that_calls_its_client_is_turned_away) {
   config c = settings();
   client* self = nullptr;
   std::vector<std::error_code> answers;
   c.command_observer = [&](const ended_command&) { answers.push_back(self->ping().error().code()); };
   client other(c);
   self = &other;
   EXPECT_EQ(other.incr("n").value(), 1);
   EXPECT_EQ(answers, std::vector<std::error_code>{errc::concurrent_use});
   EXPECT_EQ(other.stats().ended(), 1U);
}

// ---- clients of many callers --------------------------------------------------------------------------------------

TEST_F(one_client, many_threads_are_counted_together) {
   std::atomic<std::uint64_t> heard = 0;
   config c = settings();
   c.command_observer = [&](const ended_command&) { ++heard; };
   shared_client shared(c);
   EXPECT_EQ(shared.stats().ended(), 0U);
   constexpr std::uint64_t threads = 8;
   constexpr std::uint64_t each = 200;
   {
      std::vector<std::jthread> callers;
      for (std::uint64_t t = 0; t < threads; ++t)
         callers.emplace_back([&] {
            for (std::uint64_t i = 0; i < each; ++i) EXPECT_TRUE(shared.incr("n"));
         });
      std::uint64_t before = 0;
      while (before != threads * each) {
         const stats s = shared.stats();
         ASSERT_GE(s.ended(), before);
         ASSERT_LE(s.in_flight + s.queued, threads);
         before = s.ended();
      }
   }
   EXPECT_TRUE(failed_as(shared.run({"SELECT", 1}), outcome::not_executed, errc::not_supported));
   const stats s = shared.stats();
   EXPECT_EQ(s.succeeded, threads * each);
   EXPECT_EQ(s.not_executed, 1U);
   EXPECT_EQ(s.latency.count(), s.ended());
   EXPECT_EQ(heard, s.ended());
}

TEST_F(one_client, what_waited_for_room_in_vain_is_counted) {
   config c = config::from_uri(servers.uri()).value();
   c.limits.parked_commands = 1;
   shared_client shared(c);
   ASSERT_TRUE(shared.ping());
   servers.node(0).kill();
   {
      const std::jthread first([&] { (void)shared.incr("n", {.deadline = 300ms}); });
      lab::await("the queue is full", [&] { return shared.stats().queued == 1; }, 5s);
      const auto late = shared.run({"PING"}, {.deadline = 50ms, .wait_for_room = true});
      EXPECT_TRUE(failed_as(late, outcome::not_executed, errc::deadline_exceeded));
   }
   EXPECT_EQ(shared.stats().ended(), 3U);
   EXPECT_EQ(shared.stats().succeeded, 1U);
}

TEST_F(one_client, calls_under_asio_are_counted_also_once_it_is_closed) {
   boost::asio::io_context io;
   async_client under_asio(io, settings());
   int done = 0;
   for (int i = 0; i < 10; ++i) under_asio.run({"INCR", "n"}, [&](const result<value>& r) { done += r.has_value(); });
   under_asio.close([] {});
   io.run();
   EXPECT_EQ(done, 10);
   EXPECT_EQ(under_asio.stats().succeeded, 10U);
   EXPECT_EQ(under_asio.stats().in_flight + under_asio.stats().queued, 0U);
   EXPECT_EQ(told.size(), 10U);
}

TEST(stats_of_deployment, count_failover_as_one_cutover) {
   lab::deployment servers{{.replicas = 1, .sentinels = 3}};
   client redis{servers.uri()};
   EXPECT_EQ(redis.incr("n").value(), 1);
   const endpoint before = redis.master().value();
   ASSERT_FALSE(servers.sentinel(0).connect().run({"SENTINEL", "FAILOVER", "mymaster"}).is_error());
   lab::await("another master answers", [&] { return redis.incr("n") && redis.master().value() != before; }, 20s);
   EXPECT_EQ(redis.stats().cutovers, 1U);
   EXPECT_GE(redis.stats().reconnects, 1U);
}

}  // namespace
}  // namespace holdfast

// async_client without a server: who calls a handler, when, and with whose memory.
#include "failed_as.hpp"

#include <holdfast/async.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;

// Port 1: nobody listens. What has no time left ends at once.
constexpr const char* nowhere = "redis://127.0.0.1:1";
constexpr async_options too_late{.deadline = time_span(-1s)};
constexpr async_options patient{.deadline = time_span(1h)};

struct asio_client : testing::Test {
   net::io_context io;
   std::optional<async_client> redis{std::in_place, io, nowhere};
   std::vector<result<value>> ends;

   auto note() {
      return [this](result<value> r) { ends.push_back(std::move(r)); };
   }
};

TEST_F(asio_client, completion_is_posted) {
   redis->run({"GET", "k"}, too_late, note());
   EXPECT_TRUE(ends.empty()) << "the caller is still inside of run";
   io.poll();
   ASSERT_EQ(ends.size(), 1U);
   EXPECT_TRUE(failed_as(ends[0], outcome::not_executed, errc::deadline_exceeded));
}

TEST_F(asio_client, completion_that_submits_does_not_recurse) {
   std::size_t done = 0;
   std::size_t depth = 0;
   std::size_t deepest = 0;
   struct again {
      asio_client& test;
      std::size_t& done;
      std::size_t& depth;
      std::size_t& deepest;
      void operator()(const result<value>&) const {
         deepest = std::max(deepest, ++depth);
         if (++done < 100'000) test.redis->run({"GET", "k"}, too_late, *this);
         --depth;
      }
   };
   redis->run({"GET", "k"}, too_late, again{*this, done, depth, deepest});
   io.run();
   EXPECT_EQ(done, 100'000U);
   EXPECT_EQ(deepest, 1U);
}

TEST_F(asio_client, others_of_the_context_have_their_turn_between_endless_completions) {
   bool had_its_turn = false;
   struct again {
      asio_client& test;
      bool& enough;
      void operator()(const result<value>&) const {
         if (!enough) test.redis->run({"GET", "k"}, too_late, *this);
      }
   };
   redis->run({"GET", "k"}, too_late, again{*this, had_its_turn});
   net::post(io, [&] { net::post(io, [&] { had_its_turn = true; }); });
   io.run();
   EXPECT_TRUE(had_its_turn);
}

TEST_F(asio_client, completion_may_destroy_the_client) {
   redis->run({"GET", "k"}, too_late, [&](result<value> r) {
      ends.push_back(std::move(r));
      redis.reset();
   });
   redis->run({"GET", "k"}, patient, note());
   io.run();
   ASSERT_EQ(ends.size(), 2U);
   EXPECT_TRUE(failed_as(ends[1], outcome::not_executed, errc::cancelled));
}

TEST_F(asio_client, handler_that_throws_leaves_the_others_to_the_next_run) {
   redis->run({"GET", "k"}, too_late, [](const result<value>&) { throw std::string("mine"); });
   redis->run({"GET", "k"}, too_late, note());
   EXPECT_THROW(io.run(), std::string);
   EXPECT_TRUE(ends.empty());
   io.run();
   EXPECT_EQ(ends.size(), 1U);
}

TEST_F(asio_client, what_a_handler_gave_before_one_that_throws_is_taken) {
   redis->run({"GET", "k"}, too_late, [&](const result<value>&) { redis->run({"GET", "k"}, too_late, note()); });
   redis->run({"GET", "k"}, too_late, [](const result<value>&) { throw std::string("mine"); });
   EXPECT_THROW(io.run(), std::string);
   io.run();
   EXPECT_EQ(ends.size(), 1U);
}

TEST_F(asio_client, observer_that_throws_loses_no_call) {
   config c = config::from_uri(nowhere).value();
   int told = 0;
   c.observer = [&](const any_event&) {
      if (++told == 1) throw std::string("mine");
   };
   async_client watched(io, c);
   watched.run({"GET", "k"}, {.deadline = time_span(20ms)}, note());
   EXPECT_THROW(io.run(), std::string);
   io.run();
   EXPECT_EQ(ends.size(), 1U);
   EXPECT_GT(told, 1);
}

TEST_F(asio_client, observer_may_use_its_client) {
   config c = config::from_uri(nowhere).value();
   std::optional<async_client> watched;
   bool once = false;
   c.observer = [&](const any_event&) {
      if (std::exchange(once, true)) return;
      watched->run({"GET", "k"}, too_late, note());
      watched->cancel();
      watched.reset();
   };
   watched.emplace(io, c);
   watched->run({"GET", "k"}, patient, note());
   io.run();
   ASSERT_EQ(ends.size(), 2U);
}

TEST_F(asio_client, destroyed_client_completes_everything_as_cancelled) {
   for (int i = 0; i < 3; ++i) redis->run({"GET", "k"}, patient, note());
   redis->run(std::vector<command>{{"GET", "k"}, {"MULTI"}, {"INCR", "n"}, {"EXEC"}}, patient,
              [&](std::vector<result<value>> all) {
                 for (auto& r : all) ends.push_back(std::move(r));
              });
   io.poll_one();  // they are submitted
   redis.reset();
   EXPECT_TRUE(ends.empty()) << "no handler runs in the destructor";
   io.restart();
   io.run();
   ASSERT_EQ(ends.size(), 7U);
   for (const auto& r : ends) EXPECT_TRUE(failed_as(r, outcome::not_executed, errc::cancelled));
}

TEST_F(asio_client, cancel_ends_what_was_given_before_and_no_more) {
   redis->run({"GET", "k"}, patient, note());
   redis->cancel();
   redis->run({"GET", "k"}, patient, note());
   EXPECT_TRUE(ends.empty());
   io.poll();
   ASSERT_EQ(ends.size(), 1U);
   EXPECT_TRUE(failed_as(ends[0], outcome::not_executed, errc::cancelled));
   redis->cancel();
   io.poll();
   EXPECT_EQ(ends.size(), 2U);
}

TEST_F(asio_client, context_that_ends_first_destroys_handlers_without_a_call) {
   const auto alive = std::make_shared<int>(1);
   auto context = std::make_unique<net::io_context>();
   async_client outlives(*context, nowhere);
   bool called = false;
   const auto handler = [alive, &called](const result<value>&) { called = true; };
   outlives.run({"GET", "k"}, patient, handler);
   context->poll();
   outlives.run({"GET", "k"}, patient, handler);
   EXPECT_GT(alive.use_count(), 2);
   context.reset();
   EXPECT_FALSE(called);
   outlives.run({"GET", "k"}, patient, handler);
   EXPECT_EQ(alive.use_count(), 2) << "only the test's own";
}

TEST_F(asio_client, client_owned_by_a_coroutine_of_its_context_goes_with_it) {
   auto context = std::make_unique<net::io_context>();
   net::co_spawn(
      *context,
      [](net::io_context& here) -> net::awaitable<void> {
         async_client mine(here, nowhere);
         (void)co_await mine.run({"GET", "k"}, patient, net::use_awaitable);
      }(*context),
      net::detached);
   context->poll();
   context.reset();
}

TEST_F(asio_client, idle_client_does_not_keep_the_context_running) {
   config c = config::from_uri(nowhere).value();
   c.sentinels = {{"127.0.0.1", 1}};
   c.master = "m";
   c.server = {};
   async_client watches(io, c);
   watches.run({"GET", "k"}, {.deadline = time_span(20ms)}, note());
   io.run();
   ASSERT_EQ(ends.size(), 1U);
   EXPECT_EQ(ends[0].error().outcome, outcome::not_executed);
   EXPECT_EQ(io.poll(), 0U);
}

TEST_F(asio_client, close_completes_after_what_was_given_before) {
   std::vector<int> order;
   redis->run({"GET", "k"}, {.deadline = time_span(20ms)}, [&](const result<value>&) { order.push_back(1); });
   redis->close([&] { order.push_back(2); });
   redis->run({"GET", "k"}, patient, note());
   redis->close([&] { order.push_back(3); });
   io.run();
   EXPECT_EQ(order, (std::vector{1, 2, 3}));
   ASSERT_EQ(ends.size(), 1U);
   EXPECT_TRUE(failed_as(ends[0], outcome::not_executed, errc::cancelled));
}

TEST_F(asio_client, destroyed_client_completes_its_close) {
   bool closed = false;
   redis->run({"GET", "k"}, patient, note());
   redis->close([&] { closed = true; });
   redis.reset();
   io.run();
   EXPECT_TRUE(closed);
   EXPECT_EQ(ends.size(), 1U);
}

// ---- handlers ------------------------------------------------------------------------------------------------------

TEST_F(asio_client, handler_may_be_movable_only) {
   auto end = std::make_unique<std::optional<result<value>>>();
   auto& seen = *end;
   redis->run({"GET", "k"}, too_late, [end = std::move(end)](result<value> r) { end->emplace(std::move(r)); });
   bool was_called = false;
   redis->close([owned = std::make_unique<int>(1), &was_called] { was_called = *owned == 1; });
   io.poll_one();
   io.run();
   EXPECT_TRUE(was_called);
   (void)seen;
}

TEST_F(asio_client, token_may_be_detached_or_a_handler_that_is_kept) {
   redis->run({"GET", "k"}, too_late, net::detached);
   auto kept = note();
   redis->run({"GET", "k"}, too_late, kept);
   const auto constant = note();
   redis->run({"GET", "k"}, too_late, constant);
   redis->close(net::detached);
   io.run();
   EXPECT_EQ(ends.size(), 2U);
}

TEST_F(asio_client, client_may_be_moved_while_calls_are_under_way) {
   async_client first(io.get_executor(), nowhere);
   first.run({"GET", "k"}, {.deadline = time_span(20ms)}, note());
   async_client second(std::move(first));
   second.run({"GET", "k"}, {.deadline = time_span(20ms)}, note());
   *redis = std::move(second);  // which ends what was there before
   redis->run({"GET", "k"}, {.deadline = time_span(20ms)}, note());
   io.run();
   ASSERT_EQ(ends.size(), 3U);
   for (const auto& r : ends) EXPECT_NE(r.error().code(), errc::cancelled);
}

TEST_F(asio_client, handler_runs_on_its_associated_executor_and_keeps_that_running) {
   net::io_context theirs;
   redis->run({"GET", "k"}, too_late, net::bind_executor(theirs, note()));
   EXPECT_EQ(theirs.poll(), 0U);
   EXPECT_FALSE(theirs.stopped()) << "it has work: a handler is to come";
   io.run();
   EXPECT_TRUE(ends.empty());
   theirs.run();
   EXPECT_EQ(ends.size(), 1U);
}

// Counts what is allocated with it and not given back.
template <class T>
struct counting_allocator {
   using value_type = T;
   explicit counting_allocator(std::size_t& taken, std::size_t& held) : all(&taken), now(&held) {}
   template <class U>
   counting_allocator(const counting_allocator<U>& other) : all(other.all), now(other.now) {}
   T* allocate(std::size_t n) {
      ++*all;
      ++*now;
      return std::allocator<T>().allocate(n);
   }
   void deallocate(T* p, std::size_t n) {
      --*now;
      std::allocator<T>().deallocate(p, n);
   }
   friend bool operator==(const counting_allocator& a, const counting_allocator& b) { return a.all == b.all; }

   std::size_t* all;
   std::size_t* now;
};

TEST_F(asio_client, operation_is_one_allocation_by_the_associated_allocator) {
   std::size_t taken = 0;
   std::size_t held = 0;
   const counting_allocator<int> allocator(taken, held);
   redis->run({"GET", "k"}, too_late, net::bind_allocator(allocator, [&](result<value> r) {
                 EXPECT_EQ(held, 0U) << "its memory is free when the handler is called";
                 ends.push_back(std::move(r));
              }));
   EXPECT_EQ(taken, 1U);
   io.run();
   EXPECT_EQ(ends.size(), 1U);
   EXPECT_EQ(taken, 1U);
}

TEST_F(asio_client, deferred_call_owns_its_command_and_may_outlive_the_client) {
   auto later = [&] {
      std::string key = "a key that is too long for a small string, and gone when the call begins";
      return redis->run({"GET", key}, too_late, net::deferred);
   }();
   auto orphan = redis->run({"GET", "k"}, net::deferred);
   std::move(later)(note());
   io.run();
   ASSERT_EQ(ends.size(), 1U);
   redis.reset();
   std::move(orphan)(note());
   io.restart();
   io.run();
   ASSERT_EQ(ends.size(), 2U);
   EXPECT_TRUE(failed_as(ends[1], outcome::not_executed, errc::cancelled));
}

// ---- cancellation --------------------------------------------------------------------------------------------------

TEST_F(asio_client, each_type_of_cancellation_ends_what_was_not_written) {
   for (const auto type :
        {net::cancellation_type::terminal, net::cancellation_type::partial, net::cancellation_type::total}) {
      for (const bool submitted : {false, true}) {
         ends.clear();
         net::cancellation_signal stop;
         redis->run({"INCR", "n"}, patient, net::bind_cancellation_slot(stop.slot(), note()));
         if (submitted) io.poll();
         stop.emit(type);
         EXPECT_TRUE(ends.empty());
         io.poll();
         io.restart();
         ASSERT_EQ(ends.size(), 1U);
         EXPECT_TRUE(failed_as(ends[0], outcome::not_executed, errc::cancelled));
         stop.emit(type);  // it has ended: nothing happens
         io.poll();
         io.restart();
      }
   }
}

TEST_F(asio_client, cancellation_of_one_of_many_ends_that_one) {
   std::vector<net::cancellation_signal> stops(100);
   std::vector<int> order;
   for (int i = 0; i < 100; ++i)
      redis->run({"INCR", "n"}, patient,
                 net::bind_cancellation_slot(stops[static_cast<std::size_t>(i)].slot(),
                                             [&order, i](const result<value>&) { order.push_back(i); }));
   io.poll();
   stops[70].emit(net::cancellation_type::terminal);
   stops[30].emit(net::cancellation_type::terminal);
   io.poll();
   std::sort(order.begin(), order.end());
   EXPECT_EQ(order, (std::vector{30, 70}));
   redis.reset();
   io.run();
   EXPECT_EQ(order.size(), 100U);
}

TEST_F(asio_client, list_is_cancelled_as_a_whole) {
   net::cancellation_signal stop;
   std::vector<result<value>> all;
   redis->run(std::vector<command>{{"GET", "a"}, {"GET", "b"}}, patient,
              net::bind_cancellation_slot(stop.slot(), [&](std::vector<result<value>> r) { all = std::move(r); }));
   io.poll();
   stop.emit(net::cancellation_type::total);
   io.poll();
   ASSERT_EQ(all.size(), 2U);
   for (const auto& r : all) EXPECT_TRUE(failed_as(r, outcome::not_executed, errc::cancelled));
}

// ---- what is refused -----------------------------------------------------------------------------------------------

TEST_F(asio_client, what_changes_the_connection_is_not_supported) {
   for (const char* words :
        {"SELECT 1", "AUTH x", "HELLO 3", "CLIENT SETNAME x", "WATCH k", "MULTI", "CLIENT REPLY OFF", "SUBSCRIBE c"}) {
      ends.clear();
      std::vector<std::string> arguments;
      for (std::string_view rest = words; !rest.empty();) {
         const auto end = std::min(rest.find(' '), rest.size());
         arguments.emplace_back(rest.substr(0, end));
         rest.remove_prefix(std::min(end + 1, rest.size()));
      }
      redis->run(command::from(arguments), patient, note());
      io.poll();
      io.restart();
      ASSERT_EQ(ends.size(), 1U) << words;
      EXPECT_TRUE(failed_as(ends[0], outcome::not_executed, errc::not_supported)) << words;
   }
}

TEST_F(asio_client, empty_list_has_no_results) {
   std::optional<std::vector<result<value>>> all;
   redis->run(std::vector<command>{}, [&](std::vector<result<value>> r) { all = std::move(r); });
   EXPECT_FALSE(all);
   io.run();
   ASSERT_TRUE(all);
   EXPECT_TRUE(all->empty());
}

TEST_F(asio_client, stats_are_asked_at_any_time_and_by_the_observer_too) {
   config c = config::from_uri(nowhere).value();
   std::optional<async_client> counted;
   std::uint64_t seen = 0;
   c.observer = [&](const any_event&) { seen = counted->stats().queued; };
   counted.emplace(io, c);
   EXPECT_EQ(counted->stats().ended(), 0U);
   counted->run({"GET", "k"}, {.deadline = time_span(20ms)}, note());
   counted->close([] {});
   io.run();
   EXPECT_EQ(seen, 1U);
   EXPECT_EQ(counted->stats().not_executed, 1U);
   EXPECT_EQ(counted->stats().queued, 0U);
   EXPECT_GE(counted->stats().latency.sum.count(), 0.02);
   EXPECT_LT(counted->stats().latency.sum.count(), 10);
}

TEST_F(asio_client, time_of_a_command_that_ends_at_once_is_none) {
   for (int i = 0; i < 1000; ++i) {
      redis->run({"SELECT", "1"}, patient, [](const result<value>&) {});
      io.poll_one();
      redis->run({"SELECT", "1"}, [this](const result<value>&) { redis->run({"SELECT", "1"}, note()); });
      io.poll();
      io.restart();
   }
   EXPECT_EQ(redis->stats().not_executed, 3000U);
   EXPECT_LT(redis->stats().latency.sum.count(), 10);
}

TEST_F(asio_client, bad_configuration_throws) {
   EXPECT_THROW(async_client(io, "redis://"), failure);
   EXPECT_THROW(async_client(io, config{}), failure);
}

}  // namespace
}  // namespace holdfast

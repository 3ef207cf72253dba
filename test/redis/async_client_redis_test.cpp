// async_client against a real server: completion tokens, cancellation, the client's end, threads, forks, names.
#include "catalogue/meanwhile.hpp"
#include "failed_as.hpp"
#include "lab/deployment.hpp"
#include "lab/name_server.hpp"
#include "redis/forked.hpp"
#include "redis/own_process.hpp"

#include <holdfast/async.hpp>
#include <holdfast/client.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;
using list_result = std::vector<result<value>>;

class async_redis : public testing::Test {
 protected:
   static void SetUpTestSuite() { servers_ = new lab::deployment({.replicas = 0, .sentinels = 0}); }
   static void TearDownTestSuite() { delete std::exchange(servers_, nullptr); }

   async_redis() { server.run({"FLUSHALL"}); }

   // Runs the coroutine until it has ended, and all that it left behind too.
   void run(net::awaitable<void> f) {
      std::exception_ptr thrown;
      net::co_spawn(io, std::move(f), [&](std::exception_ptr e) { thrown = std::move(e); });
      io.restart();
      io.run();
      if (thrown) std::rethrow_exception(thrown);
   }
   std::string stored(const std::string& key) { return server.run({"GET", key}).text; }
   long long counted(const std::string& what) { return std::stoll(server.info("stats", what)); }
   // Writes are taken by the server, and wait there, for ten seconds at most.
   void hold() { server.run({"CLIENT", "PAUSE", "10000", "WRITE"}); }
   void release() { server.run({"CLIENT", "UNPAUSE"}); }
   void await_held() {
      lab::await(
         "a command is held by the server",
         [&] {
            io.poll();
            io.restart();
            return server.info("clients", "blocked_clients") == "1";
         },
         5s);
   }

   static lab::deployment* servers_;
   const std::string uri = servers_->uri();
   lab::control server = servers_->node(0).connect();
   net::io_context io;
   async_client redis{io, uri};
};

lab::deployment* async_redis::servers_ = nullptr;

// ---- completion tokens ---------------------------------------------------------------------------------------------

TEST_F(async_redis, every_token_gets_the_result) {
   std::optional<result<value>> by_callback;
   redis.run({"SET", "k", "v"}, [&](result<value> r) { by_callback = std::move(r); });
   auto by_future = redis.run({"GET", "k"}, net::use_future);
   std::optional<result<value>> by_deferred;
   redis.run({"GET", "k"}, net::deferred)([&](result<value> r) { by_deferred = std::move(r); });
   run([&]() -> net::awaitable<void> {
      EXPECT_EQ((co_await redis.run({"GET", "k"}, net::use_awaitable)).value().as<std::string>(), "v");
      auto [tuple] = co_await redis.run({"GET", "k"}, net::as_tuple(net::use_awaitable));
      EXPECT_EQ(tuple.value().as<std::string>(), "v");
      auto from_deferred = co_await redis.run({"GET", "k"}, net::deferred)(net::use_awaitable);
      EXPECT_EQ(from_deferred.value().as<std::string>(), "v");
   }());
   EXPECT_TRUE(by_callback.value());
   EXPECT_EQ(by_future.get().value().as<std::string>(), "v");
   EXPECT_EQ(by_deferred.value().value().as<std::string>(), "v");
}

TEST_F(async_redis, default_token_needs_not_be_given) {
   net::use_awaitable_t<>::as_default_on_t<async_client> plain{io, uri};
   run([&]() -> net::awaitable<void> {
      (co_await plain.run({"SET", "k", "v"})).value();
      EXPECT_EQ((co_await plain.run({"GET", "k"}, {.deadline = 2s})).value().as<std::string>(), "v");
      std::vector<command> list{{"PING"}, {"PING"}};
      EXPECT_EQ((co_await plain.run(list)).size(), 2U);
      co_await plain.close();
   }());
}

TEST_F(async_redis, failure_is_a_result_with_its_outcome) {
   run([&]() -> net::awaitable<void> {
      (co_await redis.run({"SET", "k", "v"}, net::use_awaitable)).value();
      const auto wrong = co_await redis.run({"INCR", "k"}, net::use_awaitable);
      EXPECT_TRUE(failed_as(wrong, outcome::not_executed, errc::server_error));
      EXPECT_FALSE(wrong.error().server_text.empty());
   }());
}

struct shy {
   int n = 0;
   friend bool from_value(value_view from, shy& to) {
      if (from.as<int>() == 13) throw std::runtime_error("thirteen");
      to.n = from.as<int>();
      return to.n >= 0;
   }
};

TEST_F(async_redis, reply_is_read_as_the_type_that_is_asked_for) {
   run([&]() -> net::awaitable<void> {
      EXPECT_EQ((co_await redis.run<long long>({"INCR", "n"}, net::use_awaitable)).value(), 1);
      EXPECT_EQ((co_await redis.run<std::optional<std::string>>({"GET", "none"}, {.deadline = 2s}, net::use_awaitable))
                   .value(),
                std::nullopt);
      (co_await redis.run<void>({"SET", "s", "text"}, net::use_awaitable)).value();
      EXPECT_TRUE(failed_as(co_await redis.run<long long>({"GET", "s"}, net::use_awaitable), outcome::executed,
                            errc::type_mismatch));
      EXPECT_EQ((co_await redis.run<shy>({"INCR", "n"}, net::use_awaitable)).value().n, 2);
      (co_await redis.run<void>({"SET", "n", 12}, net::use_awaitable)).value();
      const auto thirteen = co_await redis.run<shy>({"INCR", "n"}, net::use_awaitable);
      EXPECT_TRUE(failed_as(thirteen, outcome::executed, errc::type_mismatch));
      EXPECT_NE(thirteen.error().what().find("thirteen"), std::string::npos);
   }());
   std::vector<command> list{{"SET", "a", 1}, {"GET", "a"}, {"MULTI"}, {"GET", "a"}, {"EXEC"}};
   auto texts = redis.run<std::string>(list, net::use_future);
   auto nothing = redis.run<int>(std::vector<command>{}, net::use_future);
   io.restart();
   io.run();
   const auto all = texts.get();
   ASSERT_EQ(all.size(), 5U);
   EXPECT_EQ(all[1].value(), "1");
   EXPECT_TRUE(failed_as(all[4], outcome::executed, errc::type_mismatch));
   EXPECT_TRUE(nothing.get().empty());
}

TEST_F(async_redis, types_of_commands_that_run_together_differ) {
   using namespace net::experimental::awaitable_operators;
   run([&]() -> net::awaitable<void> {
      const auto [n, text] = co_await (redis.run<long long>({"INCR", "n"}, net::use_awaitable) &&
                                       redis.run<std::string>({"ECHO", "x"}, net::use_awaitable));
      EXPECT_EQ(n.value(), 1);
      EXPECT_EQ(text.value(), "x");
   }());
}

TEST_F(async_redis, list_has_a_result_each_and_a_transaction_goes_whole) {
   run([&]() -> net::awaitable<void> {
      std::vector<command> list{{"SET", "a", 1}, {"INCR", "a"}, {"MULTI"},         {"INCR", "a"},
                                {"INCR", "a"},   {"EXEC"},      {"LPUSH", "a", 1}, {"GET", "a"}};
      const auto all = co_await redis.run(std::move(list), net::use_awaitable);
      EXPECT_EQ(all.size(), 8U);
      EXPECT_EQ(all.at(1).value().as<long long>(), 2);
      EXPECT_EQ(all.at(5).value().as<std::vector<long long>>(), (std::vector<long long>{3, 4}));
      EXPECT_EQ(all.at(6).error().code(), errc::server_error);
      EXPECT_EQ(all.at(7).value().as<std::string>(), "4");
   }());
}

TEST_F(async_redis, list_longer_than_the_window_keeps_its_order) {
   std::vector<command> list;
   for (int i = 0; i < 5000; ++i) list.push_back({"RPUSH", "l", i});
   const std::span<const command> borrowed(list);
   auto all = redis.run(borrowed, net::use_future);
   list.clear();  // it owns what it was given
   io.run();
   const auto results = all.get();
   ASSERT_EQ(results.size(), 5000U);
   for (std::size_t i = 0; i < results.size(); ++i)
      ASSERT_EQ(results[i].value().as<long long>(), static_cast<long long>(i) + 1);
}

TEST_F(async_redis, what_one_turn_gives_goes_out_in_one_write) {
   run([&]() -> net::awaitable<void> { (co_await redis.run({"PING"}, net::use_awaitable)).value(); }());
   const auto before = counted("total_reads_processed");
   std::size_t done = 0;
   net::post(io, [&] {
      for (int i = 0; i < 100; ++i) redis.run({"INCR", "n"}, [&](const result<value>& r) { done += r.has_value(); });
   });
   io.restart();
   io.run();
   EXPECT_EQ(done, 100U);
   EXPECT_LE(counted("total_reads_processed") - before, 3) << "one of these is the question itself";
}

TEST_F(async_redis, thousand_coroutines_share_a_connection) {
   constexpr int callers = 1000;
   constexpr int each = 20;
   int done = 0;
   const auto caller = [&](int) -> net::awaitable<void> {
      for (int i = 0; i < each; ++i) (co_await redis.run({"INCR", "n"}, net::use_awaitable)).value();
      ++done;
   };
   for (int i = 0; i < callers; ++i) net::co_spawn(io, caller(i), net::detached);
   io.run();
   EXPECT_EQ(done, callers);
   EXPECT_EQ(stored("n"), std::to_string(callers * each));
}

// ---- cancellation --------------------------------------------------------------------------------------------------

TEST_F(async_redis, cancelled_in_flight_is_unknown_and_its_reply_swallowed) {
   for (const auto type : {net::cancellation_type::terminal, net::cancellation_type::partial}) {
      server.run({"DEL", "n"});
      run([&]() -> net::awaitable<void> { (co_await redis.run({"PING"}, net::use_awaitable)).value(); }());
      hold();
      net::cancellation_signal stop;
      std::optional<result<value>> end;
      redis.run({"INCR", "n"}, net::bind_cancellation_slot(stop.slot(), [&](result<value> r) { end = std::move(r); }));
      io.restart();
      await_held();
      stop.emit(type);
      io.poll();
      io.restart();
      ASSERT_TRUE(end);
      EXPECT_TRUE(failed_as(*end, outcome::unknown, errc::cancelled));
      release();
      run([&]() -> net::awaitable<void> {
         EXPECT_EQ((co_await redis.run({"GET", "n"}, net::use_awaitable)).value().as<std::string>(), "1");
      }());
   }
}

TEST_F(async_redis, total_cancellation_leaves_what_was_written_alone) {
   run([&]() -> net::awaitable<void> { (co_await redis.run({"PING"}, net::use_awaitable)).value(); }());
   hold();
   net::cancellation_signal stop;
   std::optional<result<value>> end;
   redis.run({"INCR", "n"}, net::bind_cancellation_slot(stop.slot(), [&](result<value> r) { end = std::move(r); }));
   io.restart();
   await_held();
   stop.emit(net::cancellation_type::total);
   io.poll();
   EXPECT_FALSE(end);
   release();
   io.restart();
   io.run();
   ASSERT_TRUE(end);
   EXPECT_EQ(end->value().as<long long>(), 1);
}

TEST_F(async_redis, blocking_command_is_left_at_a_timer) {
   using namespace net::experimental::awaitable_operators;
   run([&]() -> net::awaitable<void> {
      net::steady_timer timer(io, 50ms);
      const auto first =
         co_await (redis.run({"BLPOP", "nothing", 0}, net::use_awaitable) || timer.async_wait(net::use_awaitable));
      EXPECT_EQ(first.index(), 1U);
      EXPECT_TRUE(co_await redis.run({"PING"}, net::use_awaitable));
   }());
}

TEST_F(async_redis, command_that_blocks_on_the_server_holds_up_nobody) {
   std::optional<result<value>> popped;
   redis.run({"BLPOP", "q", 0}, [&](result<value> r) { popped = std::move(r); });
   await_held();
   run([&]() -> net::awaitable<void> {
      for (int i = 0; i < 10; ++i) EXPECT_TRUE(co_await redis.run({"INCR", "n"}, net::use_awaitable));
      EXPECT_FALSE(popped);
      std::vector<command> list{{"RPUSH", "q", "x"}, {"BLPOP", "none", "0.01"}, {"GET", "n"}};
      const auto all = co_await redis.run(list, net::use_awaitable);
      EXPECT_EQ(all.at(2).value().as<std::string>(), "10");
   }());
   ASSERT_TRUE(popped);
   EXPECT_EQ(popped->value().as<std::vector<std::string>>(), (std::vector<std::string>{"q", "x"}));
}

TEST_F(async_redis, cancelled_list_tells_of_each_command_what_is_true) {
   run([&]() -> net::awaitable<void> { (co_await redis.run({"PING"}, net::use_awaitable)).value(); }());
   std::vector<command> list{{"INCR", "n"}, {"PING"}, {"INCR", "n"}};
   for (int i = 0; i < 3000; ++i) list.push_back({"INCR", "n"});
   hold();
   net::cancellation_signal stop;
   list_result all;
   redis.run(list, net::bind_cancellation_slot(stop.slot(), [&](list_result r) { all = std::move(r); }));
   await_held();
   stop.emit(net::cancellation_type::total);
   io.poll();
   EXPECT_TRUE(all.empty()) << "a part of it was written";
   stop.emit(net::cancellation_type::partial);
   io.restart();
   io.poll();
   ASSERT_EQ(all.size(), list.size());
   EXPECT_TRUE(failed_as(all[0], outcome::unknown, errc::cancelled));
   EXPECT_TRUE(failed_as(all.back(), outcome::not_executed, errc::cancelled));
   release();
}

TEST_F(async_redis, cancel_tells_of_each_what_is_true) {
   run([&]() -> net::awaitable<void> { (co_await redis.run({"PING"}, net::use_awaitable)).value(); }());
   hold();
   std::vector<result<value>> ends;
   redis.run({"INCR", "n"}, [&](result<value> r) { ends.push_back(std::move(r)); });
   io.restart();
   await_held();
   redis.run({"INCR", "n"}, [&](result<value> r) { ends.push_back(std::move(r)); });
   redis.cancel();
   io.poll();
   ASSERT_EQ(ends.size(), 2U);
   EXPECT_TRUE(failed_as(ends[0], outcome::unknown, errc::cancelled));
   EXPECT_TRUE(failed_as(ends[1], outcome::not_executed, errc::cancelled));
   release();
   run([&]() -> net::awaitable<void> {
      EXPECT_EQ((co_await redis.run({"GET", "n"}, net::use_awaitable)).value().as<std::string>(), "1");
   }());
}

// ---- the end of the client -----------------------------------------------------------------------------------------

TEST_F(async_redis, destroyed_client_tells_of_each_what_is_true) {
   auto mine = std::make_unique<async_client>(io, uri);
   run([&]() -> net::awaitable<void> { (co_await mine->run({"PING"}, net::use_awaitable)).value(); }());
   hold();
   std::vector<result<value>> ends;
   mine->run({"INCR", "n"}, [&](result<value> r) { ends.push_back(std::move(r)); });
   io.restart();
   await_held();
   mine->run({"INCR", "n"}, [&](result<value> r) { ends.push_back(std::move(r)); });
   mine.reset();
   EXPECT_TRUE(ends.empty());
   io.run();
   ASSERT_EQ(ends.size(), 2U);
   EXPECT_TRUE(failed_as(ends[0], outcome::unknown, errc::cancelled));
   EXPECT_TRUE(failed_as(ends[1], outcome::not_executed, errc::cancelled));
   release();
}

TEST_F(async_redis, close_waits_for_what_was_given_and_ends_the_connection) {
   const std::string name = "closing";
   config c = config::from_uri(uri).value();
   c.client_name = name;
   async_client mine(io, c);
   std::vector<std::string> order;
   for (int i = 0; i < 10; ++i)
      mine.run({"INCR", "n"}, [&](const result<value>& r) { order.push_back(r ? "ok" : "no"); });
   mine.close([&] { order.push_back("closed"); });
   mine.run({"INCR", "n"},
            [&](const result<value>& r) { EXPECT_TRUE(failed_as(r, outcome::not_executed, errc::cancelled)); });
   io.run();
   std::vector<std::string> expected(10, "ok");
   expected.emplace_back("closed");
   EXPECT_EQ(order, expected);
   EXPECT_EQ(stored("n"), "10");
   lab::await(
      "its connection is gone",
      [&] { return server.run({"CLIENT", "LIST"}).text.find("name=" + name) == std::string::npos; }, 5s);
}

TEST_F(async_redis, connection_that_ended_while_nothing_ran_costs_no_outcome) {
   run([&]() -> net::awaitable<void> { (co_await redis.run({"INCR", "n"}, net::use_awaitable)).value(); }());
   server.run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
   run([&]() -> net::awaitable<void> {
      EXPECT_EQ((co_await redis.run({"INCR", "n"}, {.delivery = delivery::at_most_once}, net::use_awaitable))
                   .value()
                   .as<long long>(),
                2);
   }());
}

TEST_F(async_redis, thread_is_started_for_nothing) {
   const std::size_t before = test::threads();
   config c = config::from_uri(uri).value();
   c.server.host = "localhost";
   async_client named(io, c);
   run([&]() -> net::awaitable<void> { EXPECT_TRUE(co_await named.run({"PING"}, net::use_awaitable)); }());
   EXPECT_EQ(test::threads(), before);
}

TEST_F(async_redis, name_is_asked_of_name_servers_within_the_context) {
   lab::name_server names;
   names.resolve("redis.test", {"127.0.0.1"});
   config c = config::from_uri(uri).value();
   c.server.host = "redis.test";
   c.name_servers = names.address();
   async_client named(io, c);
   c.server.host = "other.test";
   c.deadline = 2s;
   async_client lost(io, c);
   run([&]() -> net::awaitable<void> {
      EXPECT_TRUE(co_await named.run({"PING"}, net::use_awaitable));
      EXPECT_TRUE(failed_as(co_await lost.run({"PING"}, net::use_awaitable), outcome::not_executed));
   }());
}

// ---- threads -------------------------------------------------------------------------------------------------------

// Commands from many threads, in a context that runs on many.
void from_many_threads(async_client& redis, lab::control& server) {
   constexpr int callers = 8;
   constexpr int each = 2000;
   std::atomic<int> done = 0;
   std::vector<std::thread> threads;
   for (int t = 0; t < callers; ++t) {
      threads.emplace_back([&] {
         for (int i = 0; i < each; ++i) {
            if (i % 100 == 0)
               (void)redis.run({"INCR", "n"}, net::use_future).get().value();
            else
               redis.run({"INCR", "n"}, [&](const result<value>& r) { done += r.has_value(); });
         }
      });
   }
   for (auto& t : threads) t.join();
   lab::await("all are answered", [&] { return done == callers * each / 100 * 99; }, 30s);
   EXPECT_EQ(server.run({"GET", "n"}).text, std::to_string(callers * each));
}

TEST_F(async_redis, any_thread_may_call_while_many_run_the_context) {
   net::thread_pool pool(4);
   async_client mine(pool, uri);
   from_many_threads(mine, server);
   pool.stop();
   pool.join();
}

TEST_F(async_redis, any_thread_may_call_a_client_on_a_strand) {
   net::thread_pool pool(4);
   const auto strand = net::make_strand(pool);
   std::atomic<int> outside = 0;
   async_client mine(strand, uri);
   std::promise<void> ended;
   for (int i = 0; i < 100; ++i)
      mine.run({"PING"}, [&](const result<value>&) { outside += !strand.running_in_this_thread(); });
   from_many_threads(mine, server);
   mine.close([&] { ended.set_value(); });
   ended.get_future().get();
   EXPECT_EQ(outside, 0);
   pool.join();
}

TEST_F(async_redis, cancellation_races_with_completion_and_loses_no_call) {
   net::thread_pool pool(4);
   async_client mine(pool, uri);
   std::atomic<int> ended = 0;
   constexpr int all = 4000;
   for (int i = 0; i < all; ++i) {
      struct call {
         explicit call(net::thread_pool& on) : strand(net::make_strand(on)) {}
         net::cancellation_signal stop;
         net::strand<net::thread_pool::executor_type> strand;
      };
      auto c = std::make_shared<call>(pool);
      net::post(c->strand, [&mine, &ended, c] {
         mine.run({"INCR", "n"},
                  net::bind_executor(c->strand,
                                     net::bind_cancellation_slot(c->stop.slot(), [&ended, c](const result<value>& r) {
                                        EXPECT_TRUE(r || r.error().code() == errc::cancelled);
                                        ++ended;
                                     })));
         net::post(c->strand, [c] { c->stop.emit(net::cancellation_type::terminal); });
      });
   }
   lab::await("all have ended", [&] { return ended == all; }, 30s);
   std::promise<void> closed;
   mine.close([&] { closed.set_value(); });
   closed.get_future().get();
   pool.join();
}

TEST_F(async_redis, client_is_destroyed_while_threads_run_its_calls) {
   net::thread_pool pool(4);
   std::atomic<int> ended = 0;
   constexpr int rounds = 50;
   constexpr int each = 100;
   for (int round = 0; round < rounds; ++round) {
      async_client mine(pool, uri);
      for (int i = 0; i < each; ++i) mine.run({"INCR", "n"}, [&](const result<value>&) { ++ended; });
   }
   pool.join();
   EXPECT_EQ(ended, rounds * each);
}

// ---- forks ---------------------------------------------------------------------------------------------------------

TEST_F(async_redis, forked_child_is_told_not_supported_and_its_parent_goes_on) {
   run([&]() -> net::awaitable<void> { (co_await redis.run({"SET", "k", "v"}, net::use_awaitable)).value(); }());
   hold();
   std::optional<result<value>> in_flight;
   redis.run({"INCR", "n"}, [&](result<value> r) { in_flight = std::move(r); });
   io.restart();
   await_held();
   io.notify_fork(net::execution_context::fork_prepare);
   EXPECT_TRUE(test::in_a_child([&] {
      io.notify_fork(net::execution_context::fork_child);
      std::optional<result<value>> late;
      redis.run({"GET", "k"}, [&](result<value> r) { late = std::move(r); });
      const auto give_up = std::chrono::steady_clock::now() + 10s;
      while (!late && std::chrono::steady_clock::now() < give_up) io.run_one_for(1s);
      return late && failed_as(*late, outcome::not_executed, errc::not_supported);
   }));
   io.notify_fork(net::execution_context::fork_parent);
   release();
   io.restart();
   io.run();
   ASSERT_TRUE(in_flight);
   EXPECT_EQ(in_flight->value().as<long long>(), 1) << "the child took nothing";
   run([&]() -> net::awaitable<void> {
      EXPECT_EQ((co_await redis.run({"GET", "k"}, net::use_awaitable)).value().as<std::string>(), "v");
   }());
}

// ---- async_retry ---------------------------------------------------------------------------------------------------

TEST_F(async_redis, retry_awaits_again_what_fails_for_the_moment) {
   int calls = 0;
   run([&]() -> net::awaitable<void> {
      const retry_policy policy{.max_retries = 3, .backoff = fixed_backoff(1ms)};
      const auto third = [&]() -> net::awaitable<result<value>> {
         if (++calls < 3) co_return error(errc::connection_lost, outcome::not_executed);
         co_return co_await redis.run({"PING"}, net::use_awaitable);
      };
      EXPECT_TRUE(co_await async_retry(policy, third));
      const auto never_again = [&]() -> net::awaitable<int> {
         ++calls;
         throw std::logic_error("not transient");
         co_return 0;
      };
      bool thrown = false;
      try {
         co_await async_retry(policy, never_again);
      } catch (const std::logic_error&) {
         thrown = true;
      }
      EXPECT_TRUE(thrown);
   }());
   EXPECT_EQ(calls, 4);
}

}  // namespace
}  // namespace holdfast

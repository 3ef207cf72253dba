// What is too much: replies over a limit, a server that reads slowly or not at all, and thousands of commands that wait
// for half a minute.
#include "engine/engine.hpp"
#include "failed_as.hpp"
#include "lab/deployment.hpp"
#include "redis/own_process.hpp"
#include "runtime/poll/loop.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <thread>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using test::resident_kib;

class Limits : public testing::Test {
 protected:
   static void SetUpTestSuite() {
      node_ = std::make_unique<lab::deployment>(lab::deployment_options{.replicas = 0, .sentinels = 0, .proxy = true});
   }
   static void TearDownTestSuite() { node_.reset(); }
   void SetUp() override { server_.run({"FLUSHALL"}); }

   config settings() const {
      config c = config::from_uri(node_->uri()).value();
      c.deadline = 5s;
      c.observer = [this](const any_event& e) { dialed_ += std::holds_alternative<event::connected>(e); };
      return c;
   }
   // A reply over a limit ends its command at once, and nothing else but its connection.
   void expect_over_limit(client& redis, const command& c, std::string_view which) {
      SCOPED_TRACE(to_string(c));
      ASSERT_TRUE(redis.ping());
      const unsigned before = dialed_;
      const auto replies = redis.run(std::vector<command>{{"INCR", "before"}, c, {"GET", "after"}});
      EXPECT_TRUE(replies[0].has_value());
      ASSERT_TRUE(failed_as(replies[1], outcome::executed, errc::limit_exceeded));
      EXPECT_EQ(replies[1].error().attempts, 1U);
      EXPECT_NE(std::string_view(replies[1].error().what()).find(which), std::string_view::npos)
         << replies[1].error().what();
      EXPECT_TRUE(replies[2].has_value()) << replies[2].error().what();
      EXPECT_EQ(dialed_, before + 1);
   }

   static inline std::unique_ptr<lab::deployment> node_;
   lab::control server_ = node_->node(0).connect();
   mutable unsigned dialed_ = 0;
};

TEST_F(Limits, AReplyThatIsTooLargeFailsItsCommandAloneAndSaysThatItRan) {
   server_.run({"SET", "large", std::string(100'000, 'x')});
   server_.run({"SET", "larger", std::string(100'000, 'x')});
   config c = settings();
   c.limits.reply_bytes = 65'536;
   client redis(c);
   expect_over_limit(redis, {"GET", "large"}, "larger than the limit");
   expect_over_limit(redis, {"GETDEL", "large"}, "larger than the limit");
   EXPECT_EQ(server_.run({"EXISTS", "large"}).integer, 0);
   expect_over_limit(redis, {"MGET", "larger", "larger"}, "larger than the limit");
}

TEST_F(Limits, AReplyOfTooManyElementsFailsItsCommandAlone) {
   for (int i = 0; i < 1000; ++i) server_.run({"RPUSH", "list", "x"});
   config c = settings();
   c.limits.reply_elements = 999;
   client redis(c);
   expect_over_limit(redis, {"LRANGE", "list", "0", "-1"}, "more elements than the limit");
   EXPECT_EQ(redis.run({"LRANGE", "list", "1", "-1"}).value().size(), 999U);
}

TEST_F(Limits, AReplyThatIsNestedTooDeepFailsItsCommandAlone) {
   config c = settings();
   c.limits.reply_nesting = 8;
   client redis(c);
   const auto nested = [](int levels) {
      return command{"EVAL_RO", "local t = {1} for i = 2, tonumber(ARGV[1]) do t = {t} end return t", "0", levels};
   };
   EXPECT_TRUE(redis.run(nested(8)));
   expect_over_limit(redis, nested(9), "nested deeper than the limit");
   c.limits.reply_nesting = 1000;
   EXPECT_TRUE(client(c).run(nested(100)));
}

TEST_F(Limits, ACommandLargerThanTheQueueIsRefusedAtOnceAndTheOthersRun) {
   config c = settings();
   c.limits.parked_bytes = 1U << 20;
   client redis(c);
   const auto replies =
      redis.run(std::vector<command>{{"INCR", "a"}, {"SET", "large", std::string(2U << 20, 'x')}, {"INCR", "a"}});
   EXPECT_EQ(replies[0].value().integer(), 1);
   ASSERT_TRUE(failed_as(replies[1], outcome::not_executed, errc::limit_exceeded));
   EXPECT_EQ(replies[2].value().integer(), 2);
}

// Nobody reads what we write: it stays in the list, not in memory, and what the kernel never took is not executed.
TEST_F(Limits, AServerThatReadsNothingCostsNoMemoryAndTheDeadlineHolds) {
   config c = settings();
   c.attempt_timeout = 10s;
   client redis(c);
   ASSERT_TRUE(redis.ping());
   std::vector<command> list;
   for (int i = 0; i < 20'000; ++i) list.push_back({"RPUSH", "slow", std::string(1000, 'x')});
   const std::size_t before = resident_kib();
   node_->proxy()->hold();
   const auto begin = lab::clock::now();
   const auto replies = redis.run(list, {.deadline = 1s});
   EXPECT_LT(lab::clock::now() - begin, 3s);
   const auto unknown =
      std::count_if(replies.begin(), replies.end(), [](auto& r) { return r.error().outcome == outcome::unknown; });
   EXPECT_LT(resident_kib(), before + 24 * 1024) << "of which the errors take most";
   node_->proxy()->heal(lab::fault_proxy::healing::intact);
   EXPECT_TRUE(redis.ping());
   EXPECT_GT(unknown, 0);
   EXPECT_LT(unknown, 20'000);
   // Through the same connection, or one that was fenced: what was written has run by now, or never will.
   EXPECT_LE(server_.run({"LLEN", "slow"}).integer, unknown);
}

// A server to which every byte takes 20 ms, and every answer as long.
TEST_F(Limits, AServerThatIsSlowGetsEverythingOnce) {
   client redis(settings());
   node_->proxy()->impose(lab::both_ways({.what = lab::network_fault::kind::delay, .time = 20ms}));
   std::vector<command> list;
   for (int i = 0; i < 5000; ++i) list.push_back({"RPUSH", "slow", std::string(1000, 'x')});
   for (const auto& r : redis.run(list)) EXPECT_TRUE(r.has_value());
   node_->proxy()->lift_all();
   EXPECT_EQ(server_.run({"LLEN", "slow"}).integer, 5000);
}

// As many commands as a queue takes, each given by itself, half of them with little time; and a server of their own
// that dies, and is back after 30 s. The client's own parts, as an asynchronous caller would use them.
TEST(ParkedCommands, OfThirtySecondsWithoutAServerEndInTimeOrAreServedInOrderAndCostBoundedMemory) {
   constexpr std::size_t count = 10'000;
   lab::deployment d({.replicas = 0, .sentinels = 0});
   config c = config::from_uri(d.uri()).value();
   impl::engine machine(c, 1);
   impl::loop loop(machine, c.observer);
   std::vector<command> commands;
   for (std::size_t i = 0; i < count; ++i) commands.push_back({"RPUSH", "order", i});
   std::vector<result<value>> replies(count);
   std::vector<impl::operation> operations(count);
   const std::size_t before = resident_kib();
   d.node(0).kill();
   loop.catch_up();
   for (std::size_t i = 0; i < count; ++i) {
      impl::operation& op = operations[i];
      op.commands = {&commands[i], 1};
      op.results = &replies[i];
      op.submitted = loop.time();
      op.deadline = loop.time() + (i % 2 == 0 ? 1s : 60s);
      machine.submit(op, loop.time());
   }
   std::size_t ended = 0, most_kib = 0;
   std::jthread back_later([&] {
      std::promise<void> never;
      never.get_future().wait_for(30s);
      d.node(0).start();
   });
   const bool all = loop.run(
      [&] {
         while (machine.take_done(loop.time()) != nullptr) ++ended;
         most_kib = std::max(most_kib, resident_kib());
         return ended == count;
      },
      nullptr);
   ASSERT_TRUE(all);
   back_later.join();
   EXPECT_LT(most_kib, before + 16 * 1024);
   std::vector<std::string> served;
   for (std::size_t i = 0; i < count; ++i) {
      if (i % 2 == 0) {
         ASSERT_FALSE(replies[i].has_value());
         ASSERT_EQ(replies[i].error().outcome, outcome::not_executed);
         ASSERT_LT(replies[i].error().elapsed, 2s);
      } else {
         served.push_back(std::to_string(i));
         ASSERT_EQ(replies[i].value().integer(), static_cast<std::int64_t>(served.size()));
      }
   }
   std::vector<std::string> held;
   for (const lab::reply& r : d.node(0).connect().run({"LRANGE", "order", "0", "-1"}).elements) held.push_back(r.text);
   EXPECT_EQ(held, served);
}

}  // namespace
}  // namespace holdfast

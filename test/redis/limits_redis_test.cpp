// What is too much: replies over a limit, a server that reads slowly or not at all, and thousands of commands that wait
// for half a minute.
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <future>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

std::size_t resident_kib() {
   std::ifstream status("/proc/self/status");
   for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
   }
   return 0;
}

class Limits : public testing::Test {
 protected:
   static void SetUpTestSuite() {
      node_ = std::make_unique<lab::deployment>(lab::deployment_options{.replicas = 0, .sentinels = 0, .relay = true});
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
      ASSERT_FALSE(replies[1].has_value());
      EXPECT_EQ(replies[1].error().code(), errc::limit_exceeded);
      EXPECT_EQ(replies[1].error().outcome, outcome::executed);
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
   EXPECT_EQ(replies[1].error().code(), errc::limit_exceeded);
   EXPECT_EQ(replies[1].error().outcome, outcome::not_executed);
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
   node_->relay()->hold();
   const auto begin = lab::clock::now();
   const auto replies = redis.run(list, {.deadline = 1s});
   EXPECT_LT(lab::clock::now() - begin, 3s);
   const auto unknown =
      std::count_if(replies.begin(), replies.end(), [](auto& r) { return r.error().outcome == outcome::unknown; });
   EXPECT_LT(resident_kib(), before + 24 * 1024) << "of which the errors take most";
   node_->relay()->heal(lab::relay::healing::intact);
   EXPECT_TRUE(redis.ping());
   EXPECT_GT(unknown, 0);
   EXPECT_LT(unknown, 20'000);
   // Through the same connection, or one that was fenced: what was written has run by now, or never will.
   EXPECT_LE(server_.run({"LLEN", "slow"}).integer, unknown);
}

// A server that takes a few kilobytes at a time gets all of it in the end.
TEST_F(Limits, AServerThatIsSlowGetsEverythingOnce) {
   client redis(settings());
   node_->relay()->delay(20ms);
   std::vector<command> list;
   for (int i = 0; i < 5000; ++i) list.push_back({"RPUSH", "slow", std::string(1000, 'x')});
   for (const auto& r : redis.run(list)) EXPECT_TRUE(r.has_value());
   node_->relay()->delay(0ms);
   EXPECT_EQ(server_.run({"LLEN", "slow"}).integer, 5000);
}

// Its own server: it dies, and is back after 30 s.
TEST(ParkedCommands, OfThirtySecondsWithoutAServerAreAllServedAndCostBoundedMemory) {
   lab::deployment d({.replicas = 0, .sentinels = 0});
   config c = config::from_uri(d.uri()).value();
   c.deadline = 60s;
   client redis(c);
   ASSERT_TRUE(redis.ping());
   std::vector<command> list;
   for (int i = 0; i < 10'000; ++i) list.push_back({"RPUSH", "order", i});
   const std::size_t before = resident_kib();
   d.node(0).kill();
   auto replies = std::async(std::launch::async, [&] { return redis.run(list); });
   EXPECT_EQ(replies.wait_for(30s), std::future_status::timeout);
   EXPECT_LT(resident_kib(), before + 16 * 1024);
   d.node(0).start();
   const auto back = lab::clock::now();
   const auto all = replies.get();
   EXPECT_LT(lab::clock::now() - back, 5s);
   for (int i = 0; i < 10'000; ++i) ASSERT_EQ(all[static_cast<std::size_t>(i)].value().integer(), i + 1);
   lab::control server = d.node(0).connect();
   EXPECT_EQ(server.run({"LLEN", "order"}).integer, 10'000);
   EXPECT_EQ(server.run({"LINDEX", "order", "0"}).text, "0");
   EXPECT_EQ(server.run({"LINDEX", "order", "-1"}).text, "9999");
}

}  // namespace
}  // namespace holdfast

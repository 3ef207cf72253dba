// What a client does on its own account against a real server: the circuit breaker that opens, and the retry budget
// that is spent.
#include "failed_as.hpp"
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

// One server, and what a client of it was told.
class Policies : public testing::Test {
 protected:
   Policies() : server_({.replicas = 0, .sentinels = 0}) {}

   config settings() {
      config c = config::from_uri(server_.uri()).value();
      c.deadline = 5s;
      c.observer = [this](const any_event& e) {
         if (const auto* b = std::get_if<event::breaker_changed>(&e)) states_.push_back(b->state);
         if (const auto* b = std::get_if<event::budget_exhausted>(&e)) held_back_.push_back(b->command + ": " + b->why);
         resent_ += std::holds_alternative<event::resent>(e);
      };
      return c;
   }

   lab::deployment server_;
   std::vector<std::string> states_ = {};
   std::vector<std::string> held_back_ = {};
   unsigned resent_ = 0;
};

using Breaker = Policies;
using Budget = Policies;

TEST_F(Breaker, OpensOnAServerThatStaysDeadFailsFastAndClosesWhenItIsBack) {
   config c = settings();
   c.breaker = circuit_breaker_settings{.consecutive_failures = 3, .minimum_calls = 0, .open_for = 400ms};
   client redis(c);
   EXPECT_EQ(redis.incr("n").value(), 1);
   server_.node(0).kill();
   for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(states_, std::vector<std::string>{}) << "before " << i;
      const auto failed = redis.run({"INCR", "n"}, {.deadline = 60ms});
      ASSERT_FALSE(failed.has_value());
      // The first may have been written just before the end of the connection was seen.
      if (i != 0) {
         EXPECT_EQ(failed.error().outcome, outcome::not_executed) << failed.error().what();
      }
   }
   EXPECT_EQ(states_, std::vector<std::string>{"open"});
   const auto before = lab::clock::now();
   const auto refused = redis.incr("n");
   EXPECT_LT(lab::clock::now() - before, 50ms) << "it waited for what is not there";
   ASSERT_TRUE(failed_as(refused, outcome::not_executed, errc::circuit_open));
   EXPECT_EQ(refused.error().attempts, 0U);

   // Still dead when a probe is let through: one command finds out, and it is open again.
   const auto probe = [&] {
      const auto r = redis.run({"INCR", "n"}, {.deadline = 60ms});
      return r.has_value() || r.error().code() != errc::circuit_open;
   };
   ASSERT_TRUE(lab::became_true(probe, 5s));
   EXPECT_EQ(states_, (std::vector<std::string>{"open", "half-open", "open"}));

   server_.node(0).start();
   server_.node(0).await_pong();
   ASSERT_TRUE(lab::became_true([&] { return redis.incr("n").has_value(); }, 5s));
   EXPECT_EQ(states_, (std::vector<std::string>{"open", "half-open", "open", "half-open", "closed"}));
   EXPECT_EQ(redis.incr("n").value(), 2) << "what was refused did not run";
}

TEST_F(Breaker, StaysClosedWhereTheServerComesBackWithinTheDeadline) {
   config c = settings();
   c.breaker = circuit_breaker_settings{.consecutive_failures = 1};
   client redis(c);
   EXPECT_TRUE(redis.ping().has_value());
   for (int round = 0; round < 3; ++round) {
      server_.node(0).kill();
      std::jthread back([&] {
         server_.node(0).start();
         server_.node(0).await_pong();
      });
      EXPECT_TRUE(redis.set("k", "v").has_value());
   }
   EXPECT_EQ(states_, std::vector<std::string>{});
}

TEST_F(Breaker, CountsNoAnswerOfAWorkingServerAsAFailure) {
   config c = settings();
   c.breaker = circuit_breaker_settings{.consecutive_failures = 1};
   client redis(c);
   EXPECT_TRUE(redis.set("k", "text").value());
   for (int i = 0; i < 30; ++i) EXPECT_EQ(redis.incr("k").error().code(), errc::server_error);
   EXPECT_EQ(states_, std::vector<std::string>{});
}

TEST_F(Budget, BoundsWhatIsSentAgainToAServerThatRefusesAndTellsSo) {
   lab::control server = server_.node(0).connect();
   server.run({"CONFIG", "SET", "min-replicas-to-write", "1"});
   config c = settings();
   c.resend.budget = {.ratio = 0, .per_second = 2, .window = 1s};
   client redis(c);
   const auto spent = redis.incr("n");
   ASSERT_TRUE(failed_as(spent, outcome::not_executed, errc::retry_budget_exhausted));
   EXPECT_EQ(spent.error().attempts, 4U) << "the first, its free resend, and the two that the budget holds";
   EXPECT_EQ(resent_, 3U);
   ASSERT_EQ(held_back_.size(), 1U);
   EXPECT_EQ(held_back_[0].rfind("INCR n: NOREPLICAS", 0), 0U) << held_back_[0];
   EXPECT_LT(spent.error().elapsed, 2s) << "it was not waited for the deadline";

   // What costs nothing goes on, and with time the budget fills again.
   server.run({"CONFIG", "SET", "min-replicas-to-write", "0"});
   EXPECT_EQ(redis.incr("n").value(), 1);
   server.run({"CONFIG", "SET", "min-replicas-to-write", "1"});
   const auto more_than_the_free_one = [&] {
      const auto again = redis.incr("n");
      return !again.has_value() && again.error().attempts > 2;
   };
   EXPECT_TRUE(lab::became_true(more_than_the_free_one, 5s, 100ms));
   server.run({"CONFIG", "SET", "min-replicas-to-write", "0"});
   EXPECT_EQ(redis.incr("n").value(), 2) << "what was refused did not run";
}

TEST_F(Budget, IsNotSpentByCommandsThatOnlyWait) {
   config c = settings();
   c.resend.budget = {.ratio = 0, .per_second = 0};
   client redis(c);
   EXPECT_TRUE(redis.ping().has_value());
   server_.node(0).kill();
   // The first may be written just before the end of the connection is seen, and then there is no budget to repeat it.
   const auto is_known = [&] {
      const auto r = redis.run({"PING"}, {.deadline = 50ms});
      return !r && r.error().code() == errc::no_master;
   };
   ASSERT_TRUE(lab::became_true(is_known, 5s)) << "that the server is dead";
   held_back_.clear();
   EXPECT_EQ(redis.run({"INCR", "n"}, {.deadline = 100ms}).error().outcome, outcome::not_executed);
   std::jthread back([&] {
      server_.node(0).start();
      server_.node(0).await_pong();
   });
   EXPECT_EQ(redis.incr("n").value(), 1) << "it was never written before";
   EXPECT_EQ(held_back_, std::vector<std::string>{});
}

}  // namespace
}  // namespace holdfast

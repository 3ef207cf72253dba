// The lab's faults that put a server into a state in which it refuses or delays commands: that each does what it says,
// to a client that does nothing about it, and that it is over when it says so.
#include "lab/clients.hpp"
#include "lab/fault.hpp"
#include "lab/promotion.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

// Writes as fast as it is answered, takes every refusal for an answer, and connects again when it has to: no more than
// that, so that it sees what a server says.
class plain_client {
 public:
   explicit plain_client(deployment& d) : where_(d.node(0).address()), who_(d.options().node_login) {
      ::signal(SIGPIPE, SIG_IGN);  // hiredis writes to connections that the server has ended
      thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
      await("the client writes", [this] { return count("ok") > 10; }, 5s);
   }

   // How many of its writes (and logins) got an answer that began with this word.
   unsigned count(const std::string& word) const {
      const std::lock_guard lock(guard_);
      const auto found = seen_.find(word);
      return found == seen_.end() ? 0 : found->second;
   }
   milliseconds slowest() const { return slowest_; }
   // The server may have refused a write whose answer is still on its way to here.
   void is_told(const std::string& word) {
      await("the client is told " + word, [&] { return count(word) > 0; }, 5s);
   }
   void writes_again() {
      await("the client writes again", [this, before = count("ok")] { return count("ok") > before + 10; }, 10s);
   }
   std::string all() const {
      const std::lock_guard lock(guard_);
      std::string text;
      for (const auto& [word, times] : seen_) text += word + ": " + std::to_string(times) + "\n";
      return text;
   }

 private:
   void run(const std::stop_token& stop) {
      while (!stop.stop_requested()) {
         try {
            control connection(where_, {}, 10000ms);
            connection.ask({"CLIENT", "SETNAME", "app"});
            while (!stop.stop_requested()) ask(connection);
         } catch (const control_error& e) {
            const std::string what = e.what();
            note(what.find("Connection refused") == std::string::npos ? "lost" : "refused");
         }
      }
   }

   void ask(control& connection) {
      const auto before = clock::now();
      if (!who_.password.empty()) {
         const reply r = connection.ask({"AUTH", who_.username.empty() ? "default" : who_.username, who_.password});
         if (r.is_error()) note(r.text.substr(0, r.text.find(' ')));
      }
      const reply r = connection.ask({"INCR", "n"});
      slowest_ = std::max(slowest_.load(), std::chrono::duration_cast<milliseconds>(clock::now() - before));
      if (!r.is_error()) return note("ok");
      note(r.text.substr(0, r.text.find(' ')));
   }

   void note(const std::string& word) {
      const std::lock_guard lock(guard_);
      ++seen_[word];
   }

   endpoint where_;
   credentials who_;
   mutable std::mutex guard_;
   std::map<std::string, unsigned> seen_;
   std::atomic<milliseconds> slowest_ = 0ms;
   std::jthread thread_;  // last: it uses the others
};

deployment_options small_for(const fault& f) { return f.shape({.replicas = 1, .sentinels = 0}); }

class FaultOfAState : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(FaultOfAState, IsMetByAClientAndIsOverWhenItSaysSo) {
   const auto [name, answer] = GetParam();
   const auto f = fault_named(name);
   ASSERT_TRUE(f);
   EXPECT_EQ(f->unavailable, "");
   EXPECT_FALSE(f->promotes);
   deployment d(small_for(*f));
   plain_client client(d);
   const auto before = clock::now();
   const auto at = f->inject(d, {});
   EXPECT_GE(at, before);
   client.is_told(answer);
   client.writes_again();
   const unsigned met = client.count(answer);
   client.writes_again();
   EXPECT_EQ(client.count(answer), met) << "it is not over: " << client.all();
}

INSTANTIATE_TEST_SUITE_P(OfAServer, FaultOfAState,
                         testing::Values(std::pair{"maxclients", "lost"}, std::pair{"loading", "LOADING"},
                                         std::pair{"oom", "OOM"}, std::pair{"noreplicas", "NOREPLICAS"},
                                         std::pair{"busy", "BUSY"}, std::pair{"auth", "WRONGPASS"}),
                         [](const auto& each) { return std::string(each.param.first); });

TEST(FaultOfPause, RefusesNothingAndEndsNoConnectionButTakesItsTime) {
   const auto f = fault_named("pause");
   deployment d(small_for(*f));
   plain_client client(d);
   f->inject(d, {});
   client.writes_again();
   EXPECT_GE(client.slowest(), 2900ms);
   EXPECT_LT(client.slowest(), 4000ms) << "a client that waits twice its attempt timeout gives up";
   EXPECT_EQ(client.count("lost"), 0U) << client.all();
}

TEST(FaultOfMisconf, StopsWritesUntilTheSentinelsReplaceTheMasterAndLosesNone) {
   const auto f = fault_named("misconf");
   deployment d(f->shape({.replicas = 1, .sentinels = 1}));
   promotion_watch promotions(d);
   plain_client client(d);
   f->inject(d, {});
   client.is_told("MISCONF");
   const unsigned acknowledged = client.count("ok");
   EXPECT_EQ(d.node(0).connect().ask({"PING"}).text.substr(0, 7), "MISCONF") << "that is what Sentinels ask";
   EXPECT_FALSE(d.node(0).connect().ask({"GET", "n"}).is_error());
   await("a replica is promoted", [&] { return promotions.first().has_value(); }, 15s);
   EXPECT_EQ(client.count("ok"), acknowledged) << client.all();
   EXPECT_EQ(d.node_at(promotions.first()->node).connect().run({"GET", "n"}).text, std::to_string(acknowledged));
}

TEST(Refusals, CountWhatAWorkloadSaidAndNobodyElse) {
   deployment d({.replicas = 0, .sentinels = 0});
   control server = d.node(0).connect();
   EXPECT_EQ(refusals(server), 0U);
   server.run({"CONFIG", "SET", "maxmemory", "1"});
   EXPECT_TRUE(server.ask({"SET", "k", "v"}).is_error());
   EXPECT_TRUE(server.ask({"RPUSH", "l", "v"}).is_error());
   EXPECT_EQ(refusals(server), 2U);
   EXPECT_TRUE(server.ask({"CONFIG", "SET"}).is_error());
   EXPECT_TRUE(server.ask({"PING", "a", "b"}).is_error());
   EXPECT_EQ(refusals(server), 2U);
}

}  // namespace
}  // namespace holdfast::lab

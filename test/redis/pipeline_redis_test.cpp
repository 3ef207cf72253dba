// Pipelines whose connection to a real server is cut at exact bytes: what the client says of each command is compared
// with what the server then holds. (The same at every single point, without a server: unit/engine/pipeline_test.cpp.)
#include "lab/cutter.hpp"
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

enum class sort : std::uint8_t { get, set, count, push, transaction };
constexpr std::size_t sorts = 5;

// A list of commands, of which each writes under its own number, and what came of each.
class numbered_list {
 public:
   numbered_list(std::size_t length, std::size_t first_sort) : first_sort_(first_sort) {
      for (std::size_t i = 0; i < length; ++i) {
         begins_.push_back(commands_.size());
         const std::string n = std::to_string(i);
         switch (sort_of(i)) {
            case sort::get: commands_.push_back({"GET", "fixed"}); break;
            case sort::set: commands_.push_back({"SET", "set:" + n, n}); break;
            case sort::count: commands_.push_back({"HINCRBY", "counters", n, 1}); break;
            case sort::push: commands_.push_back({"RPUSH", "list", n}); break;
            case sort::transaction:
               commands_.push_back({"MULTI"});
               commands_.push_back({"HINCRBY", "counters", n, 1});
               commands_.push_back({"RPUSH", "list", n});
               commands_.push_back({"EXEC"});
         }
      }
      begins_.push_back(commands_.size());
   }

   void run(client& redis) { replies_ = redis.run(commands_); }

   // Returns how many outcomes are unknown.
   std::size_t compare_with(lab::control& server) const {
      const held h = read(server);
      std::size_t unknown = 0;
      for (std::size_t i = 0; i + 1 < begins_.size() && !testing::Test::HasFailure(); ++i) {
         const std::size_t first = begins_[i], last = begins_[i + 1] - 1;
         const result<value>& reply = replies_[last];
         SCOPED_TRACE(to_string(commands_[first]) + ", number " + std::to_string(i) + ": " +
                      (reply ? "answered" : reply.error().what()));
         unknown += !reply && reply.error().outcome == outcome::unknown;
         compare(i, reply, h);
      }
      EXPECT_TRUE(std::is_sorted(h.list.begin(), h.list.end()));
      return unknown;
   }

 private:
   struct held {
      std::set<std::size_t> keys;
      std::map<std::size_t, unsigned> counters;
      std::map<std::size_t, unsigned> pushes;
      std::vector<std::size_t> list;
   };

   sort sort_of(std::size_t i) const { return static_cast<sort>((first_sort_ + i) % sorts); }

   static held read(lab::control& server) {
      held h;
      const auto all = server.run_all({{"HGETALL", "counters"}, {"LRANGE", "list", "0", "-1"}, {"KEYS", "set:*"}});
      for (std::size_t i = 0; i < all[0].elements.size(); i += 2)
         h.counters[std::stoul(all[0].elements[i].text)] =
            static_cast<unsigned>(std::stoul(all[0].elements[i + 1].text));
      for (const lab::reply& pushed : all[1].elements) {
         h.list.push_back(std::stoul(pushed.text));
         ++h.pushes[h.list.back()];
      }
      for (const lab::reply& key : all[2].elements) h.keys.insert(std::stoul(key.text.substr(4)));
      return h;
   }

   void compare(std::size_t i, const result<value>& reply, const held& h) const {
      const auto times = [&](const std::map<std::size_t, unsigned>& of) { return of.contains(i) ? of.at(i) : 0U; };
      const auto expect = [&](unsigned ran) {
         EXPECT_LE(ran, 1U) << "doubled";
         if (reply) {
            EXPECT_EQ(ran, 1U) << "lost";
         } else if (reply.error().outcome == outcome::not_executed) {
            EXPECT_EQ(ran, 0U) << "it ran, though it is said not to have";
         }
      };
      switch (sort_of(i)) {
         case sort::get: EXPECT_TRUE(reply.has_value()); return;
         case sort::set:
            EXPECT_TRUE(reply.has_value());
            EXPECT_TRUE(h.keys.contains(i));
            return;
         case sort::count: return expect(times(h.counters));
         case sort::push: return expect(times(h.pushes));
         case sort::transaction:
            EXPECT_EQ(times(h.counters), times(h.pushes)) << "half a transaction";
            return expect(times(h.counters));
      }
   }

   std::size_t first_sort_;
   std::vector<command> commands_;
   std::vector<std::size_t> begins_;
   std::vector<result<value>> replies_;
};

class BrokenPipeline : public testing::Test {
 protected:
   static void SetUpTestSuite() { node_ = new lab::deployment({.replicas = 0, .sentinels = 0}); }
   static void TearDownTestSuite() {
      delete node_;
      node_ = nullptr;
   }

   config settings() {
      config c;
      c.server = between_.address();
      c.deadline = 20s;
      c.attempt_timeout = 100ms;
      c.resend.budget.unlimited = true;  // its limits have a test of their own
      c.observer = [this](const any_event& e) {
         if (const auto* lost = std::get_if<event::connection_lost>(&e)) unanswered_ += lost->unanswered;
      };
      return c;
   }

   void clear() {
      server_.run({"FLUSHALL"});
      unanswered_ = 0;
   }

   void expect_truth(std::size_t length, std::size_t first_sort, lab::cut where) {
      SCOPED_TRACE("cut " + std::to_string(where.after) + " bytes on, " +
                   (where.towards == lab::direction::to_server ? "of the commands" : "of the replies"));
      clear();
      ASSERT_TRUE(redis_.ping());
      const std::size_t cuts = between_.cuts();
      between_.cut_open(where);
      numbered_list list(length, first_sort);
      list.run(redis_);
      ASSERT_EQ(between_.cuts(), cuts + 1);
      EXPECT_LE(list.compare_with(server_), unanswered_);
   }

   static constexpr lab::ending ways[] = {lab::ending::reset, lab::ending::fin};
   // How many bytes such a list and its replies take; the client's own handshake left out.
   std::pair<std::size_t, std::size_t> size_of(std::size_t length, std::size_t first_sort) {
      clear();
      redis_.ping().value();
      const auto before = between_.connections().back();
      numbered_list list(length, first_sort);
      list.run(redis_);
      EXPECT_EQ(list.compare_with(server_), 0U);
      const auto after = between_.connections().back();
      return {after.to_server - before.to_server, after.to_client - before.to_client};
   }

   static inline lab::deployment* node_ = nullptr;
   lab::cutter between_{node_->node(0).own_address()};
   lab::control server_ = node_->node(0).connect();
   std::size_t unanswered_ = 0;
   client redis_{settings()};
};

TEST_F(BrokenPipeline, OfOneCommandTellsTheTruthWhereverItIsCut) {
   for (std::size_t s = 0; s < sorts; ++s) {
      const auto [sent, replied] = size_of(1, s);
      for (std::size_t at = 0; at <= sent && !HasFailure(); ++at)
         expect_truth(1, s, {lab::direction::to_server, at, ways[at % 2]});
      for (std::size_t at = 0; at < replied && !HasFailure(); ++at)
         expect_truth(1, s, {lab::direction::to_client, at, ways[at % 2]});
   }
}

TEST_F(BrokenPipeline, OfTenCommandsTellsTheTruthWhereverItIsCut) {
   const auto [sent, replied] = size_of(10, 0);
   for (std::size_t at = 0; at <= sent && !HasFailure(); ++at)
      expect_truth(10, 0, {lab::direction::to_server, at, ways[at % 2]});
   for (std::size_t at = 0; at < replied && !HasFailure(); ++at)
      expect_truth(10, 0, {lab::direction::to_client, at, ways[at % 2]});
}

TEST_F(BrokenPipeline, OfAThousandCommandsTellsTheTruthWhereverItIsCut) {
   const auto [sent, replied] = size_of(1000, 0);
   constexpr std::size_t steps = 60;
   for (std::size_t i = 0; i < steps && !HasFailure(); ++i) {
      expect_truth(1000, i, {lab::direction::to_server, sent * i / steps + i, ways[i % 2]});
      expect_truth(1000, i, {lab::direction::to_client, replied * i / steps + i, ways[i % 2]});
   }
}

TEST_F(BrokenPipeline, OfAHundredThousandCommandsTellsTheTruthWhereverItIsCut) {
   constexpr std::size_t length = 100'000;
   const auto [sent, replied] = size_of(length, 0);
   for (const double part : {0.0, 0.003, 0.5, 0.99}) {
      if (HasFailure()) return;
      const auto of = [part](std::size_t size) { return static_cast<std::size_t>(part * static_cast<double>(size)); };
      expect_truth(length, 0, {lab::direction::to_server, of(sent) + 7, lab::ending::reset});
      expect_truth(length, 0, {lab::direction::to_client, of(replied) + 7, lab::ending::fin});
   }
}

TEST_F(BrokenPipeline, TellsTheTruthThroughFiveHundredCutsAtRandomBytes) {
   const std::uint32_t seed = std::random_device{}();
   SCOPED_TRACE("seed " + std::to_string(seed));
   std::mt19937 random(seed);
   constexpr std::size_t length = 50;
   const auto [sent, replied] = size_of(length, 0);
   std::size_t unknown = 0;
   unsigned rounds = 0;
   while (between_.cuts() < 500 && !HasFailure()) {
      SCOPED_TRACE("round " + std::to_string(++rounds));
      clear();
      ASSERT_TRUE(redis_.ping());
      // In half of the rounds the next connection is cut too, be it in the middle of its handshake.
      if (random() % 2 == 0) between_.cut_next({lab::direction::to_client, random() % 600, lab::ending::reset});
      const std::size_t before = between_.cuts();
      const bool out = random() % 2 == 0;
      between_.cut_open({out ? lab::direction::to_server : lab::direction::to_client,
                         random() % (out ? sent : replied) * 9 / 10,
                         rounds % 50 == 0 ? lab::ending::silence : ways[random() % 2]});
      numbered_list list(length, random());
      list.run(redis_);
      EXPECT_GT(between_.cuts(), before);
      const std::size_t found = list.compare_with(server_);
      EXPECT_LE(found, unanswered_);
      unknown += found;
      between_.heal();
   }
   EXPECT_GT(unknown, 0U);  // or nothing was cut where it matters
   RecordProperty("rounds", static_cast<int>(rounds));
   RecordProperty("unknown", static_cast<int>(unknown));
}

}  // namespace
}  // namespace holdfast

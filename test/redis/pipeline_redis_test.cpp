// Pipelines whose connection to a real server is cut at exact bytes: what the client says of each command is compared
// with what the server then holds. (At far more points, without a server: unit/engine/pipeline_test.cpp.)
#include "lab/deployment.hpp"
#include "lab/fault_proxy.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using kind = lab::network_fault::kind;

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

   void expect_truth(std::size_t length, std::size_t first_sort, lab::network_fault where) {
      SCOPED_TRACE("cut " + std::to_string(where.after) + " bytes on, " +
                   (where.towards == lab::direction::to_server ? "of the commands" : "of the replies"));
      clear();
      ASSERT_TRUE(redis_.ping());
      const std::size_t cuts = between_.cuts();
      between_.impose_on_open(where);
      numbered_list list(length, first_sort);
      list.run(redis_);
      ASSERT_EQ(between_.cuts(), cuts + 1);
      EXPECT_LE(list.compare_with(server_), unanswered_);
   }

   static constexpr kind ways[] = {kind::reset, kind::close};
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
   lab::fault_proxy between_{node_->node(0).own_address()};
   lab::control server_ = node_->node(0).connect();
   std::size_t unanswered_ = 0;
   client redis_{settings()};
};

TEST_F(BrokenPipeline, OfOneAndOfTenCommandsTellsTheTruthWhereverItIsCut) {
   for (std::size_t i = 0; i <= sorts; ++i) {  // one of each sort, and then ten
      const std::size_t length = i < sorts ? 1 : 10, first_sort = i % sorts;
      const auto [sent, replied] = size_of(length, first_sort);
      for (std::size_t at = 0; at <= sent && !HasFailure(); ++at)
         expect_truth(length, first_sort, {ways[at % 2], lab::direction::to_server, at});
      for (std::size_t at = 0; at < replied && !HasFailure(); ++at)
         expect_truth(length, first_sort, {ways[at % 2], lab::direction::to_client, at});
   }
}

TEST_F(BrokenPipeline, OfAThousandCommandsTellsTheTruthWhereverItIsCut) {
   const auto [sent, replied] = size_of(1000, 0);
   constexpr std::size_t steps = 60;
   for (std::size_t i = 0; i < steps && !HasFailure(); ++i) {
      expect_truth(1000, i, {ways[i % 2], lab::direction::to_server, sent * i / steps + i});
      expect_truth(1000, i, {ways[i % 2], lab::direction::to_client, replied * i / steps + i});
   }
}

TEST_F(BrokenPipeline, OfAHundredThousandCommandsTellsTheTruthWhereverItIsCut) {
   constexpr std::size_t length = 100'000;
   const auto [sent, replied] = size_of(length, 0);
   for (const double part : {0.0, 0.003, 0.5, 0.99}) {
      if (HasFailure()) return;
      const auto of = [part](std::size_t size) { return static_cast<std::size_t>(part * static_cast<double>(size)); };
      expect_truth(length, 0, {kind::reset, lab::direction::to_server, of(sent) + 7});
      expect_truth(length, 0, {kind::close, lab::direction::to_client, of(replied) + 7});
   }
}

TEST_F(BrokenPipeline, TellsTheTruthThroughFiveHundredCutsAtRandomBytes) {
   const char* const given = std::getenv("HOLDFAST_SEED");
   const auto seed = given != nullptr ? static_cast<std::uint32_t>(std::stoul(given)) : std::random_device{}();
   SCOPED_TRACE("HOLDFAST_SEED=" + std::to_string(seed));
   std::mt19937 random(seed);
   config c = settings();
   c.attempt_timeout = 100ms;  // for the silent ones
   redis_ = client(c);
   constexpr std::size_t length = 50;
   const auto [sent, replied] = size_of(length, 0);
   std::size_t unknown = 0;
   unsigned rounds = 0;
   while (between_.cuts() < 500 && !HasFailure()) {
      SCOPED_TRACE("round " + std::to_string(++rounds));
      ASSERT_LT(rounds, 1000U) << "too few of them cut anything";
      clear();
      ASSERT_TRUE(redis_.ping());
      // In half of the rounds the next connection is cut too, be it in the middle of its handshake.
      if (random() % 2 == 0) between_.impose_on_next({kind::reset, lab::direction::to_client, random() % 600});
      const bool out = random() % 2 == 0;
      between_.impose_on_open({rounds % 50 == 0 ? kind::silence : ways[random() % 2],
                               out ? lab::direction::to_server : lab::direction::to_client,
                               random() % (out ? sent : replied) * 9 / 10});
      numbered_list list(length, random());
      list.run(redis_);
      const std::size_t found = list.compare_with(server_);
      EXPECT_LE(found, unanswered_);
      unknown += found;
      between_.lift_all();
   }
   EXPECT_GT(unknown, 0U);  // or nothing was cut where it matters
   RecordProperty("rounds", static_cast<int>(rounds));
   RecordProperty("unknown", static_cast<int>(unknown));
}

// ---- commands about the same keys ----------------------------------------------------------------------------------

using texts = std::map<std::string, std::string>;

// What Redis does, for the commands of this test.
void apply(const std::vector<std::string>& c, texts& data) {
   if (c[0] == "SET") data[c[1]] = c[2];
   if (c[0] == "APPEND") data[c[1]] += c[2];
   if (c[0] == "DEL") data.erase(c[1]);
   if (c[0] == "RENAME" && data.contains(c[1])) {
      const std::string value = data[c[1]];
      data.erase(c[1]);
      data[c[2]] = value;
   }
}

std::vector<std::string> random_write(std::mt19937& random, int number) {
   const std::string key(1, static_cast<char>('a' + random() % 3));
   const std::string other(1, static_cast<char>('a' + random() % 3));
   switch (random() % 5) {
      case 0: return {"APPEND", key, "+" + std::to_string(number)};
      case 1: return {"RENAME", key, other};
      case 2: return {"DEL", key};
      default: return {"SET", key, std::to_string(number)};
   }
}

// Whether the data is what the list leaves behind when it runs once, in order, with some of the unknown ones or
// without.
bool is_explained(const std::vector<std::vector<std::string>>& list, const std::vector<result<value>>& replies,
                  const texts& held) {
   std::set<texts> possible{{}};
   for (std::size_t i = 0; i < list.size(); ++i) {
      const bool unknown = !replies[i] && replies[i].error().outcome == outcome::unknown;
      const bool refused = !replies[i] && !unknown && replies[i].error().server_text.empty();
      std::set<texts> after = unknown || refused ? possible : std::set<texts>();
      for (texts data : possible) {
         if (!refused) apply(list[i], data), after.insert(data);
      }
      possible = std::move(after);
   }
   return possible.contains(held);
}

TEST_F(BrokenPipeline, OfWritesToTheSameKeysLeavesBehindWhatTheyLeaveInTheirOrder) {
   std::mt19937 random(7);
   for (int round = 0; round < 400 && !HasFailure(); ++round) {
      SCOPED_TRACE("round " + std::to_string(round));
      clear();
      ASSERT_TRUE(redis_.ping());
      const bool out = random() % 2 == 0;
      between_.lift_all();
      between_.impose_on_open({ways[random() % 2], out ? lab::direction::to_server : lab::direction::to_client,
                               random() % (out ? 350U : 45U)});
      std::vector<std::vector<std::string>> list;
      std::vector<command> commands;
      for (int i = 0; i < 12; ++i) {
         list.push_back(random_write(random, i));
         commands.push_back(command::from(list.back()));
      }
      const auto replies = redis_.run(commands);
      texts held;
      for (const std::string key : {"a", "b", "c"}) {
         const lab::reply r = server_.run({"GET", key});
         if (!r.is_nil()) held[key] = r.text;
      }
      std::string told;
      for (std::size_t i = 0; i < list.size(); ++i)
         told += to_string(commands[i]) + ": " + (replies[i] ? "ran" : replies[i].error().what()) + '\n';
      for (const auto& [key, text] : held) told += key + " holds " + text + '\n';
      EXPECT_TRUE(is_explained(list, replies, held)) << told;
   }
}

}  // namespace
}  // namespace holdfast

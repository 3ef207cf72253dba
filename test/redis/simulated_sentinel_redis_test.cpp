// The simulator's model of a Sentinel against a real one: what it answers, and what it publishes in a failover.
#include "simulated.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <regex>
#include <set>

namespace holdfast::sim {
namespace {

constexpr std::chrono::milliseconds down_after(500);

// Addresses, ids, epochs and counts are each process' own; runs of replies of one kind become one.
std::string form_of(std::string text) {
   static const std::regex address(R"(\d+\.\d+\.\d+\.\d+[: ]\d+)");
   static const std::regex id("[0-9a-f]{40}");
   static const std::regex number(R"((^|[ /])\d+)");
   text = std::regex_replace(text, address, "ADDRESS");
   text = std::regex_replace(text, id, "ID");
   return std::regex_replace(text, number, "$1N");
}

// The names of the fields, and the values of those that are the same everywhere.
std::string shape_of(const std::string& fields) {
   static const auto names = words_of(
      "flags link-refcount role-reported num-slaves num-other-sentinels quorum parallel-syncs master-link-status "
      "slave-priority voted-leader replica-announced failover-timeout down-after-milliseconds");
   static const std::set<std::string> same(names.begin(), names.end());
   static const std::regex field(R"(\[([^\[\]]*)\]\[([^\[\]]*)\])");
   std::string shape;
   for (std::sregex_iterator i(fields.begin(), fields.end(), field), last; i != last; ++i) {
      shape += (*i)[1].str();
      if (same.contains((*i)[1].str())) shape += "=" + (*i)[2].str();
      shape += " ";
   }
   return shape;
}

lab::deployment_options watched(unsigned sentinels) {
   return {.replicas = 2, .sentinels = sentinels, .down_after = down_after};
}

sentinel_settings as_in_the_lab() {
   sentinel_settings s;
   s.down_after = down_after.count();
   return s;
}

TEST(SimulatedSentinel, AnswersAsARealOneDoes) {
   lab::deployment real(watched(3));
   model_deployment model({}, 2, 3, as_in_the_lab());
   model.pass(12s);
   real_line line(real.sentinel(0).own_address());
   const connection_id c = model.connect(model.sentinel(0));
   expect_same(model, c, line,
               "PING; PING x; SELECT 0; GET k; NOSUCH; AUTH x; AUTH; AUTH default x; SENTINEL; SENTINEL NOSUCH; "
               "SENTINEL MASTER; SENTINEL MASTER nobody; SENTINEL SENTINELS nobody; SENTINEL REPLICAS nobody; "
               "SENTINEL GET-MASTER-ADDR-BY-NAME nobody; SENTINEL GET-MASTER-ADDR-BY-NAME; "
               "SENTINEL FAILOVER nobody; ROLE; CLIENT SETNAME joe; HELLO 4; HELLO x; HELLO 2 NOSUCH; "
               "SENTINEL MYID a");
   for (const std::string question : {"HELLO", "HELLO 2", "HELLO 3"}) {
      const auto without_id = [](const std::string& answer) {
         return std::regex_replace(answer, std::regex(":[0-9]+"), ":N");
      };
      EXPECT_EQ(without_id(model.ask(c, words_of(question))), without_id(line.ask(words_of(question)))) << question;
   }
   for (const std::string question : {"SENTINEL MASTER mymaster", "SENTINEL REPLICAS mymaster",
                                      "SENTINEL SLAVES mymaster", "SENTINEL SENTINELS mymaster"})
      EXPECT_EQ(shape_of(model.ask(c, words_of(question))), shape_of(line.ask(words_of(question)))) << question;
   EXPECT_EQ(form_of(model.ask(c, {"SENTINEL", "MYID"})), form_of(line.ask({"SENTINEL", "MYID"})));
   EXPECT_EQ(model.ask(c, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"}), "(2)[10.0.0.1][6379]");
}

TEST(SimulatedSentinel, AsksForItsPasswordAsARealOneDoes) {
   auto options = watched(1);
   options.replicas = 0;
   options.sentinel_login = {.password = "secret"};
   lab::deployment real(options);
   sentinel_settings s;
   s.password = "secret";
   model_deployment model({}, 0, 1, s);
   real_line line(real.sentinel(0).own_address());
   const connection_id c = model.connect(model.sentinel(0));
   expect_same(model, c, line,
               "PING; SENTINEL MYID; SUBSCRIBE a; HELLO 2; HELLO 2 AUTH default wrong; AUTH wrong; "
               "AUTH default wrong; AUTH joe secret; NOSUCH; AUTH secret; PING; AUTH default secret");
}

// Those that every failover has.
const auto channels = words_of(
   "+sdown +odown +new-epoch +try-failover +vote-for-leader +elected-leader +failover-state-select-slave "
   "+selected-slave +failover-state-send-slaveof-noone +failover-state-wait-promotion +promoted-slave "
   "+failover-state-reconf-slaves +slave-reconf-sent +slave-reconf-inprog +slave-reconf-done +failover-end "
   "+switch-master +config-update-from +slave");

struct events {
   std::set<std::string> published;
   // Of one Sentinel each: the channels, in their order, from the first step of the failover that it leads to the last.
   std::vector<std::vector<std::string>> in_order;

   void gather(std::size_t sentinel, const std::vector<std::string>& replies) {
      if (in_order.size() <= sentinel) in_order.resize(sentinel + 1);
      for (const std::string& reply : replies) {
         static const std::regex message(R"(\(3\)\[message\]\[(.*)\]\[(.*)\])");
         std::smatch parts;
         if (!std::regex_match(reply, parts, message)) continue;
         published.insert(parts[1].str() + " " + form_of(parts[2].str()));
         in_order[sentinel].push_back(parts[1].str());
      }
   }
   // Empty as long as it is not complete.
   std::vector<std::string> of_the_leader() const {
      for (const auto& all : in_order) {
         const auto elected = std::find(all.begin(), all.end(), "+elected-leader");
         const auto last = std::find(elected, all.end(), "+switch-master");
         if (last == all.end()) continue;
         const auto tried = std::find(std::make_reverse_iterator(elected), all.rend(), "+new-epoch");
         return {tried.base() - 1, last + 1};
      }
      return {};
   }
};

TEST(SimulatedSentinel, PublishesWhatARealOnePublishesInAFailover) {
   lab::deployment real(watched(3));
   model_deployment model({}, 2, 3, as_in_the_lab());
   model.pass(12s);
   std::vector<std::string> subscription{"SUBSCRIBE"};
   subscription.insert(subscription.end(), channels.begin(), channels.end());
   std::vector<std::unique_ptr<real_line>> lines;
   std::vector<connection_id> connections;
   for (unsigned i = 0; i < 3; ++i) {
      lines.push_back(std::make_unique<real_line>(real.sentinel(i).own_address()));
      const auto confirmed = lines.back()->exchange(bytes_of(subscription), channels.size());
      connections.push_back(model.connect(model.sentinel(i)));
      EXPECT_EQ(model.exchange(connections.back(), bytes_of(subscription)), confirmed);
      EXPECT_EQ(model.ask(connections.back(), {"PING"}), lines.back()->ask({"PING"}));
   }
   real.node(0).kill();
   model.kill(0);

   events modelled;
   for (std::size_t i = 0; i < 3; ++i) modelled.gather(i, model.take(connections[i], 3s));
   events truly;
   std::array<std::size_t, 3> taken{};
   const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
   while ((truly.published.size() < modelled.published.size() || truly.of_the_leader().empty()) &&
          std::chrono::steady_clock::now() < patience) {
      for (std::size_t i = 0; i < 3; ++i) {
         const auto all = replies_in(lines[i]->take(std::chrono::milliseconds(50)));
         truly.gather(i, {all.begin() + static_cast<std::ptrdiff_t>(taken[i]), all.end()});
         taken[i] = all.size();
      }
   }
   EXPECT_EQ(modelled.published, truly.published);
   EXPECT_FALSE(modelled.of_the_leader().empty());
   EXPECT_EQ(modelled.of_the_leader(), truly.of_the_leader());

   // Who is left, and how they are described: the old master is a replica that is down.
   const auto replicas = [](const std::string& answer) {
      std::multiset<std::string> shapes;
      for (std::size_t at = answer.find("[name]"), next = 0; at != std::string::npos; at = next) {
         next = answer.find("[name]", at + 1);
         shapes.insert(shape_of(answer.substr(at, next - at)));
      }
      return shapes;
   };
   const auto down = [](const std::string& answer) { return answer.find("s_down") != std::string::npos; };
   const std::vector<std::string> question{"SENTINEL", "REPLICAS", "mymaster"};
   for (unsigned i = 0; i < 3; ++i) {
      real_line line(real.sentinel(i).own_address());
      const connection_id c = model.connect(model.sentinel(i));
      const std::vector<std::string> master{"SENTINEL", "MASTER", "mymaster"};
      const auto over = [](const std::string& answer) {
         return answer.find("failover_in_progress") == std::string::npos;
      };
      lab::await("the failover is over", [&] { return over(line.ask(master)); }, std::chrono::seconds(10));
      std::string expected;
      lab::await(
         "the old master is down", [&] { return down(expected = line.ask(question)); }, std::chrono::seconds(5));
      std::string answer;
      for (int n = 0; n < 100 && !down(answer = model.ask(c, question)); ++n) model.pass(50ms);
      EXPECT_EQ(replicas(answer), replicas(expected));
      EXPECT_EQ(shape_of(model.ask(c, master)), shape_of(line.ask(master)));
   }
}

}  // namespace
}  // namespace holdfast::sim

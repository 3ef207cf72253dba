#include "lab/clients.hpp"
#include "lab/fault.hpp"
#include "lab/promotion.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <ctime>
#include <fstream>
#include <optional>
#include <set>
#include <thread>

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

std::set<std::string> clients_named(control& server, const std::string& beginning) {
   std::set<std::string> found;
   const std::string list = server.run({"CLIENT", "LIST"}).text;
   for (std::size_t at = 0; (at = list.find(" name=" + beginning, at)) != std::string::npos; ++at) {
      const std::size_t line = list.rfind('\n', at) == std::string::npos ? 0 : list.rfind('\n', at) + 1;
      found.insert(list.substr(line, list.find(' ', line) - line));
   }
   return found;
}

TEST(LabFaults, EachHasANameOfItsOwnAndTellsWhatItDoes) {
   std::set<std::string> names;
   for (const fault& f : every_fault()) {
      EXPECT_TRUE(names.insert(f.name).second) << f.name;
      EXPECT_FALSE(f.description.empty());
      EXPECT_FALSE(f.shows.empty()) << f.name;
      EXPECT_EQ(fault_named(f.name)->name, f.name);
   }
   EXPECT_FALSE(fault_named("nonsense"));
}

TEST(LabFaults, APlannedFailoverIsSeenAsOnePromotionBeforeTheSentinelsNameIt) {
   deployment d({.replicas = 1, .sentinels = 1});
   promotion_watch promotions(d);
   naming_watch namings(d);
   const auto at = fault_named("failover")->inject(d, {});
   await("the Sentinel names another master", [&] { return namings.first().has_value(); }, 10s);
   const auto seen = promotions.seen();
   ASSERT_EQ(seen.size(), 1U);
   EXPECT_EQ(seen[0].node, d.node(1).address());
   EXPECT_EQ(namings.first()->master, d.node(1).address());
   EXPECT_LT(at, seen[0].at);
   EXPECT_LE(seen[0].at, seen[0].accepted);
   EXPECT_LT(seen[0].at, namings.first()->at);
   EXPECT_FALSE(namings.more_failovers_than(1));
}

// When the node says in its log that it was made a master, to the millisecond below.
std::optional<clock::time_point> promoted_by_its_own_word(const server& node) {
   std::ifstream log(node.log());
   for (std::string line; std::getline(log, line);) {
      if (line.find("MASTER MODE enabled") == std::string::npos) continue;
      // 1234:M 28 Nov 2026 15:16:52.123 * MASTER MODE enabled ...
      tm local = {};
      const char* rest = ::strptime(line.c_str() + line.find(' ') + 1, "%d %b %Y %H:%M:%S", &local);
      if (rest == nullptr || *rest != '.') return std::nullopt;
      local.tm_isdst = -1;
      const auto written =
         std::chrono::system_clock::from_time_t(::mktime(&local)) + milliseconds(std::stoi(std::string(rest + 1, 3)));
      return clock::now() - (std::chrono::system_clock::now() - written);
   }
   return std::nullopt;
}

TEST(LabFaults, APromotionIsSeenWhenTheNodeSaysThatItHappened) {
   deployment d({.replicas = 1, .sentinels = 1});
   const promotion_watch promotions(d);
   fault_named("failover")->inject(d, {});
   await("a replica is promoted", [&] { return promotions.first().has_value(); }, 10s);
   const auto own_word = promoted_by_its_own_word(d.node(1));
   ASSERT_TRUE(own_word) << d.node(1).log_end();
   const double late_ms = ms_between(*own_word, promotions.first()->at);
   RecordProperty("late_ms", std::to_string(late_ms));
   EXPECT_GT(late_ms, -1) << "it was something else";
   EXPECT_LT(late_ms, 10) << "1 ms of it is the log's, and some are for a machine that is busy";
}

TEST(LabFaults, AStoppedMasterIsReplacedAndStillSaysMasterWhenItWakes) {
   deployment d({.replicas = 1, .sentinels = 1, .down_after = 300ms});
   promotion_watch promotions(d);
   const auto stop = fault_named("stop");
   stop->inject(d, {});
   await("a replica is promoted", [&] { return promotions.first().has_value(); }, 15s);
   stop->after_promotion(d, {});
   EXPECT_EQ(d.node(0).connect().role(), "master");
   EXPECT_EQ(promotions.first()->node, d.node(1).address());
}

TEST(LabFaults, ShutDownMeansThatTheProcessHasEnded) {
   deployment d({.replicas = 1, .sentinels = 0});
   fault_named("shutdown")->inject(d, {});
   EXPECT_FALSE(d.node(0).running());
}

TEST(LabFaults, AKilledMasterIsRevivedAfterThePromotionAsAMasterWithItsData) {
   const auto revive = fault_named("revive");
   deployment d(revive->shape({.replicas = 1, .sentinels = 1, .down_after = 300ms}));
   d.node(0).connect().run({"SET", "before", "1"});
   const promotion_watch promotions(d);
   revive->inject(d, {});
   EXPECT_FALSE(d.node(0).running());
   await("a replica is promoted", [&] { return promotions.first().has_value(); }, 15s);
   revive->after_promotion(d, {});
   control revived = d.node(0).connect();
   EXPECT_EQ(revived.role(), "master");
   EXPECT_EQ(revived.run({"GET", "before"}).text, "1");
   EXPECT_EQ(promotions.seen().size(), 1U) << "to come back is no promotion";
}

TEST(LabFaults, ARogueSaysThatItIsAMasterAndNoSentinelDoes) {
   const auto rogue = fault_named("rogue");
   deployment d(rogue->shape({.replicas = 1, .sentinels = 1}));
   const promotion_watch promotions(d);
   std::jthread by_hand([&](const std::stop_token& stop) { rogue->inject(d, stop); });
   await("it says so", [&] { return d.node(*rogue->forbidden_node).connect().role() == "master"; }, 5s);
   EXPECT_EQ(d.named_master(), d.node(0).address());
   by_hand.request_stop();
   by_hand.join();
   EXPECT_TRUE(promotions.seen().empty()) << "what nobody announced is none";
}

TEST(LabFaults, ATakeoverMovesTheRoleBehindTheSentinelsBacks) {
   const auto takeover = fault_named("takeover");
   ASSERT_TRUE(takeover->past_the_sentinels);
   deployment d(takeover->shape({.replicas = 2, .sentinels = 1}));
   const promotion_watch promotions(d, promotion_watch::sign::role);
   const naming_watch namings(d);
   control open = d.node(0).connect();
   takeover->inject(d, {});
   await("a replica is promoted", [&] { return promotions.first().has_value(); }, 15s);
   EXPECT_EQ(promotions.seen().size(), 1U);
   EXPECT_EQ(promotions.first()->node, d.node(1).address());
   EXPECT_EQ(open.role(), "slave") << "on a connection that nobody has ended";
   EXPECT_TRUE(namings.changes().empty());
}

TEST(LabFaults, AMasterThatComesBackIsNoPromotion) {
   deployment d({.replicas = 1, .sentinels = 0});
   promotion_watch promotions(d);
   d.node(0).kill();
   d.node(0).start();
   d.node(0).await_pong();
   await("the replica has found it again", [&] { return d.missing().empty(); }, 10s);
   EXPECT_TRUE(promotions.seen().empty());
}

TEST(LabFaults, AMasterThatWasDemotedOnAnOpenConnectionIsSeenWhenItIsPromoted) {
   deployment d({.replicas = 1, .sentinels = 0});
   const promotion_watch promotions(d);
   control old = d.node(0).connect();
   const endpoint other = d.node(1).address();
   old.run_all({{"MULTI"}, {"REPLICAOF", other.host, std::to_string(other.port)}, {"CONFIG", "RESETSTAT"}, {"EXEC"}});
   await("the watch has asked for the role", [&] { return !old.info("commandstats", "cmdstat_role").empty(); }, 5s);
   old.run_all({{"MULTI"}, {"REPLICAOF", "NO", "ONE"}, {"CLIENT", "KILL", "TYPE", "normal"}, {"EXEC"}});
   await("the promotion is seen", [&] { return !promotions.seen().empty(); }, 5s);
   EXPECT_EQ(promotions.seen().front().node, d.node(0).address());
}

TEST(LabFaults, AReplicaWhoseClientsAreKilledIsNoPromotion) {
   deployment d({.replicas = 1, .sentinels = 0});
   promotion_watch promotions(d);
   control replica = d.node(1).connect();
   const auto before = clients_named(replica, "lab");
   replica.run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
   // The watch is back, and looked, when it is connected anew.
   const auto watched_anew = [&] {
      const auto now = clients_named(replica, "lab");
      return now.size() == before.size() && now != before;
   };
   await("the watch is connected again", watched_anew, 5s);
   EXPECT_TRUE(promotions.seen().empty());
}

TEST(LabFaults, AStormOfClientKillSparesSentinelsReplicasAndTheLab) {
   deployment d({.replicas = 1, .sentinels = 1});
   control watching = d.node(0).connect();
   const auto sentinels = clients_named(watching, "sentinel-");
   EXPECT_EQ(sentinels.size(), 2U) << "one for commands, one for messages";
   // A client that comes back at once, as often as it is killed.
   std::atomic<unsigned> lost = 0;
   std::jthread client([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
         try {
            control connection(d.node(0).address());
            connection.run({"CLIENT", "SETNAME", "app"});
            while (!stop.stop_requested()) connection.run({"INCR", "n"});
         } catch (const control_error&) {
            ++lost;
         }
      }
   });
   fault_named("connkill")->inject(d, {});
   client.request_stop();
   client.join();
   EXPECT_GE(lost, 19U) << "the last round may not have been noticed any more";
   EXPECT_EQ(clients_named(watching, "sentinel-"), sentinels);
   EXPECT_EQ(d.missing(), "");
}

}  // namespace
}  // namespace holdfast::lab

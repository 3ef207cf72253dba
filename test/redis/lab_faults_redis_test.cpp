// The lab's faults: that each does to a deployment what it says; and that promotions are seen, and nothing else for
// one. What a fault costs a client, and that it ends, is held against each run of a drill.
#include "lab/clients.hpp"
#include "lab/fault.hpp"
#include "lab/promotion.hpp"
#include "lab/sentinel_trouble.hpp"

#include <holdfast/client.hpp>

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

const deployment_options small{.replicas = 1, .sentinels = 1};
const deployment_options soon_dead{.replicas = 1, .sentinels = 1, .down_after = 300ms, .failover_timeout = 2000ms};

// A fault, a deployment of the shape that it needs, and the watch for promotions.
struct scene {
   explicit scene(fault of, deployment_options wanted = soon_dead)
      : f(std::move(of)), d(f.shape(std::move(wanted))), promotions(d, sign_of(f)) {}
   explicit scene(const char* name, deployment_options wanted = soon_dead)
      : scene(fault_named(name).value(), std::move(wanted)) {}

   clock::time_point inject() { return f.inject(d, {}); }
   // Beside the test, until it asks for the end.
   std::jthread inject_beside() {
      return std::jthread([this](const std::stop_token& stop) { f.inject(d, stop); });
   }
   void await_promotions(std::size_t count = 1) {
      await("a replica is promoted", [&] { return promotions.seen().size() >= count; }, 20s);
   }
   void await_naming(std::size_t sentinel, const endpoint& master) {
      await("the Sentinel names it", [&] { return d.named_master(sentinel) == master; }, 10s);
   }
   void is_promoted_and_named(std::initializer_list<std::size_t> by) {
      await_promotions();
      for (const std::size_t sentinel : by) await_naming(sentinel, heir());
   }
   endpoint old() { return d.node(0).address(); }
   endpoint heir() { return d.node(1).address(); }
   // A client that starts now, the first Sentinel of its list being of no use, writes to the new master, and soon.
   void expect_a_new_client_to_find_it() {
      const auto start = clock::now();
      client started_now(d.uri());
      ASSERT_TRUE(started_now.set("started", "now"));
      EXPECT_LT(clock::now() - start, 1s) << "it waits for the others, and 300 ms for the first";
      EXPECT_EQ(d.node(1).connect().run({"GET", "started"}).text, "now");
   }
   void expect_no_death() {
      EXPECT_EQ(d.sentinel(0).connect().run({"SENTINEL", "MASTER", "mymaster"}).field("flags"), "master");
      EXPECT_TRUE(promotions.seen().empty());
   }

   fault f;
   deployment d;
   promotion_watch promotions;

 private:
   static promotion_watch::sign sign_of(const fault& f) {
      return f.past_the_sentinels ? promotion_watch::sign::role : promotion_watch::sign::end;
   }
};

// What the other side of the connection says within 100 ms: nothing.
bool hears_nothing(const endpoint& where) {
   try {
      return !control(where, {}, 100ms).pongs();
   } catch (const control_error&) {
      return true;
   }
}

std::set<std::string> clients_named(control& server, const std::string& beginning) {
   std::set<std::string> found;
   const std::string list = server.run({"CLIENT", "LIST"}).text;
   for (std::size_t at = 0; (at = list.find(" name=" + beginning, at)) != std::string::npos; ++at) {
      const std::size_t line = list.rfind('\n', at) == std::string::npos ? 0 : list.rfind('\n', at) + 1;
      found.insert(list.substr(line, list.find(' ', line) - line));
   }
   return found;
}

TEST(lab_fault, has_a_name_of_its_own_and_tells_what_it_does) {
   std::set<std::string> names;
   for (const fault& f : every_fault()) {
      EXPECT_TRUE(names.insert(f.name).second) << f.name;
      EXPECT_FALSE(f.description.empty());
      EXPECT_FALSE(f.shows.empty()) << f.name;
      EXPECT_EQ(fault_named(f.name)->name, f.name);
   }
   EXPECT_FALSE(fault_named("nonsense"));
}

// ---- of the servers ------------------------------------------------------------------------------------------------

TEST(lab_fault, failover_is_one_promotion_before_the_sentinels_name_it) {
   scene s("failover", small);
   const naming_watch namings(s.d);
   const auto at = s.inject();
   await("the Sentinel names another master", [&] { return namings.first().has_value(); }, 10s);
   const auto seen = s.promotions.seen();
   ASSERT_EQ(seen.size(), 1U);
   EXPECT_EQ(seen[0].node, s.heir());
   EXPECT_EQ(namings.first()->master, s.heir());
   EXPECT_LT(at, seen[0].at);
   EXPECT_LE(seen[0].at, seen[0].accepted);
   EXPECT_LT(seen[0].at, namings.first()->at);
   EXPECT_FALSE(namings.more_failovers_than(1));
}

TEST(lab_fault, stopped_master_still_says_master_when_it_wakes) {
   scene s("stop");
   s.inject();
   s.await_promotions();
   s.f.after_promotion(s.d, {});
   EXPECT_EQ(s.d.node(0).connect().role(), "master");
   EXPECT_EQ(s.promotions.first()->node, s.heir());
}

TEST(lab_fault, shutdown_means_that_the_process_has_ended) {
   scene s("shutdown", {.replicas = 1, .sentinels = 0});
   s.inject();
   EXPECT_FALSE(s.d.node(0).running());
}

TEST(lab_fault, revived_master_is_a_master_with_its_data) {
   scene s("revive");
   s.d.node(0).connect().run({"SET", "before", "1"});
   s.inject();
   EXPECT_FALSE(s.d.node(0).running());
   s.await_promotions();
   s.f.after_promotion(s.d, {});
   control revived = s.d.node(0).connect();
   EXPECT_EQ(revived.role(), "master");
   EXPECT_EQ(revived.run({"GET", "before"}).text, "1");
   EXPECT_EQ(s.promotions.seen().size(), 1U) << "to come back is no promotion";
}

TEST(lab_fault, rogue_says_that_it_is_a_master_and_no_sentinel_does) {
   scene s("rogue", small);
   {
      const std::jthread by_hand = s.inject_beside();
      await("it says so", [&] { return s.d.node(*s.f.forbidden_node).connect().role() == "master"; }, 5s);
      EXPECT_EQ(s.d.named_master(), s.old());
   }
   EXPECT_TRUE(s.promotions.seen().empty()) << "what nobody announced is none";
}

TEST(lab_fault, takeover_moves_the_role_behind_the_sentinels_backs) {
   scene s("takeover", {.replicas = 2, .sentinels = 1});
   const naming_watch namings(s.d);
   control open = s.d.node(0).connect();
   s.inject();
   s.await_promotions();
   EXPECT_EQ(s.promotions.seen().size(), 1U);
   EXPECT_EQ(s.promotions.first()->node, s.heir());
   EXPECT_EQ(open.role(), "slave") << "on a connection that nobody has ended";
   EXPECT_TRUE(namings.changes().empty());
}

TEST(lab_fault, refusals_are_those_of_a_workload_and_of_nobody_else) {
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

// ---- of the network ------------------------------------------------------------------------------------------------

TEST(lab_fault, partition_lets_nobody_through_until_the_new_master_is_named) {
   scene s("partition");
   control before(s.old(), {}, 100ms);
   s.inject();
   EXPECT_TRUE(hears_nothing(s.old()));
   EXPECT_THROW(before.run({"PING"}), control_error);
   s.await_promotions();
   s.f.after_promotion(s.d, {});
   EXPECT_EQ(s.d.named_master(), s.heir());
   EXPECT_EQ(control(s.old()).role(), "master") << "nobody has told it yet";
}

TEST(lab_fault, partition_that_resets_heals_while_the_old_master_is_named) {
   scene s("partition-reset");
   control before(s.old(), {}, 5000ms);
   s.inject();
   s.await_promotions();
   s.f.after_promotion(s.d, {});
   EXPECT_THROW(before.run({"PING"}), control_error);
   EXPECT_EQ(control(s.old()).role(), "master");
   s.await_naming(0, s.heir());
}

TEST(lab_fault, blackout_delivers_what_it_held_and_is_no_death) {
   scene s("blackout");
   control client(s.old(), {}, 10s);
   {
      std::jthread fault = s.inject_beside();
      await("it is dark", [&] { return hears_nothing(s.old()); }, 5s);
      const std::jthread end([&] {
         EXPECT_FALSE(became_true([&] { return !hears_nothing(s.old()); }, 500ms));
         fault.request_stop();
      });
      EXPECT_EQ(client.run({"INCR", "n"}).integer, 1);
   }
   s.expect_no_death();
}

TEST(lab_fault, slow_network_delays_and_is_no_death) {
   scene s("slow");
   control client(s.old(), {}, 10s);
   const auto takes = [&] {
      const auto asked = clock::now();
      client.run({"PING"});
      return clock::now() - asked;
   };
   {
      const std::jthread fault = s.inject_beside();
      await("it is slow", [&] { return takes() >= 3s; }, 10s);
      s.expect_no_death();
   }
   await("it is quick again", [&] { return takes() < 1s; }, 5s);
}

// ---- of the Sentinels ----------------------------------------------------------------------------------------------

TEST(lab_fault, lost_sentinel_neither_answers_nor_hinders_a_failover) {
   scene s("sentinel-loss");
   s.inject();
   EXPECT_TRUE(hears_nothing(s.d.sentinel(0).address()));
   s.is_promoted_and_named({1});
   s.expect_a_new_client_to_find_it();
}

TEST(lab_fault, deaf_sentinel_is_a_listener_that_never_answers) {
   scene s("sentinel-deaf");
   control before = s.d.sentinel(0).connect();
   s.inject();
   EXPECT_THROW(before.run({"PING"}), control_error);
   try {
      control after(s.d.sentinel(0).address(), {}, 100ms);
      FAIL() << "it answered";
   } catch (const control_error& e) {
      EXPECT_NE(std::string(e.what()).find("no answer"), std::string::npos) << "not even a connection: " << e.what();
   }
   s.is_promoted_and_named({1});
   s.expect_a_new_client_to_find_it();
}

TEST(lab_fault, stale_sentinel_names_the_old_master_and_a_new_client_uses_the_others) {
   scene s("sentinel-stale");
   s.inject();
   s.is_promoted_and_named({1, 2});
   s.expect_a_new_client_to_find_it();
   // What would put it right is a hello, which comes every two seconds, and at once from who has switched.
   EXPECT_FALSE(became_true([&] { return s.d.named_master(0) != s.old(); }, 2500ms));
}

TEST(lab_fault, with_trouble_besides_is_what_it_was) {
   const fault plain = fault_named("failover").value();
   scene s(with_trouble(trouble::stopped, plain));
   EXPECT_EQ(s.f.name, plain.name);
   EXPECT_EQ(s.f.may_lose, plain.may_lose);
   EXPECT_EQ(s.f.forbidden_node, plain.forbidden_node);
   EXPECT_FALSE(plain.touches_sentinels);
   EXPECT_TRUE(s.f.touches_sentinels);
   EXPECT_EQ(s.d.sentinels(), 3U) << "others must be left";
   s.inject();
   EXPECT_TRUE(hears_nothing(s.d.sentinel(0).address()));
   s.is_promoted_and_named({2});
}

TEST(lab_fault, second_of_two_failovers_follows_when_the_first_is_named) {
   scene s("two", {.sentinels = 3, .down_after = 300ms});
   EXPECT_EQ(s.f.failovers, 2U);
   const naming_watch namings(s.d);
   s.inject();
   ASSERT_EQ(s.promotions.seen().size(), 1U);
   EXPECT_EQ(namings.first()->master, s.promotions.first()->node);
   EXPECT_FALSE(s.d.node(0).running());
   EXPECT_FALSE(s.d.node_at(s.promotions.first()->node).running());
   s.await_promotions(2);
   const endpoint last = s.promotions.seen().back().node;
   EXPECT_TRUE(s.d.node_at(last).running());
   for (std::size_t i = 0; i < s.d.sentinels(); ++i) s.await_naming(i, last);
   EXPECT_FALSE(namings.more_failovers_than(2));
}

TEST(lab_fault, without_a_quorum_nothing_is_promoted_until_the_sentinels_are_back) {
   scene s("noquorum");
   const auto at = s.inject();
   s.is_promoted_and_named({0});
   EXPECT_GE(s.promotions.first()->at - at, 2500ms) << "they were gone for so long";
}

// ---- what is a promotion -------------------------------------------------------------------------------------------

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

TEST(lab_promotion, is_seen_when_the_node_says_that_it_happened) {
   scene s("failover", small);
   s.inject();
   s.await_promotions();
   const auto own_word = promoted_by_its_own_word(s.d.node(1));
   ASSERT_TRUE(own_word) << s.d.node(1).log_end();
   const double late_ms = ms_between(*own_word, s.promotions.first()->at);
   RecordProperty("late_ms", std::to_string(late_ms));
   EXPECT_GT(late_ms, -1) << "it was something else";
   EXPECT_LT(late_ms, 10) << "1 ms of it is the log's, and some are for a machine that is busy";
}

TEST(lab_promotion, restarted_master_is_none) {
   deployment d({.replicas = 1, .sentinels = 0});
   promotion_watch promotions(d);
   d.node(0).kill();
   d.node(0).start();
   d.node(0).await_pong();
   await("the replica has found it again", [&] { return d.missing().empty(); }, 10s);
   EXPECT_TRUE(promotions.seen().empty());
}

TEST(lab_promotion, demoted_master_is_seen_though_its_connection_stayed) {
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

TEST(lab_promotion, replica_whose_clients_are_killed_is_none) {
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

TEST(lab_fault, connection_kill_spares_sentinels_replicas_and_the_lab) {
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

// That the monitor sees what a node applies, whatever befalls the node in between.
#include "drill/old_master_monitor.hpp"

#include <gtest/gtest.h>

namespace holdfast::drill {
namespace {

using namespace std::chrono_literals;

constexpr sighting set(std::uint64_t n) { return {write_kind::set, n}; }
constexpr sighting rpush(std::uint64_t n) { return {write_kind::rpush, n}; }

void write_set(lab::control& node, std::uint64_t n) {
   node.run({"SET", "drill:" + std::to_string(n), std::to_string(n)});
}

void write_rpush(lab::control& node, std::uint64_t n) { node.run({"RPUSH", "drill:list", std::to_string(n)}); }

lab::deployment_options two_nodes() { return {.replicas = 1, .sentinels = 0}; }

TEST(DrillWitness, TellsWhatANodeIsGivenFromWhatItsMasterSendsIt) {
   lab::deployment d(two_nodes());
   old_master_monitor w(d, 1);
   lab::control master = d.node(0).connect();
   write_set(master, 1);
   ASSERT_EQ(master.run({"WAIT", "1", "5000"}).integer, 1);
   lab::control rogue = d.node(1).connect();
   rogue.run({"CONFIG", "SET", "replica-read-only", "no"});
   write_rpush(rogue, 2);
   EXPECT_EQ(w.conclude(), std::vector<sighting>{rpush(2)});
   EXPECT_FALSE(w.demoted());
}

TEST(DrillWitness, HearsWhatAStoppedNodeRunsWhenItWakes) {
   lab::deployment d(two_nodes());
   lab::control client(d.node(0).address(), {}, 5000ms);
   write_rpush(client, 1);
   old_master_monitor w(d, 0);
   d.node(0).stop();
   std::jthread waiting([&] { write_set(client, 2); });
   lab::became_true([] { return false; }, 300ms);  // longer than the monitor waits for an answer
   d.node(0).resume();
   waiting.join();
   EXPECT_EQ(w.conclude(), (std::vector<sighting>{set(2), rpush(1)}));
}

TEST(DrillWitness, LooksAgainAtANodeThatWasKilledAndIsBack) {
   auto options = two_nodes();
   options.durable = true;
   lab::deployment d(options);
   old_master_monitor w(d, 0);
   {
      lab::control client = d.node(0).connect();
      write_rpush(client, 1);
   }
   d.node(0).kill();
   d.node(0).start();
   d.node(0).await_pong();
   lab::control client = d.node(0).connect();
   write_set(client, 2);
   EXPECT_EQ(w.conclude(), (std::vector<sighting>{set(2), rpush(1)}));
   EXPECT_FALSE(w.demoted());
}

TEST(DrillWitness, NoticesThatTheNodeWasMadeAReplicaAndTakesNothingOfThatForAWrite) {
   lab::deployment d(two_nodes());
   old_master_monitor w(d, 0);
   lab::control client = d.node(0).connect();
   write_rpush(client, 1);
   d.node(1).connect().run({"REPLICAOF", "NO", "ONE"});
   lab::control heir = d.node(1).connect();
   write_set(heir, 2);
   const endpoint to = d.node(1).address();
   // As Sentinel does it.
   client.run_all(
      {{"MULTI"}, {"REPLICAOF", to.host, std::to_string(to.port)}, {"CLIENT", "KILL", "TYPE", "normal"}, {"EXEC"}});
   lab::await("the old_master_monitor has noticed", [&] { return w.demoted(); }, 5s);
   lab::await(
      "it has what its master has", [&] { return d.node(0).connect().ask({"GET", "drill:2"}).text == "2"; }, 5s);
   write_set(heir, 3);
   ASSERT_EQ(heir.run({"WAIT", "1", "5000"}).integer, 1);
   EXPECT_EQ(w.conclude(), std::vector<sighting>{rpush(1)});
}

}  // namespace
}  // namespace holdfast::drill

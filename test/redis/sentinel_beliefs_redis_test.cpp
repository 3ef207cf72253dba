// Whom a client believes: an old master that comes back and says master, a Sentinel with old data, Sentinels that were
// reset, a role that was handed over behind the Sentinels' backs.
#include "lab/deployment.hpp"
#include "lab/promotion.hpp"
#include "numbered_writes.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using lab::clock;
namespace fs = std::filesystem;

// Sentinel asks its nodes for INFO every 10 s, and waits for multiples of it: its own knob shortens a test of 40 s to
// one of 5.
void quicken(lab::deployment& d) {
   for (std::size_t i = 0; i < d.sentinels(); ++i)
      d.sentinel(i).connect().run({"SENTINEL", "DEBUG", "info-period", "500"});
}

void await_naming(lab::deployment& d, const endpoint& other_than, const std::vector<std::size_t>& sentinels) {
   lab::await(
      "the Sentinels name another master",
      [&] {
         return std::all_of(sentinels.begin(), sentinels.end(),
                            [&](auto i) { return d.named_master(i) != other_than; });
      },
      20s);
}

TEST(beliefs, an_old_master_that_comes_back_and_says_master_gets_no_write) {
   lab::deployment d;
   const config c = config::from_uri(d.uri()).value();
   numbered_writes writes(c);
   writes.await_more(50);
   const endpoint old = d.named_master();
   d.node(0).kill();
   const auto died = clock::now();
   await_naming(d, old, {0, 1, 2});
   writes.await_more(50);
   d.node(0).start();  // empty, as nothing was saved
   d.node(0).await_pong();
   ASSERT_EQ(d.node(0).connect().role(), "master");
   client fresh(c);
   ASSERT_TRUE(fresh.run({"RPUSH", "numbers", 1'000'000}));
   writes.await_more(300);
   auto at_old = d.node(0).connect();
   EXPECT_EQ(at_old.run({"EXISTS", "numbers"}).integer, 0);
   ASSERT_EQ(at_old.role(), "master") << "it was to say master all the time";

   writes.finish();
   writes.expect_no_errors_but_unknown(1);
   auto held = numbered_writes::held_by(d.node_at(d.named_master()));
   EXPECT_EQ(std::erase(held, 1'000'000), 1U);
   writes.expect_sound(held, died - 50ms, died);  // what the old one had not copied when it died
}

// The Sentinel that it was told of, and believes first, is of yesterday; and the master of yesterday says master.
TEST(beliefs, a_sentinel_that_was_restarted_with_old_data_is_outvoted_by_those_that_it_names) {
   lab::deployment d;
   const fs::path conf = d.sentinel(0).log().parent_path() / "conf";
   const fs::path kept = d.folder() / "conf-of-yesterday";
   fs::copy_file(conf, kept);
   const endpoint old = d.named_master();
   d.sentinel(0).kill();
   numbered_writes writes(config::from_uri(d.uri()).value());
   writes.await_more(50);
   d.sentinel(1).connect().run({"SENTINEL", "FAILOVER", "mymaster"});
   await_naming(d, old, {1, 2});
   const auto named = clock::now();
   // When its failover has ended the leader says nothing new any more; nor do they repeat it to those who have missed
   // it.
   lab::await(
      "the leader's failover has ended",
      [&] {
         const std::string port = d.sentinel(1).connect().run({"SENTINEL", "MASTER", "mymaster"}).field("port");
         return port != std::to_string(old.port);
      },
      10s);
   for (const std::size_t i : {1U, 2U}) d.sentinel(i).connect().run({"SENTINEL", "DEBUG", "publish-period", "60000"});
   fs::copy_file(kept, conf, fs::copy_options::overwrite_existing);
   d.sentinel(0).start();
   d.sentinel(0).await_pong();
   ASSERT_EQ(d.named_master(0), old) << "it has heard the news already";
   ASSERT_EQ(d.node_at(old).connect().role(), "master");

   config c = config::from_uri(d.uri()).value();
   c.sentinels.resize(1);
   std::vector<endpoint> connected;
   bool stale_told = false;
   c.observer = [&](const any_event& e) {
      if (const auto* to = std::get_if<event::connected>(&e)) connected.push_back(to->master);
      stale_told = stale_told || std::holds_alternative<event::stale_answer>(e);
   };
   client misled(c);
   ASSERT_TRUE(misled.set("after", "1"));
   EXPECT_EQ(connected, std::vector<endpoint>{d.named_master(1)});
   EXPECT_TRUE(stale_told);
   EXPECT_EQ(d.node_at(old).connect().run({"EXISTS", "after"}).integer, 0);

   writes.await_more(100);
   writes.finish();
   writes.expect_no_errors_but_unknown(1);
   // Until the Sentinels named the new master, the old one acknowledged writes that are lost.
   writes.expect_sound(numbered_writes::held_by(d.node_at(d.named_master(1))), named - 3s, named + 300ms);
}

TEST(beliefs, sentinels_that_are_reset_hold_up_nothing_and_lead_through_the_next_failover) {
   lab::deployment d;
   quicken(d);
   numbered_writes writes(config::from_uri(d.uri()).value());
   writes.await_more(50);
   for (std::size_t i = 0; i < d.sentinels(); ++i) d.sentinel(i).connect().run({"SENTINEL", "RESET", "mymaster"});
   writes.await_more(100, 1s);
   d.await_health();
   const endpoint old = d.named_master();
   d.node_at(old).kill();
   const auto died = clock::now();
   await_naming(d, old, {0, 1, 2});
   writes.await_more(50);
   writes.finish();
   writes.expect_no_errors_but_unknown(1);
   writes.expect_sound(numbered_writes::held_by(d.node_at(d.named_master())), died - 50ms, died);
}

// The last replica is never promoted, and takes no other master: whoever leads a failover waits for it until
// failover-timeout.
void hold_up_failovers(lab::deployment& d) {
   auto replica = d.node(d.nodes() - 1).connect();
   replica.run({"CONFIG", "SET", "replica-priority", "0"});
   replica.run({"ACL", "SETUSER", "default", "-slaveof", "-replicaof"});
   quicken(d);
   lab::await(
      "the Sentinels have heard of its priority",
      [&] {
         for (std::size_t i = 0; i < d.sentinels(); ++i) {
            const auto replicas = d.sentinel(i).connect().run({"SENTINEL", "REPLICAS", "mymaster"}).elements;
            if (std::none_of(replicas.begin(), replicas.end(),
                             [](const lab::reply& r) { return r.field("slave-priority") == "0"; }))
               return false;
         }
         return true;
      },
      15s);
}

// Between the promotion and the end of the failover its leader has the new epoch beside the old address. A reset then
// forgets the promotion, and nobody's word corrects it, as nobody has a newer epoch.
TEST(beliefs, a_leader_that_is_reset_in_the_middle_of_its_failover_names_the_old_master_and_is_outvoted) {
   lab::deployment d;
   hold_up_failovers(d);
   const config c = config::from_uri(d.uri()).value();
   numbered_writes writes(c);
   writes.await_more(50);
   const endpoint old = d.named_master();
   d.sentinel(0).connect().run({"SENTINEL", "FAILOVER", "mymaster"});
   await_naming(d, old, {0, 1, 2});
   const auto named = clock::now();
   d.sentinel(0).connect().run({"SENTINEL", "RESET", "mymaster"});
   const auto epoch_at = [&](std::size_t i) {
      return d.sentinel(i).connect().run({"SENTINEL", "MASTER", "mymaster"}).field("config-epoch");
   };
   ASSERT_EQ(d.named_master(0), old) << "its failover had ended before the reset";
   ASSERT_EQ(epoch_at(0), epoch_at(1));
   ASSERT_EQ(d.node_at(old).connect().role(), "master");

   writes.await_more(100);
   for (int i = 0; i < 20; ++i) {
      client fresh(c);
      ASSERT_TRUE(fresh.run({"RPUSH", "fresh", i}));
   }
   EXPECT_EQ(d.node_at(old).connect().run({"EXISTS", "fresh"}).integer, 0);
   const endpoint now = d.named_master(1);
   EXPECT_EQ(d.node_at(now).connect().run({"LLEN", "fresh"}).integer, 20);
   EXPECT_EQ(d.named_master(0), old) << "it was to be wrong all the time";
   writes.finish();
   writes.expect_no_errors_but_unknown(1);
   writes.expect_sound(numbered_writes::held_by(d.node_at(now)), named - 3s, named + 300ms);
}

// FAILOVER, given to the master itself. The Sentinels go on naming the old one, see that it says slave, and in the end
// promote somebody by a failover of their own.
TEST(beliefs, a_role_that_was_handed_over_by_the_nodes_themselves_is_waited_for_until_the_sentinels_name_a_master) {
   lab::deployment d;
   quicken(d);
   config c = config::from_uri(d.uri()).value();
   c.deadline = 30s;
   std::atomic<bool> refused = false;
   c.observer = [&](const any_event& e) {
      if (std::holds_alternative<event::role_refused>(e)) refused = true;
   };
   numbered_writes writes(c);
   writes.await_more(50);
   const endpoint old = d.named_master();
   d.node(0).connect().run({"FAILOVER"});
   lab::await("the old master says slave", [&] { return d.node(0).connect().role() == "slave"; }, 5s);
   lab::await("the client has seen that it is none", [&] { return refused.load(); }, 5s);
   EXPECT_EQ(d.named_master(), old) << "the Sentinels do not know yet";
   await_naming(d, old, {0, 1, 2});
   writes.await_more(50);
   writes.finish();
   writes.expect_no_errors_but_unknown(1);
   writes.expect_sound(numbered_writes::held_by(d.node_at(d.named_master())));
}

}  // namespace
}  // namespace holdfast

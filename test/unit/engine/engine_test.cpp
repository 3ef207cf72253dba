// Tracker and lane together: names, addresses, deadlines, failovers.
#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::impl::test::engine_test {
namespace {

duration deadline_of(const call& c) { return c.op.deadline - c.op.submitted; }

// ---- the way to the master -----------------------------------------------------------------------------------------

TEST(engine, finds_the_master_connects_and_answers) {
   deployment d;
   auto& incr = d.submit("INCR n");
   const auto begin = d.now;
   EXPECT_TRUE(d.finish(incr));
   EXPECT_TRUE(incr.ok());
   EXPECT_LE(d.now - begin, watch_is_shared ? 8ms : 7ms) << "two connects and three waits, of a millisecond each";
   EXPECT_EQ(d.at(node_a).arrived, std::vector<std::string>{"INCR n"});
   EXPECT_EQ(d.told<event::connected>().size(), 1U);
}

TEST(engine, of_one_fixed_server_asks_nobody_else) {
   deployment d(with_server());
   EXPECT_TRUE(d.succeeds("INCR n"));
   EXPECT_EQ(d.dialed, std::vector<endpoint>{node_a});
   d.at(node_a).role = "slave";
   EXPECT_TRUE(d.succeeds("GET n")) << "whatever its role";
}

TEST(engine, discovers_without_any_command) {
   deployment d;
   d.subject.discover(d.now);
   d.run_for(50ms);
   ASSERT_TRUE(d.subject.watch()->target());
   EXPECT_EQ(d.subject.watch()->target()->where, node_a);
   EXPECT_EQ(d.at(node_a).connects, 0U);
}

TEST(engine, tells_of_each_sentinel_why_there_is_no_master) {
   deployment d;
   d.set(s1, host::condition::refusing);
   d.set(s2, host::condition::vanished);
   d.set(s3, host::condition::stopped);
   auto& get = d.submit("GET n", 2s);
   EXPECT_TRUE(d.finish(get));
   EXPECT_TRUE(get.failed_with(errc::no_sentinel, outcome::not_executed)) << get.error().what();
   EXPECT_EQ(get.error().causes.size(), 3U) << get.error().what();
}

TEST(engine, name_that_no_sentinel_knows_is_told_soon) {
   deployment d;
   for (const auto& s : {s1, s2, s3}) d.at(s).knows_the_name = false;
   auto& get = d.submit("GET n");
   const auto begin = d.now;
   EXPECT_TRUE(d.finish(get));
   EXPECT_TRUE(get.failed_with(errc::unknown_master, outcome::not_executed)) << get.error().what();
   EXPECT_LT(d.now - begin, 1s);
}

TEST(engine, waits_for_a_master_that_is_not_there_yet) {
   deployment d;
   d.set(node_a, host::condition::refusing);
   auto& incr = d.submit("INCR n", 5s);
   d.run_for(2s);
   EXPECT_FALSE(incr.done());
   d.set(node_a, host::condition::working);
   EXPECT_TRUE(d.finish(incr) && incr.ok());
   EXPECT_EQ(incr.op.attempts, 1U);
}

// ---- addresses -----------------------------------------------------------------------------------------------------

TEST(addresses, of_a_name_are_tried_one_after_the_other) {
   const endpoint first{"10.0.0.7", 6379}, second{"10.0.0.8", 6379}, third{"10.0.0.9", 6379};
   deployment d(with_server({"redis.example", 6379}));
   d.names["redis.example"] = {first, second, third};
   d.at(first).is = d.at(second).is = host::condition::refusing;
   EXPECT_TRUE(d.succeeds("INCR n", 1s));
   EXPECT_EQ(d.dialed, (std::vector<endpoint>{first, second, third}));
   EXPECT_TRUE(d.told<event::dial_failed>().empty()) << "one of them suffices";
}

TEST(addresses, that_all_fail_are_tried_again_later) {
   const endpoint first{"10.0.0.7", 6379}, second{"10.0.0.8", 6379};
   deployment d(with_server({"redis.example", 6379}));
   d.names["redis.example"] = {first, second};
   d.at(first).is = d.at(second).is = host::condition::refusing;
   auto& incr = d.submit("INCR n", 5s);
   d.run_for(500ms);
   EXPECT_GE(d.dialed.size(), 6U);
   EXPECT_FALSE(d.told<event::dial_failed>().empty());
   d.at(second).is = host::condition::working;
   EXPECT_TRUE(d.finish(incr) && incr.ok());
}

TEST(addresses, one_that_never_answers_does_not_hide_the_next) {
   const endpoint dark{"10.0.0.7", 6379}, fine{"10.0.0.8", 6379};
   // A stopped host's kernel goes on connecting.
   for (const auto condition : {host::condition::vanished, host::condition::stopped}) {
      deployment d(with_server({"redis.example", 6379}));
      d.names["redis.example"] = {dark, fine};
      d.at(dark).is = condition;
      EXPECT_TRUE(d.succeeds("INCR n", 8s));
      EXPECT_EQ(d.dialed, (std::vector<endpoint>{dark, fine}));
   }
}

TEST(addresses, name_without_any_is_a_reason_that_is_told) {
   deployment d(with_server({"redis.example", 6379}));
   d.names["redis.example"] = {};
   auto& incr = d.submit("INCR n", 500ms);
   EXPECT_TRUE(d.finish(incr));
   EXPECT_TRUE(incr.failed_with(errc::no_master, outcome::not_executed));
   EXPECT_NE(incr.error().what().find("no such host"), std::string::npos) << incr.error().what();
}

// A name that stands for a master and its replicas, as a headless service's does.
struct headless : testing::Test {
   const endpoint first{"10.0.0.7", 6379}, second{"10.0.0.8", 6379}, third{"10.0.0.9", 6379};
   deployment d{with_server({"redis.example", 6379})};

   headless() {
      d.names["redis.example"] = {first, second, third};
      for (const endpoint& e : {first, second, third}) demote(e);
   }
   void promote(const endpoint& e) { d.at(e).role = "master"; }
   void demote(const endpoint& e) { d.at(e).role = "replica"; }
};

TEST_F(headless, master_is_found_behind_its_replicas) {
   promote(third);
   EXPECT_TRUE(d.succeeds("GET k", 1s));
   EXPECT_EQ(d.dialed, (std::vector<endpoint>{first, second, third}));
   EXPECT_TRUE(d.at(first).arrived.empty() && d.at(second).arrived.empty());
   const auto refused = d.told<event::role_refused>();
   ASSERT_EQ(refused.size(), 2U);
   EXPECT_EQ(refused[0].where, first);
   d.cut(third);
   d.run_for(10ms);
   EXPECT_TRUE(d.succeeds("INCR n", 1s));
   EXPECT_EQ(d.dialed.size(), 4U) << "the address that was right is the first to be tried again";
}

TEST_F(headless, master_is_found_behind_silent_and_refusing_ones) {
   promote(third);
   d.at(first).is = host::condition::vanished;
   d.at(second).is = host::condition::refusing;
   EXPECT_TRUE(d.succeeds("INCR n", 3s));
   EXPECT_EQ(d.dialed, (std::vector<endpoint>{first, second, third}));
}

TEST_F(headless, demoted_master_is_left_for_the_new_one) {
   promote(first);
   EXPECT_TRUE(d.succeeds("INCR n", 1s));
   demote(first);
   promote(second);
   EXPECT_TRUE(d.succeeds("INCR n", 2s));
   EXPECT_EQ(d.at(second).arrived.size(), 1U);
}

TEST_F(headless, replica_is_read_where_no_master_was_ever_seen) {
   d.at(third).is = host::condition::refusing;
   auto& get = d.submit("GET k", 1s);
   EXPECT_TRUE(d.finish(get));
   EXPECT_EQ(d.at(first).arrived.size() + d.at(second).arrived.size(), 1U);
   EXPECT_EQ(d.dialed.size(), 4U) << "one round for the master, which is not there";
}

TEST_F(headless, replica_is_not_used_while_the_master_is_away) {
   promote(first);
   EXPECT_TRUE(d.succeeds("GET k", 1s));
   d.at(first).arrived.clear();
   d.set(first, host::condition::refusing);
   d.run_for(10ms);
   const auto dials = d.dialed.size();
   auto& get = d.submit("GET k", 2s);
   EXPECT_TRUE(d.finish(get));
   EXPECT_TRUE(get.failed_with(errc::no_master, outcome::not_executed)) << get.error().what();
   EXPECT_NE(get.error().what().find("is no master but a replica (10.0.0.8)"), std::string::npos) << get.error().what();
   EXPECT_TRUE(d.at(second).arrived.empty() && d.at(third).arrived.empty());
   EXPECT_LT(d.dialed.size() - dials, 60U) << "a pause follows each round";
   promote(second);
   auto& later = d.submit("GET k", 2s);
   EXPECT_TRUE(d.finish(later));
   EXPECT_EQ(d.at(second).arrived.size(), 1U);
}

TEST_F(headless, one_address_alone_may_be_a_replica) {
   d.names["redis.example"] = {second};
   auto& get = d.submit("GET k", 1s);
   EXPECT_TRUE(d.finish(get));
   EXPECT_EQ(d.dialed, (std::vector<endpoint>{second}));
   EXPECT_EQ(d.at(second).arrived.size(), 1U);
}

TEST(addresses, what_is_no_sentinel_is_passed_over_for_the_next) {
   config c = with_sentinels();
   c.sentinels = {{"sentinels.example", 26379}};
   deployment d(c);
   const endpoint dead{"10.0.1.9", 26379}, other{"10.0.1.8", 26379};
   d.names["sentinels.example"] = {dead, other, s2};
   d.at(dead).is = host::condition::refusing;
   EXPECT_TRUE(d.succeeds("INCR n", 3s));
}

// ---- deadlines -----------------------------------------------------------------------------------------------------

TEST(default_deadline, is_learned_from_the_deployment) {
   struct row {
      const char* down_after;
      duration deadline;
   };
   for (const auto& r : {row{"1000", 12s}, row{"30000", 38s}, row{"60000", 68s}, row{"1", 12s}}) {
      deployment d;
      for (const auto& s : {s1, s2, s3}) d.at(s).down_after = r.down_after;
      auto& first = d.submit("GET n");
      EXPECT_EQ(deadline_of(first), 10s) << "as long as no Sentinel has said";
      d.set(node_a, host::condition::refusing);
      d.run_for(100ms);
      EXPECT_EQ(deadline_of(first), r.deadline) << "what waits is adjusted";
      EXPECT_EQ(deadline_of(d.submit("GET n")), r.deadline);
      EXPECT_EQ(deadline_of(d.submit("BLPOP q 5")), r.deadline + 5s);
      EXPECT_EQ(deadline_of(d.submit("GET n", 1s)), 1s);
   }
}

TEST(default_deadline, that_is_configured_stays) {
   config c = with_sentinels();
   c.deadline = 3s;
   deployment d(c);
   auto& get = d.submit("GET n");
   EXPECT_TRUE(d.finish(get));
   EXPECT_EQ(deadline_of(d.submit("GET n")), 3s);
}

TEST(default_deadline, without_sentinels_is_ten_seconds) {
   deployment d(with_server());
   auto& get = d.submit("GET n");
   EXPECT_TRUE(d.finish(get));
   EXPECT_EQ(deadline_of(d.submit("GET n")), 10s);
}

// ---- failovers -----------------------------------------------------------------------------------------------------

TEST(failover, of_a_stopped_master_is_latency_and_not_an_error) {
   deployment d;
   EXPECT_TRUE(d.succeeds("SET k 0"));
   d.set(node_a, host::condition::stopped);
   auto& set = d.submit("SET k 1");
   auto& get = d.submit("GET m");
   auto& incr = d.submit("INCR n");
   d.run_for(1500ms);
   EXPECT_FALSE(set.done());
   d.fail_over();
   d.run_for(2ms);
   auto& parked = d.submit("INCR n");
   EXPECT_TRUE(d.finish(parked));
   for (const call* c : {&set, &get, &parked}) EXPECT_TRUE(c->ok()) << (c->done() ? c->error().what() : "not done");
   EXPECT_TRUE(incr.failed_with(errc::connection_lost, outcome::unknown)) << "it may have run on the old master";
   EXPECT_EQ(d.at(node_b).arrived, (std::vector<std::string>{"SET k 1", "GET m", "INCR n"}));
}

TEST(failover, planned_one_leaves_the_old_master_at_once) {
   deployment d;
   EXPECT_TRUE(d.succeeds("SET k 0"));
   d.run_for(100ms);
   d.fail_over();
   d.run_for(10ms);
   EXPECT_EQ(d.link_to(node_a), 0U);
   EXPECT_NE(d.link_to(node_b), 0U);
   EXPECT_TRUE(d.succeeds("SET k 1"));
   EXPECT_EQ(d.at(node_b).arrived.back(), "SET k 1");
}

TEST(failover, without_any_event_is_noticed_by_the_loss) {
   deployment d;
   EXPECT_TRUE(d.succeeds("SET k 0"));
   d.run_for(100ms);
   for (const auto& s : {s1, s2, s3}) {
      d.at(s).master = node_b;
      d.at(s).epoch = 6;
   }
   d.at(node_b).role = "master";
   d.set(node_a, host::condition::refusing);
   auto& incr = d.submit("INCR n");
   EXPECT_TRUE(d.finish(incr));
   EXPECT_EQ(d.at(node_b).role, "master");
   EXPECT_TRUE(d.succeeds("INCR n"));
}

TEST(failover, of_a_demoted_master_that_answers_readonly_loses_nothing) {
   deployment d;
   EXPECT_TRUE(d.succeeds("INCR n"));
   d.run_for(100ms);
   d.at(node_a).role = "slave";
   auto& incr = d.submit("INCR n", 5s);
   d.run_for(700ms);
   EXPECT_FALSE(incr.done());
   d.fail_over();
   EXPECT_TRUE(d.finish(incr) && incr.ok());
   EXPECT_EQ(d.at(node_b).counter, 2);
}

TEST(failover, holds_writes_from_the_selection_on_and_lets_them_go) {
   deployment d;
   EXPECT_TRUE(d.succeeds("SET k 0"));
   d.run_for(100ms);
   d.publish("+new-epoch", "6");
   d.publish("+try-failover", "master mymaster 10.0.0.1 6379");
   d.publish("+selected-slave", "slave 10.0.0.2:6379 10.0.0.2 6379 @ mymaster 10.0.0.1 6379");
   d.run_for(5ms);
   auto& get = d.submit("GET n");
   auto& set = d.submit("SET k 1");
   d.run_for(200ms);
   EXPECT_TRUE(get.ok());
   EXPECT_FALSE(set.done());
   d.run_for(60ms);
   EXPECT_TRUE(set.ok());
   EXPECT_EQ(d.at(node_a).arrived.back(), "SET k 1");
}

// ---- what a runtime reports late -----------------------------------------------------------------------------------

TEST(parked_commands, of_a_long_outage_end_in_time_or_are_served_in_order) {
   deployment d(with_server());
   ASSERT_TRUE(d.succeeds("SET k 1"));
   d.set(node_a, host::condition::refusing);
   d.run_for(10ms);
   d.at(node_a).arrived.clear();
   std::vector<const call*> short_of_time, patient;
   for (int i = 0; i < 10'000; ++i) {
      const std::string line = "INCR n" + std::to_string(i);
      (i % 2 == 0 ? short_of_time : patient).push_back(&d.submit(line, i % 2 == 0 ? 1s : 60s));
   }
   EXPECT_TRUE(d.submit("INCR toomuch", 60s).failed_with(errc::queue_full, outcome::not_executed));
   d.run_for(30s);
   for (const call* c : short_of_time) {
      ASSERT_TRUE(c->done());
      ASSERT_EQ(c->error().outcome, outcome::not_executed);
      ASSERT_EQ(c->error().attempts, 0U);
   }
   EXPECT_EQ(d.subject.lane().queued(), 5000U);

   d.set(node_a, host::condition::working);
   std::size_t at_once = 0;
   while (d.at(node_a).arrived.empty()) {
      d.run_for(100us);
      at_once = d.subject.lane().in_flight();
   }
   EXPECT_EQ(at_once, 1000U) << "until it has answered";
   ASSERT_TRUE(d.finish(*patient.back()));
   std::vector<std::string> in_order;
   for (const call* c : patient) {
      EXPECT_TRUE(c->ok());
      in_order.push_back(to_string(c->commands.front()));
   }
   EXPECT_EQ(d.at(node_a).arrived, in_order);
}

TEST(stale_reports, of_a_connection_that_was_given_up_are_ignored) {
   deployment d;
   EXPECT_TRUE(d.succeeds("INCR n"));
   d.run_for(100ms);
   const link_id id = d.link_to(node_a);
   ASSERT_NE(id, 0U);
   const std::uint32_t old = d.connection_of(id).serial;
   d.fail_over();
   d.run_for(100ms);
   auto& incr = d.submit("INCR n");
   // The runtime had these in hand when the connection was given up.
   EXPECT_TRUE(d.subject.space(id, old).empty());
   EXPECT_TRUE(d.subject.to_write(id, old).empty());
   d.subject.received(id, old, 0, d.now);
   d.subject.wrote(id, old, 0, d.now);
   d.subject.connected(id, old, d.now);
   d.subject.lost(id, old, "reset", d.now);
   d.subject.resolved(id, old, {node_a}, {}, d.now);
   EXPECT_TRUE(d.finish(incr) && incr.ok());
   EXPECT_EQ(incr.op.attempts, 1U);
   EXPECT_EQ(d.link_to(node_b), id);
}

TEST(stale_reports, of_a_forgotten_sentinel_are_ignored) {
   config c = with_sentinels();
   c.sentinels = {s1, s2};  // the third one is learned
   deployment d(c);
   d.submit("PING");
   d.run_for(100ms);
   const auto id = d.link_to(s3);
   ASSERT_NE(id, 0U);
   const auto serial = d.connection_of(id).serial;
   d.at(s3).is_listed = false;
   d.publish("+reset-master", "master mymaster 10.0.0.1 6379");
   d.run_for(30s);
   ASSERT_EQ(d.link_to(s3), 0U) << "nobody lists it any more";
   const auto told = d.history.size();
   const auto deadline = d.subject.next_deadline();
   d.subject.connected(id, serial, d.now);
   EXPECT_TRUE(d.subject.space(id, serial).empty());
   EXPECT_TRUE(d.subject.to_write(id, serial).empty());
   d.subject.wrote(id, serial, 1, d.now);
   d.subject.lost(id, serial, "reset", d.now);
   EXPECT_FALSE(d.subject.has_io());
   EXPECT_EQ(d.history.size(), told);
   EXPECT_EQ(d.subject.next_deadline(), deadline);
}

TEST(stale_reports, of_a_dial_that_was_given_up_do_not_reach_the_next_one) {
   deployment d(with_server());
   d.set(node_a, host::condition::vanished);
   auto& incr = d.submit("INCR n", 5s);
   const std::uint32_t first = 1;
   d.run_for(1500ms);
   d.set(node_a, host::condition::working);
   d.subject.connected(1, first, d.now);
   d.subject.lost(1, first, "timed out", d.now);
   EXPECT_TRUE(d.finish(incr) && incr.ok());
}

TEST(actions, end_a_connection_before_the_next_of_the_same_link_is_opened) {
   deployment d;
   EXPECT_TRUE(d.succeeds("INCR n"));
   d.run_for(100ms);
   d.actions.clear();
   d.fail_over();
   d.run_for(20ms);
   const auto end = std::find(d.actions.begin(), d.actions.end(), io_request::kind::abort);
   const auto open = std::find(d.actions.begin(), d.actions.end(), io_request::kind::connect);
   EXPECT_LT(end, open);
   EXPECT_NE(open, d.actions.end());
}

TEST(events, are_not_collected_while_nobody_listens) {
   config c = with_sentinels();
   c.observer = {};
   deployment d(c);
   EXPECT_TRUE(d.succeeds("INCR n"));
   d.fail_over();
   d.run_for(1s);
   EXPECT_TRUE(d.history.empty());
}

}  // namespace
}  // namespace holdfast::impl::test::engine_test

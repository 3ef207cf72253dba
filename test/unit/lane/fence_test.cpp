// Rule 5: nothing is sent to a node, and no unknown outcome reported, before the lost connection is proven dead there.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::fence_test {
namespace {

const terms patient{.deadline = 10s};

struct fence : warm_lane {
   // What the next connection asks: it is `id`, and the one before it is to be proven dead.
   void expect_kill(unsigned before, unsigned id) { EXPECT_EQ(s.reconnects_to(node_a, id), greeting_and_kill(before)); }
};

TEST_F(fence, goes_with_the_handshake_and_is_answered_before_all_else) {
   auto& set = s.submit("SET a 1");
   auto& incr = s.lost("INCR n");
   auto& newer = s.submit("SET a 2");
   EXPECT_EQ(s.greet(hello() + client_info(8)), greeting_and_kill(7));
   EXPECT_EQ(s.pending(), 0U);
   EXPECT_EQ(incr.says(), "waiting");
   s.answer(number(0));
   s.expect_fenced(incr);  // and no earlier
   s.expect_sent({&set, &newer}, ok + ok);
   ASSERT_EQ(s.told<event::fenced>().size(), 1U);
   EXPECT_TRUE(s.told<event::fenced>()[0].done);
}

TEST(fence_name, is_that_of_the_connection_as_the_server_saw_it) {
   script s;
   auto& first = s.submit("PING");
   s.greet(hello() + client_info(4711, "172.17.0.1:51234"));
   s.expect_sent(first, pong);
   s.lost("SET a 1");
   EXPECT_EQ(s.connect(8), greeting + "; CLIENT KILL ID 4711 ADDR 172.17.0.1:51234");
}

TEST_F(fence, is_not_needed_on_another_node) {
   auto& set = s.submit("SET a 1");
   auto& incr = s.send("INCR n");
   s.name(node_b, 6);
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.2");
   EXPECT_EQ(incr.says(), "waiting");
   EXPECT_EQ(s.connect(1), greeting);
   s.expect_fenced(incr);
   s.expect_resent(set, ok);
   EXPECT_TRUE(s.told<event::fenced>().empty());
}

TEST_F(fence, is_made_up_for_when_the_lane_comes_back_to_the_node) {
   s.send("INCR n");
   s.name(node_b, 6);
   s.connect(1);
   s.expect_sent(s.submit("GET n"), bulk("1"));
   s.name(node_a, 7);
   expect_kill(7, 9);
}

TEST(fence_of_nothing, is_not_needed) {
   const auto asked_after = [](const char* line, std::size_t accepted, std::string_view reply = "") {
      warm_script s;
      s.submit(line);
      s.accept(accepted);
      s.answer(reply);
      return s.reconnects();
   };
   EXPECT_EQ(asked_after("GET k", 1000), greeting);
   EXPECT_EQ(asked_after("SET a 1", 20), greeting) << "written in part";
   EXPECT_EQ(asked_after("SET a 1", 0), greeting);
   EXPECT_EQ(asked_after("SET a 1", 1000, ok), greeting);
}

TEST_F(fence, is_needed_for_what_nobody_waits_for_any_more) {
   auto& incr = s.send("INCR n", {.deadline = 10ms});
   s.advance(10ms);
   expect_end(incr, "unknown, deadline_exceeded", "not fenced");
   s.lose();
   s.submit("SET a 1");
   expect_kill(7, 8);
}

TEST_F(fence, where_it_is_forbidden_nothing_of_unknown_outcome_is_resent) {
   auto& set = s.submit("SET a 1");
   auto& get = s.submit("GET a");
   auto& incr = s.lost("INCR n");
   auto& newer = s.submit("SET b 1");
   s.connect(8, no_kill);
   for (const call* c : {&set, &incr}) {
      EXPECT_EQ(c->says(), "unknown, connection_lost");
      EXPECT_TRUE(c->has_cause("not fenced: NOPERM User ann"));
      EXPECT_EQ(c->error().attempts, 1U);
   }
   s.expect_sent({&get, &newer}, bulk("0") + ok);  // a read leaves nothing to be fenced
   ASSERT_EQ(s.told<event::fenced>().size(), 1U);
   EXPECT_FALSE(s.told<event::fenced>()[0].done);
}

// Whose arguments say that it only reads: it needs no fence, and its resend was paid for when the connection was lost.
TEST(fence_forbidden, reread_is_not_charged_twice) {
   warm_script s(with(&settings::max_resends, 1), {.ratio = 0, .per_second = 0.1});
   auto& read = s.lost("BITFIELD k GET u8 0");
   s.connect(8, no_kill);
   s.expect_resent(read, "*1\r\n:0\r\n");
}

TEST(fence_name, that_the_server_never_told_makes_a_fence_impossible) {
   script s;
   auto& set = s.submit("SET a 1");
   s.greet(hello() + refuses("NOPERM User ann has no permissions to run the 'client|info' command") + server_info());
   s.accept();
   s.lose();
   s.advance(20ms);
   EXPECT_EQ(s.connect(8), greeting);
   expect_end(set, "unknown, connection_lost", "not fenced: the server did not tell who we were");
}

TEST_F(fence, refused_only_for_now_is_asked_for_again) {
   auto& set = s.lost("SET a 1", patient);
   s.connect(8, busy);
   EXPECT_EQ(set.says(), "waiting");
   expect_kill(7, 9);
   EXPECT_EQ(s.accept(), "SET a 1");
}

TEST(fence_of_a_busy_server, receives_only_script_kill_until_identified) {
   script s;
   auto& kill = s.submit("SCRIPT KILL");
   auto& set = s.submit("SET a 1", patient);
   EXPECT_EQ(s.greet(hello() + busy + busy), greeting);
   s.pending_io();
   s.expect_sent(kill, ok);
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1");
   EXPECT_EQ(s.connect(8), greeting);
   EXPECT_EQ(s.accept(), "SET a 1");
   EXPECT_EQ(set.says(), "waiting");
}

TEST_F(fence, stays_due_through_a_connection_that_only_carries_script_kill) {
   auto& incr = s.lost("INCR a", patient);
   auto& kill = s.submit("SCRIPT KILL", patient);
   EXPECT_EQ(s.greet(hello() + busy + busy + busy), greeting_and_kill(7));
   EXPECT_EQ(s.accept(), "SCRIPT KILL");
   EXPECT_EQ(incr.says(), "waiting");
   s.lose();
   expect_end(kill, "unknown, connection_lost", "not fenced: the server was too busy");
   EXPECT_EQ(incr.says(), "waiting");
   expect_kill(7, 9);
   s.expect_fenced(incr);
}

// A connection that does not know its own name can never be fenced: what is lost with it could not be sent again.
TEST(fence_of_a_busy_server, is_awaited_where_it_cannot_say_who_we_are) {
   script s;
   auto& set = s.submit("SET a 1", patient);
   EXPECT_EQ(s.greet(hello() + busy), greeting);
   EXPECT_EQ(set.says(), "waiting");
   EXPECT_EQ(s.accept(), "");
   s.reconnects_to(node_a, 8);
   EXPECT_EQ(s.accept(), "SET a 1");
   EXPECT_EQ(s.reconnects(9), greeting_and_kill(8));
   EXPECT_EQ(s.accept(), "SET a 1");
}

TEST_F(fence, is_asked_for_again_if_its_connection_is_lost_first) {
   auto& incr = s.lost("INCR n", patient);
   s.greet(hello());
   s.lose();
   EXPECT_EQ(incr.says(), "waiting");
   expect_kill(7, 9);
   EXPECT_EQ(incr.says(), "unknown, connection_lost");
   s.lose();
   s.submit("GET n");
   EXPECT_EQ(s.reconnects_to(node_a, 10), greeting) << "and once it holds, never again";
}

TEST_F(fence, of_each_connection_that_was_lost_is_its_own) {
   auto& set = s.lost("SET a 1", patient);
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.lose();
   expect_kill(8, 9);
   s.expect_resent(set, ok);
   EXPECT_EQ(set.op.attempts, 3U);
}

TEST_F(fence, is_not_waited_for_by_the_deadline) {
   auto& set = s.submit("SET a 1", {.deadline = 2s});
   auto& incr = s.lost("INCR n", {.deadline = 2s});
   s.greet("");  // it accepts, and is silent
   s.advance(2s);
   for (const call* c : {&set, &incr}) {
      ASSERT_TRUE(c->done());
      EXPECT_EQ(c->error().outcome, outcome::unknown);
      EXPECT_TRUE(c->has_cause("not fenced"));
      EXPECT_EQ(c->error().attempts, 1U);
      EXPECT_EQ(c->error().elapsed, 2s);
   }
   EXPECT_TRUE(s.subject.idle());
   s.submit("GET a");
   expect_kill(7, 9);  // what ran out of time may still run there
}

TEST_F(fence, is_not_forgotten_when_the_node_is_found_to_be_a_replica) {
   auto& incr = s.lost("INCR n", patient);
   s.greet(hello("slave") + client_info(8) + number(1));
   EXPECT_EQ(incr.says(), "waiting");
   expect_kill(7, 9);
   EXPECT_EQ(incr.says(), "unknown, connection_lost");
}

TEST(fence_name, is_asked_for_the_old_way_too) {
   settings old;
   old.initial.protocol = 2;
   script s(old);
   auto& incr = s.submit("INCR n", patient);
   EXPECT_EQ(s.greet(role_master + bulk("id=7 addr=10.9.9.9:40007 fd=8\n") + server_info()),
             "ROLE; CLIENT INFO; INFO server");
   EXPECT_EQ(s.accept(), "INCR n");
   s.lose();
   s.advance(100ms);
   EXPECT_EQ(s.greet(role_master + bulk("id=8 addr=10.9.9.9:40008 fd=8\n") + server_info() + number(1)),
             "ROLE; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
   EXPECT_EQ(incr.says(), "unknown, connection_lost");
}

// ---- a belief that was withdrawn: the node that the lane had left is the master again ------------------------------

// The lane has left this for node b, where it is held and not sent again.
struct left_behind {
   explicit left_behind(const terms& t) : incr(s.send("INCR a", t)) {
      s.watch.name(node_b, 6);
      s.watch.view.hold_writes_until = after(s.now, 1h);
      s.reconnects();
   }
   warm_script s;
   call& incr;
};

TEST(returning, makes_the_fence_due_where_the_node_may_be_the_same) {
   const auto fence_is_due = [](const endpoint& where, std::string run_id) {
      left_behind x({.deadline = 5s, .delivery = delivery::at_least_once});
      x.s.name(where, 7, std::move(run_id));
      x.s.advance(5s);
      EXPECT_EQ(x.incr.says(), "unknown, no_master");
      return x.incr.has_cause("not fenced");
   };
   const endpoint node_c{"10.0.0.3", 6379};
   EXPECT_TRUE(fence_is_due(node_a, ""));
   EXPECT_TRUE(fence_is_due(node_c, "")) << "it may be the same by another name";
   EXPECT_TRUE(fence_is_due(node_c, run_a));
   EXPECT_FALSE(fence_is_due(node_c, std::string(40, 'c')));
}

TEST(returning, impossible_fence_ends_what_was_left_behind_there) {
   left_behind x({.delivery = delivery::at_least_once});
   auto& [s, incr] = x;
   s.watch.view.hold_writes_until = s.now;
   s.name(node_a, 7);
   s.connect(9, no_kill);
   ASSERT_EQ(incr.says(), "unknown, connection_lost");
   EXPECT_TRUE(incr.has_cause("not fenced: NOPERM"));
   EXPECT_EQ(incr.error().attempts, 1U);
   EXPECT_EQ(s.accept(), "");
}

TEST(returning, overtaken_write_waits_for_the_fence) {
   for (const bool is_possible : {true, false}) {
      warm_script s;
      auto& set = s.send("SET a 1");
      s.watch.name(node_b, 6);
      s.reconnects();
      s.submit("INCR a");
      s.serve("SET a 1; INCR a", no_replicas);
      s.name(node_a, 7);
      EXPECT_EQ(set.says(), "waiting") << "it may still run where the lane goes back to";
      s.connect(9, is_possible ? ":1\r\n" : no_kill);
      EXPECT_TRUE(set.says().starts_with("unknown")) << set.says();
      EXPECT_EQ(set.has_cause("not fenced"), !is_possible);
      EXPECT_EQ(s.accept(), "") << "a newer write may have run";
   }
}

}  // namespace
}  // namespace holdfast::impl::test::fence_test

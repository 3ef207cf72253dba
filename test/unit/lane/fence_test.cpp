// Rule 5: nothing is sent to a node, and no unknown outcome reported, before the lost connection is proven dead there.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test {
namespace {

TEST(Fence, GoesWithTheHandshakeAndIsAnsweredBeforeAnythingElseIsSent) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1");
   auto& incr = s.submit("INCR n");
   s.accept();
   s.lose();
   auto& newer = s.submit("SET a 2");
   s.open();
   EXPECT_EQ(s.accept(), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
   s.answer(hello() + client_info(8));
   EXPECT_EQ(s.pending(), 0U);
   EXPECT_EQ(incr.says(), "waiting");
   s.answer(number(0));
   EXPECT_EQ(incr.says(), "unknown, connection_lost") << "and no earlier";
   EXPECT_FALSE(incr.has_cause("not fenced"));
   EXPECT_EQ(s.accept(), "SET a 1; SET a 2");
   s.answer_all();
   EXPECT_EQ(set.says(), "OK");
   EXPECT_EQ(newer.says(), "OK");
   ASSERT_EQ(s.told<event::fenced>().size(), 1U);
   EXPECT_TRUE(s.told<event::fenced>()[0].done);
}

TEST(Fence, NamesTheConnectionAsTheServerSawItAndNotAsWeDo) {
   script s;
   s.submit("PING");
   s.open();
   s.accept();
   s.answer(hello() + client_info(4711, "172.17.0.1:51234"));
   s.accept();
   s.answer(pong);
   s.submit("SET a 1");
   s.accept();
   s.lose();
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 4711 ADDR 172.17.0.1:51234");
}

TEST(Fence, IsNotNeededOnAnotherNode) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1");
   auto& incr = s.submit("INCR n");
   s.accept();
   s.watch.name(node_b, 6);
   s.on_view();
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.2");
   EXPECT_EQ(incr.says(), "waiting");
   EXPECT_EQ(s.connect(1), "HELLO 3; CLIENT INFO; INFO server");
   EXPECT_EQ(incr.says(), "unknown, connection_lost");
   EXPECT_FALSE(incr.has_cause("not fenced"));
   EXPECT_EQ(s.accept(), "SET a 1");
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
   EXPECT_TRUE(s.told<event::fenced>().empty());
}

TEST(Fence, IsMadeUpForWhenTheLaneComesBackToTheNode) {
   script s;
   s.warm_up();
   s.submit("INCR n");
   s.accept();
   s.watch.name(node_b, 6);
   s.on_view();
   s.connect(1);
   auto& get = s.submit("GET n");
   s.accept();
   s.answer(bulk("1"));
   EXPECT_TRUE(get.done());
   s.watch.name(node_a, 7);
   s.on_view();
   EXPECT_EQ(s.connect(9), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
}

TEST(Fence, IsNotNeededWhereNothingOfOursCanStillRun) {
   struct situation {
      const char* what;
      const char* line;
      std::size_t accepted;
      const char* reply;
   };
   const situation all[] = {{"a read", "GET k", 1000, ""},
                            {"written in part", "SET a 1", 20, ""},
                            {"not written", "SET a 1", 0, ""},
                            {"answered", "SET a 1", 1000, "+OK\r\n"}};
   for (const auto& each : all) {
      script s;
      s.warm_up();
      s.submit(each.line);
      s.accept(each.accepted);
      s.answer(each.reply);
      s.lose();
      EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server") << each.what;
   }
}

TEST(Fence, IsNeededForWhatNobodyWaitsForAnyMore) {
   script s;
   s.warm_up();
   auto& incr = s.submit("INCR n", {.deadline = 10ms});
   s.accept();
   s.advance(10ms);
   EXPECT_EQ(incr.says(), "unknown, deadline_exceeded");
   EXPECT_TRUE(incr.has_cause("not fenced"));
   s.lose();
   s.submit("SET a 1");
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
}

TEST(Fence, WhereItIsForbiddenNothingOfUnknownOutcomeIsSentAgain) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1");
   auto& get = s.submit("GET a");
   auto& incr = s.submit("INCR n");
   s.accept();
   s.lose();
   auto& newer = s.submit("SET b 1");
   s.connect(8, refuses("NOPERM User ann has no permissions to run the 'client|kill' command"));
   for (const call* c : {&set, &incr}) {
      EXPECT_EQ(c->says(), "unknown, connection_lost");
      EXPECT_TRUE(c->has_cause("not fenced: NOPERM User ann"));
      EXPECT_EQ(c->error().attempts, 1U);
   }
   EXPECT_EQ(s.accept(), "GET a; SET b 1") << "a read leaves nothing to be fenced";
   s.answer(bulk("0") + ok);
   EXPECT_EQ(get.says(), "0");
   EXPECT_EQ(newer.says(), "OK");
   ASSERT_EQ(s.told<event::fenced>().size(), 1U);
   EXPECT_FALSE(s.told<event::fenced>()[0].done);
}

// Whose arguments say that it only reads: it needs no fence, and its resend was paid for when the connection was lost.
TEST(Fence, WhereItIsForbiddenARereadIsNotChargedTwice) {
   settings once;
   once.max_resends = 1;
   script s(once, {.ratio = 0, .per_second = 0.1});
   s.warm_up();
   auto& read = s.submit("BITFIELD k GET u8 0");
   s.accept();
   s.lose();
   s.connect(8, refuses("NOPERM client|kill"));
   EXPECT_EQ(s.accept(), "BITFIELD k GET u8 0");
   s.answer("*1\r\n:0\r\n");
   EXPECT_TRUE(read.done() && read.results[0]);
}

TEST(Fence, WhereTheServerNeverToldWhoWeWereThereIsNone) {
   script s;
   auto& set = s.submit("SET a 1");
   s.open();
   s.accept();
   s.answer(hello() + refuses("NOPERM User ann has no permissions to run the 'client|info' command") + server_info());
   s.accept();
   s.lose();
   s.advance(20ms);
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server");
   EXPECT_EQ(set.says(), "unknown, connection_lost");
   EXPECT_TRUE(set.has_cause("not fenced: the server did not tell who we were"));
}

TEST(Fence, ThatIsRefusedOnlyForNowIsAskedForAgain) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.lose();
   s.connect(8, refuses("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."));
   EXPECT_EQ(set.says(), "waiting");
   s.advance(500ms);
   EXPECT_EQ(s.connect(9), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
   EXPECT_EQ(s.accept(), "SET a 1");
}

TEST(Fence, WhatAnswersABusyServerIsSentThoughItHasNotSaidWhoWeAreAndAllElseOnAConnectionOfItsOwn) {
   script s;
   const std::string busy =
      refuses("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
   auto& kill = s.submit("SCRIPT KILL");
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   s.open();
   EXPECT_EQ(s.accept(), "HELLO 3; CLIENT INFO; INFO server");
   s.answer(hello() + busy + busy);
   EXPECT_EQ(s.accept(), "SCRIPT KILL");
   s.pending_io();
   s.answer(ok);
   EXPECT_EQ(kill.says(), "OK");
   EXPECT_EQ(s.pending_io(), "close; dial 10.0.0.1");
   EXPECT_EQ(s.connect(8), "HELLO 3; CLIENT INFO; INFO server");
   EXPECT_EQ(s.accept(), "SET a 1");
   EXPECT_EQ(set.says(), "waiting");
}

TEST(Fence, ThatIsDueStaysSoThroughAConnectionThatOnlyCarriesWhatEndsAScript) {
   script s;
   s.warm_up();
   auto& incr = s.submit("INCR a", {.deadline = 10s});
   s.accept();
   s.lose();
   auto& kill = s.submit("SCRIPT KILL", {.deadline = 10s});
   const std::string busy =
      refuses("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
   s.open();
   EXPECT_EQ(s.accept(), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
   s.answer(hello() + busy + busy + busy);
   EXPECT_EQ(s.accept(), "SCRIPT KILL");
   EXPECT_EQ(incr.says(), "waiting");
   s.lose();
   EXPECT_EQ(kill.says(), "unknown, connection_lost");
   EXPECT_TRUE(kill.has_cause("not fenced: the server was too busy"));
   EXPECT_EQ(incr.says(), "waiting");
   s.advance(500ms);
   EXPECT_EQ(s.connect(9), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
   EXPECT_EQ(incr.says(), "unknown, connection_lost");
   EXPECT_FALSE(incr.has_cause("not fenced"));
}

// A connection that does not know its own name can never be fenced: what is lost with it could not be sent again.
TEST(Fence, NoConnectionIsUsedWhileTheServerIsTooBusyToSayWhoWeAre) {
   script s;
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   s.open();
   EXPECT_EQ(s.accept(), "HELLO 3; CLIENT INFO; INFO server");
   s.answer(hello() +
            refuses("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."));
   EXPECT_EQ(set.says(), "waiting");
   EXPECT_EQ(s.accept(), "");
   s.advance(500ms);
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.lose();
   s.advance(500ms);
   EXPECT_EQ(s.connect(9), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 8 ADDR 10.9.9.9:40008");
   EXPECT_EQ(s.accept(), "SET a 1");
}

TEST(Fence, IsAskedForAgainIfTheConnectionThatAskedIsLostBeforeTheAnswer) {
   script s;
   s.warm_up();
   auto& incr = s.submit("INCR n", {.deadline = 10s});
   s.accept();
   s.lose();
   s.open();
   s.accept();
   s.answer(hello());
   s.lose();
   EXPECT_EQ(incr.says(), "waiting");
   s.advance(100ms);
   EXPECT_EQ(s.connect(9), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
   EXPECT_EQ(incr.says(), "unknown, connection_lost");
   s.lose();
   s.submit("GET n");
   s.advance(100ms);
   EXPECT_EQ(s.connect(10), "HELLO 3; CLIENT INFO; INFO server") << "and once it holds, never again";
}

TEST(Fence, OfEachConnectionThatWasLostIsItsOwn) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.lose();
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1");
   s.lose();
   s.advance(100ms);
   EXPECT_EQ(s.connect(9), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 8 ADDR 10.9.9.9:40008");
   s.accept();
   s.answer(ok);
   EXPECT_EQ(set.says(), "OK");
   EXPECT_EQ(set.op.attempts, 3U);
}

TEST(Fence, TheDeadlineDoesNotWaitForIt) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 2s});
   auto& incr = s.submit("INCR n", {.deadline = 2s});
   s.accept();
   s.lose();
   s.open();  // it accepts, and is silent
   s.accept();
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
   while (s.main.now() != link::state::dialing) s.advance(10ms);
   EXPECT_EQ(s.connect(9), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007")
      << "what ran out of time may still run there";
}

TEST(Fence, IsForgottenNeitherWhenTheNodeIsFoundToBeAReplica) {
   script s;
   s.warm_up();
   auto& incr = s.submit("INCR n", {.deadline = 10s});
   s.accept();
   s.lose();
   s.open();
   s.accept();
   s.answer(hello("slave") + client_info(8) + number(1));
   EXPECT_EQ(incr.says(), "waiting");
   s.advance(500ms);
   EXPECT_EQ(s.connect(9), "HELLO 3; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
   EXPECT_EQ(incr.says(), "unknown, connection_lost");
}

TEST(Fence, WorksTheOldWayToo) {
   settings old;
   old.initial.protocol = 2;
   script s(old);
   auto& incr = s.submit("INCR n", {.deadline = 10s});
   const std::string master = "*3\r\n" + bulk("master") + number(0) + "*0\r\n";
   s.open();
   EXPECT_EQ(s.accept(), "ROLE; CLIENT INFO; INFO server");
   s.answer(master + bulk("id=7 addr=10.9.9.9:40007 fd=8\n") + server_info());
   EXPECT_EQ(s.accept(), "INCR n");
   s.lose();
   s.advance(100ms);
   s.open();
   EXPECT_EQ(s.accept(), "ROLE; CLIENT INFO; INFO server; CLIENT KILL ID 7 ADDR 10.9.9.9:40007");
   s.answer(master + bulk("id=8 addr=10.9.9.9:40008 fd=8\n") + server_info() + number(1));
   EXPECT_EQ(incr.says(), "unknown, connection_lost");
}

// A belief that was withdrawn: the node that the lane had left is the master again.
TEST(Fence, IsDueAgainWhereTheLaneComesBackToTheNodeThatItHadLeft) {
   struct row {
      endpoint where;
      std::string run_id;
      bool may_be_there;
   };
   const endpoint node_c{"10.0.0.3", 6379};
   const row rows[] = {{node_a, "", true},
                       {node_c, "", true},  // it may be the same by another name
                       {node_c, run_a, true},
                       {node_c, std::string(40, 'c'), false}};
   for (const auto& r : rows) {
      script s;
      s.warm_up();
      auto& incr = s.submit("INCR a", {.deadline = 5s, .delivery = delivery::at_least_once});
      s.accept();
      s.watch.name(node_b, 6);
      s.watch.view.hold_writes_until = after(s.now, 1h);  // so that it is not sent again there
      s.lose();
      s.connect(8);
      s.watch.name(r.where, 7, r.run_id);
      s.on_view();
      s.advance(5s);
      EXPECT_EQ(incr.says(), "unknown, no_master");
      EXPECT_EQ(incr.has_cause("not fenced"), r.may_be_there) << r.where.host << " " << r.run_id;
   }
}

TEST(Fence, ThatIsImpossibleWhereTheLaneComesBackEndsWhatWasLeftBehindThere) {
   script s;
   s.warm_up();
   auto& incr = s.submit("INCR a", {.delivery = delivery::at_least_once});
   s.accept();
   s.watch.name(node_b, 6);
   s.watch.view.hold_writes_until = after(s.now, 1h);  // so that it is not sent again there
   s.lose();
   s.connect(8);
   s.watch.name(node_a, 7);
   s.watch.view.hold_writes_until = s.now;
   s.on_view();
   s.connect(9, refuses("NOPERM client|kill"));
   ASSERT_EQ(incr.says(), "unknown, connection_lost");
   EXPECT_TRUE(incr.has_cause("not fenced: NOPERM"));
   EXPECT_EQ(incr.error().attempts, 1U);
   EXPECT_EQ(s.accept(), "");
}

TEST(Fence, IsWaitedForByWhatIsOvertakenAsTheLaneComesBack) {
   for (const bool is_possible : {true, false}) {
      script s;
      s.warm_up();
      auto& set = s.submit("SET a 1");
      s.accept();
      s.watch.name(node_b, 6);
      s.lose();
      s.connect(8);
      s.submit("INCR a");
      EXPECT_EQ(s.accept(), "SET a 1; INCR a");
      s.answer(refuses("NOREPLICAS Not enough good replicas to write."));
      s.watch.name(node_a, 7);
      s.on_view();
      EXPECT_EQ(set.says(), "waiting") << "it may still run where the lane goes back to";
      s.connect(9, is_possible ? ":1\r\n" : refuses("NOPERM client|kill"));
      EXPECT_TRUE(set.says().starts_with("unknown")) << set.says();
      EXPECT_EQ(set.has_cause("not fenced"), !is_possible);
      EXPECT_EQ(s.accept(), "") << "a newer write may have run";
   }
}

}  // namespace
}  // namespace holdfast::impl::test

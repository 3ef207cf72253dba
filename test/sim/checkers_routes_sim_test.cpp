// The checkers of where a client goes notice what they are there for.
#include "checker_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace holdfast::sim::checkers_routes_sim_test {
namespace {

// A client between servers 0, 1 and 2, and the Sentinels 5, 6 and 7: what it reads, and where its commands go.
class case_of_a_way : public checker_fixture {
 public:
   case_of_a_way() {
      for (host_id h = 0; h < 3; ++h) {
         server_line& l = lanes_[h];
         l.number = 10 + h;
         l.to = h;
         l.says_master = true;
      }
      reads(5, {observation::address, 4, 0});
      checks.goes(0, lanes_[0], words{"HELLO", "3"});
   }
   void reads(host_id from, const told& t) { checks.told(0, {from, from}, t); }
   void learns(host_id from, const told& t) { checks.told(0, {from, from, false}, t); }
   // On that Sentinel's subscription.
   void selects(host_id sentinel, std::uint64_t epoch, host_id node) {
      reads(sentinel, {observation::epoch, epoch, nowhere});
      reads(sentinel, {observation::tried, 0, nowhere});
      reads(sentinel, {observation::selected, 0, node});
   }
   void goes(host_id to) { checks.goes(0, lanes_[to], words{"GET", "s0"}); }
   void asks(host_id to) {
      warm_.to = to;
      checks.goes(0, warm_, words{"HELLO"});
   }
   void sets(host_id to, bool handed_over = false) {
      const std::string n = std::to_string(gives(call_kind::set));
      checks.sent(0, lanes_[to], words{"SET", "s0", n}, handed_over);
   }
   server_line& lane(host_id h) { return lanes_[h]; }

 private:
   std::array<server_line, 3> lanes_;
   server_line warm_;
};

TEST(checkers, LetAClientFollowWhatItHasRead) {
   case_of_a_way c;
   c.goes(0);
   c.selects(6, 5, 1);
   c.goes(0);
   c.goes(1);
   c.reads(6, {observation::promoted, 0, 1});
   c.reads(6, {observation::address, 5, 1});
   c.goes(1);
   EXPECT_EQ(c.run_report(), "");
}

TEST(checkers, NoticeACommandToAMasterThatTheClientWasToldIsNone) {
   case_of_a_way c;
   c.reads(5, {observation::address, 5, 1});
   c.goes(0);
   EXPECT_TRUE(c.found("was told that the master is host 1 (epoch 5)"));
}

TEST(checkers, LetAClientGoToEitherOfTwoNodesThatSentinelsNameUnderOneEpochAndToNoThird) {
   case_of_a_way c;
   c.reads(5, {observation::address, 5, 1});
   c.reads(6, {observation::address, 5, 2});
   c.goes(2);
   c.goes(1);
   EXPECT_EQ(c.run_report(), "");
   c.goes(0);
   EXPECT_TRUE(c.found("was told that the master is host 1 (epoch 5)"));
}

TEST(checkers, NoticeALaneThatIsConnectedToANodeWhichNobodyNamed) {
   case_of_a_way c;
   c.checks.goes(0, c.lane(1), words{"HELLO", "3"});
   EXPECT_TRUE(c.found("connects its lane to host 1"));
}

TEST(checkers, NoticeACommandToANodeWhoseRoleWasNotRead) {
   case_of_a_way c;
   c.lane(0).says_master = false;
   c.goes(0);
   EXPECT_TRUE(c.found("has not said on this connection that it is a master"));
}

TEST(checkers, NoticeACommandToANodeThatWasSelectedUnderNoNewerEpoch) {
   for (const std::uint64_t epoch : {0U, 3U, 4U}) {
      case_of_a_way c;
      if (epoch != 0) c.reads(6, {observation::epoch, epoch, nowhere});
      c.reads(6, {observation::tried, 0, nowhere});
      c.reads(6, {observation::epoch, 9, nowhere});  // of another failover, which begins meanwhile
      c.reads(6, {observation::selected, 0, 1});
      c.goes(1);
      EXPECT_TRUE(c.found("was told that the master is host 0 (epoch 4)")) << epoch;
   }
}

TEST(checkers, NoticeAnEpochThatIsThatOfAnotherSubscription) {
   case_of_a_way c;
   c.reads(6, {observation::epoch, 5, nowhere});
   c.reads(7, {observation::tried, 0, nowhere});
   c.reads(7, {observation::selected, 0, 1});
   c.goes(1);
   EXPECT_TRUE(c.found("was told that the master is host 0"));
}

TEST(checkers, NoticeACommandToANodeWhoseFailoverWasGivenUp) {
   case_of_a_way c;
   c.selects(6, 5, 1);
   c.reads(7, {observation::aborted, 0, 0});  // another's
   c.goes(1);
   EXPECT_EQ(c.run_report(), "");
   c.reads(6, {observation::aborted, 0, 0});
   c.goes(1);
   EXPECT_TRUE(c.found("was told that the master is host 0"));
   case_of_a_way again;
   again.selects(6, 5, 1);
   again.reads(6, {observation::epoch, 6, nowhere});
   again.reads(6, {observation::tried, 0, nowhere});
   again.reads(6, {observation::aborted, 0, 0});  // its next try
   again.goes(1);
   EXPECT_EQ(again.run_report(), "");
}

TEST(checkers, NoticeAReturnToTheSupersededMaster) {
   case_of_a_way c;
   c.selects(6, 5, 1);
   c.goes(1);
   c.reads(7, {observation::address, 4, 0});
   c.goes(0);
   EXPECT_TRUE(c.found("has followed host 1 (epoch 5) and goes back"));
}

TEST(checkers, NoticeAReturnAlsoWhereAnotherFailoverToTheSameNodeWasGivenUp) {
   case_of_a_way c;
   c.goes(0);
   c.selects(6, 5, 1);
   c.goes(1);
   c.selects(7, 6, 1);
   c.reads(6, {observation::aborted, 0, nowhere});
   c.goes(1);
   EXPECT_EQ(c.run_report(), "") << "it stays by the other one";
   c.goes(0);
   EXPECT_TRUE(c.found("has followed host 1 (epoch 6) and goes back"));
}

TEST(checkers, LetAClientReturnForAReasonThatItHasRead) {
   {
      case_of_a_way c;  // the failover was given up
      c.selects(6, 5, 1);
      c.goes(1);
      c.reads(6, {observation::aborted, 0, 0});
      c.goes(0);
      EXPECT_EQ(c.run_report(), "");
   }
   {
      case_of_a_way c;  // the candidate is none, and the Sentinels name the old master
      c.selects(6, 5, 1);
      c.goes(1);
      c.time.pass_until(c.time.now() + 1s);
      c.reads(1, {observation::replica, 0, nowhere});
      c.reads(7, {observation::address, 4, 0});
      c.reads(1, {observation::master, 0, nowhere});  // it is promoted after all, and the client has left
      c.goes(0);
      EXPECT_EQ(c.run_report(), "");
   }
   {
      case_of_a_way c;  // it is one again before anybody names the old master
      c.selects(6, 5, 1);
      c.goes(1);
      c.time.pass_until(c.time.now() + 1s);
      c.reads(1, {observation::replica, 0, nowhere});
      c.reads(1, {observation::master, 0, nowhere});
      c.reads(7, {observation::address, 4, 0});
      c.goes(0);
      EXPECT_TRUE(c.found("has followed host 1 (epoch 5) and goes back"));
   }
   {
      case_of_a_way c;  // it is one again, and the client went on writing there
      c.selects(6, 5, 1);
      c.goes(1);
      c.time.pass_until(c.time.now() + 1s);
      c.reads(1, {observation::replica, 0, nowhere});
      c.reads(7, {observation::address, 4, 0});
      c.reads(1, {observation::master, 0, nowhere});
      c.goes(1);
      c.goes(0);
      EXPECT_TRUE(c.found("has followed host 1 (epoch 5) and goes back"));
   }
   {
      case_of_a_way c;  // a newer failover
      c.selects(6, 5, 1);
      c.goes(1);
      c.selects(7, 6, 2);
      c.goes(2);
      EXPECT_EQ(c.run_report(), "");
      c.goes(1);
      EXPECT_TRUE(c.found("has followed host 2 (epoch 6) and goes back"));
   }
}

// Two leaders under one epoch, as two Sentinels with one id can be.
TEST(checkers, let_learned_sentinels_settle_which_of_two_selected_nodes_it_is) {
   case_of_a_way c;
   c.selects(6, 5, 1);
   c.goes(1);
   c.learns(7, {observation::address, 5, 2});
   c.goes(2);
   EXPECT_EQ(c.run_report(), "");
   case_of_a_way older;
   older.selects(6, 6, 1);
   older.goes(1);
   older.learns(7, {observation::address, 5, 2});  // who has not heard of that failover yet
   older.goes(2);
   EXPECT_TRUE(older.found("has followed host 1 (epoch 6) and goes back"));
   case_of_a_way before;
   before.learns(7, {observation::address, 5, 2});
   before.time.pass_until(before.time.now() + 1s);
   before.selects(6, 5, 1);
   before.goes(1);
   before.goes(2);
   EXPECT_TRUE(before.found("has followed host 1 (epoch 5) and goes back"));
   case_of_a_way old_master;
   old_master.selects(6, 5, 1);
   old_master.goes(1);
   old_master.learns(7, {observation::address, 5, 2});
   old_master.goes(0);
   EXPECT_TRUE(old_master.found("has followed host 1 (epoch 5) and goes back"));
}

TEST(checkers, NoticeACommandToAMasterThatNoSentinelSelected) {
   case_of_a_way c;
   c.checks.rogue(1, true);
   c.goes(1);
   EXPECT_TRUE(c.found("was made a master by hand"));
   case_of_a_way later;
   later.checks.rogue(1, true);
   later.checks.rogue(1, false);
   later.selects(6, 5, 1);
   later.goes(1);
   EXPECT_EQ(later.run_report(), "");
}

TEST(checkers, NoticeACommandToAnotherDeployment) {
   case_of_a_way c;
   c.checks.neighbour(1, true);
   c.reads(5, {observation::address, 5, 1});
   c.goes(1);
   EXPECT_TRUE(c.found("sends GET to host 1, which belongs to another deployment"));
}

// Behind a balancer two connections reach one Sentinel.
TEST(checkers, KeepApartWhatOneSentinelSaysOnTwoConnections) {
   case_of_a_way c;
   c.checks.told(0, {1, 6}, {observation::epoch, 5, nowhere});
   c.checks.told(0, {2, 6}, {observation::epoch, 5, nowhere});
   c.checks.told(0, {1, 6}, {observation::tried, 0, nowhere});
   c.checks.told(0, {2, 6}, {observation::tried, 0, nowhere});
   c.checks.told(0, {1, 6}, {observation::selected, 0, 1});
   c.checks.told(0, {2, 6}, {observation::selected, 0, 1});
   c.goes(1);
   EXPECT_EQ(c.run_report(), "");
}

TEST(checkers, AllowAHintOnlyWhereItIsToBeFollowed) {
   for (const bool follows : {false, true}) {
      case_of_a_way c;
      c.checks.limits.follows_hints = follows;
      c.reads(0, {observation::replica, 0, 1});
      c.goes(1);
      EXPECT_EQ(c.run_report().empty(), follows);
      c.goes(2);
      EXPECT_TRUE(c.found("writes to host 2"));
   }
}

TEST(checkers, LetAClientGiveAHintUpAlsoWhereItsNodeWasSelectedMeanwhile) {
   case_of_a_way c;
   c.checks.limits.follows_hints = true;
   c.reads(0, {observation::replica, 0, 1});
   c.goes(1);
   c.selects(6, 5, 1);
   c.goes(1);
   c.goes(0);
   EXPECT_EQ(c.run_report(), "");
}

TEST(checkers, NoticeANewWriteToTheOldMasterWhileItIsToBeHeld) {
   case_of_a_way c;
   c.checks.limits.hold = 250ms;
   c.sets(0);
   c.selects(6, 5, 1);
   c.sets(0, true);  // it was under way
   EXPECT_EQ(c.run_report(), "");
   c.sets(0);
   EXPECT_TRUE(c.found("goes to host 0, though another node was just selected"));
}

TEST(checkers, LetWritesGoOnceTheHoldIsOver) {
   for (const int how : {0, 1, 2, 3}) {
      case_of_a_way c;
      c.checks.limits.hold = 250ms;
      c.selects(6, 5, 1);
      if (how == 0) c.time.pass_until(c.time.now() + 251ms);
      if (how == 1) c.reads(6, {observation::aborted, 0, 0});
      if (how == 2) c.reads(6, {observation::promoted, 0, 1});
      c.sets(how == 3 ? 1 : 0);
      EXPECT_EQ(c.run_report(), "") << how;
   }
}

TEST(checkers, pause_after_a_hold_ends_with_a_newer_master) {
   for (const bool is_named : {false, true}) {
      case_of_a_way c;
      c.checks.limits.hold = 250ms;
      c.selects(6, 5, 1);
      c.time.pass_until(c.time.now() + 251ms);
      if (is_named) c.reads(5, {observation::address, 5, 0});
      c.selects(6, 6, 1);
      c.sets(0);
      EXPECT_EQ(c.found("goes to host 0, though another node was just selected"), is_named);
   }
}

TEST(checkers, selection_by_a_sentinel_that_is_not_listed_holds_nothing) {
   for (const bool is_listed : {false, true}) {
      case_of_a_way c;
      c.checks.limits.hold = 250ms;
      const line on{.number = 6, .to = 6, .configured = false, .listed = is_listed};
      for (const told& t : {told{observation::epoch, 5, nowhere}, told{observation::tried, 0, nowhere},
                            told{observation::selected, 0, 1}})
         c.checks.told(0, on, t);
      c.sets(0);
      EXPECT_EQ(c.found("goes to host 0, though another node was just selected"), is_listed);
   }
}

// One by hand and one that was elected: each Sentinel votes for itself.
TEST(checkers, LetWritesGoToEitherOfTwoNodesThatWereSelectedUnderTheSameEpochAndToNoOlderOne) {
   case_of_a_way c;
   c.checks.limits.hold = 250ms;
   c.selects(6, 5, 1);
   c.selects(7, 5, 2);
   c.sets(2);
   EXPECT_EQ(c.run_report(), "");
   c.sets(0);
   EXPECT_TRUE(c.found("goes to host 0, though another node was just selected"));
}

TEST(checkers, CountWhatTheOldMasterAcknowledgedAfterAnotherWasSelectedAndLost) {
   case_of_a_way c;
   c.checks.limits.hold = 1ms;
   const place fork = c.at;
   c.selects(6, 5, 1);
   c.time.pass_until(c.time.now() + 2ms);
   const auto n = c.gives(call_kind::set);
   c.checker_fixture::sets(n, 10);
   c.succeeds(n, value::of_status("OK"));
   c.at = c.past.fork(fork);
   c.data.clear();
   c.checks.new_branch(c.at, true);
   c.is_over();
   EXPECT_EQ(c.checks.seen().lost_selected, 1U);
}

TEST(checkers, NoticeWhoAsksServersForTheirRoleWithoutAPause) {
   case_of_a_way c;
   for (int i = 0; i < 1000; ++i) {
      c.asks(2);
      c.checks.dialled(0, 2, true);
   }
   EXPECT_TRUE(c.found("asks host 2 for its role for the"));
   EXPECT_TRUE(c.found("dials host 2, which is not the master, for the"));
}

TEST(checkers, NoticeTwoConnectionsThatWatchOneServer) {
   case_of_a_way c;
   c.checks.keeps_warm(0, 2, 1);
   EXPECT_EQ(c.run_report(), "");
   c.checks.keeps_warm(0, 2, 2);
   EXPECT_TRUE(c.found("keeps 2 warm connections to host 2"));
}

}  // namespace
}  // namespace holdfast::sim::checkers_routes_sim_test

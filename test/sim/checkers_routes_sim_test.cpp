// The checkers of where a client goes notice what they are there for.
#include "checker_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace holdfast::sim::checkers_routes_sim_test {
namespace {

// A client between servers 0, 1 and 2, and the Sentinels 5, 6 and 7: what it reads, and where its commands go. Its
// master is server 0, of epoch 4.
class client_case : public checker_fixture {
 public:
   client_case() {
      for (host_id h = 0; h < 3; ++h) {
         lanes_[h].number = 10 + h;
         lanes_[h].to = h;
         lanes_[h].says_master = true;
      }
      reads(5, {observation::address, 4, 0});
      checks.named(0, 0, 4);
   }
   void reads(host_id from, const told& t) { checks.told(0, {from, from}, t); }
   void learns(host_id from, const told& t) { checks.told(0, {from, from, false, is_listed}, t); }
   void selects(host_id sentinel, std::uint64_t epoch, host_id node) {
      learns(sentinel, {observation::tried, epoch, 0});
      learns(sentinel, {observation::selected, epoch, node});
   }
   void rises(host_id node) { reads(node, {observation::master}); }
   void falls(host_id node) { reads(node, {observation::replica}); }
   void ends(host_id sentinel) { checks.ended(0, {sentinel, sentinel}); }
   void goes(host_id to) { checks.goes(0, lanes_[to], words{"GET", "s0"}); }
   void passes(duration d) { time.pass_until(time.now() + d); }
   // It follows server 1, of epoch 5, and goes back.
   void follows() {
      selects(6, 5, 1);
      rises(1);
      goes(1);
   }
   void withdraws() {
      checks.withdrew(0, 1, 5, 0);
      goes(0);
   }
   server_line& lane(host_id h) { return lanes_[h]; }
   // A write that the old master acknowledges, and that is lost once server `heir` is promoted.
   void loses_a_write(host_id heir, bool handed_over = false) {
      const place fork = at;
      const auto n = gives(call_kind::set);
      checks.sent(0, lanes_[0], words{"SET", "s0", std::to_string(n)}, handed_over);
      runs({"SET", "s0", std::to_string(n)});
      succeeds(n, value::of_status("OK"));
      at = past.fork(fork);
      data.clear();
      checks.new_branch(at, heir);
      is_over();
   }

   bool is_listed = true;

 private:
   std::array<server_line, 3> lanes_;
};

TEST(routes, answer_or_selection_may_be_followed) {
   client_case c;
   c.goes(0);
   c.follows();
   c.reads(6, {observation::address, 5, 1});
   c.goes(1);
   EXPECT_EQ(c.run_report(), "");
}

TEST(routes, older_answer_is_noticed) {
   client_case c;
   c.reads(5, {observation::address, 5, 1});
   c.reads(6, {observation::address, 5, 2});
   c.goes(1);
   c.goes(2);
   EXPECT_EQ(c.run_report(), "") << "either of two that are named under one epoch";
   c.goes(0);
   EXPECT_TRUE(c.found("sends GET to host 0, and was told that the master is host 1 (epoch 5)"));
}

TEST(routes, older_selection_is_noticed) {
   for (const std::uint64_t epoch : {0U, 3U, 4U}) {
      client_case c;
      c.selects(6, epoch, 1);
      c.goes(1);
      EXPECT_TRUE(c.found("was told that the master is host 0 (epoch 4)")) << epoch;
   }
}

TEST(routes, selection_is_noticed_where_the_answer_is_to_be_awaited) {
   client_case c;
   c.checks.limits.routes.eager = false;
   c.follows();
   EXPECT_TRUE(c.found("was told that the master is host 0 (epoch 4)"));
}

TEST(routes, selection_of_a_failover_given_up_is_noticed) {
   client_case c;
   c.selects(6, 5, 1);
   c.reads(7, {observation::aborted, 5, 0});  // another's
   c.reads(6, {observation::aborted, 6, 0});  // its next try
   c.goes(1);
   EXPECT_EQ(c.run_report(), "");
   client_case given_up;
   given_up.selects(6, 5, 1);
   given_up.reads(6, {observation::aborted, 5, 0});
   given_up.goes(1);
   EXPECT_TRUE(given_up.found("was told that the master is host 0"));
}

TEST(routes, unread_role_is_noticed) {
   client_case c;
   c.lane(0).says_master = false;
   c.goes(0);
   EXPECT_TRUE(c.found("has not said on this connection that it is a master"));
}

TEST(routes, master_made_by_hand_is_noticed) {
   client_case c;
   c.checks.rogue(1, true);
   c.selects(6, 5, 1);
   c.goes(1);
   EXPECT_TRUE(c.found("was made a master by hand"));
}

TEST(routes, other_deployment_is_noticed) {
   client_case c;
   c.checks.neighbour(1, true);
   c.reads(5, {observation::address, 5, 1});
   c.goes(1);
   EXPECT_TRUE(c.found("sends GET to host 1, which belongs to another deployment"));
}

TEST(routes, hint_is_noticed_where_none_is_to_be_followed) {
   for (const bool follows : {false, true}) {
      client_case c;
      c.checks.limits.routes.follows_hints = follows;
      c.reads(0, {observation::replica, 0, 1});
      c.falls(0);  // and does not say of whom
      c.goes(1);
      EXPECT_EQ(c.run_report().empty(), follows);
      c.goes(2);
      EXPECT_TRUE(c.found("to host 2"));
   }
}

TEST(routes, return_without_an_event_is_noticed) {
   client_case c;
   c.follows();
   c.reads(7, {observation::address, 4, 0});
   c.goes(0);
   EXPECT_TRUE(c.found("has followed host 1 (epoch 5) and goes back"));
}

TEST(routes, newer_epoch_needs_no_event) {
   client_case c;
   c.follows();
   c.selects(7, 6, 2);
   c.goes(2);
   c.learns(7, {observation::address, 6, 0});
   c.goes(0);
   EXPECT_EQ(c.run_report(), "");
   c.goes(1);
   EXPECT_TRUE(c.found("has followed host 2 (epoch 6) and goes back"));
}

// Two Sentinels can lead a failover each under the same epoch.
TEST(routes, same_epoch_leaves_the_choice) {
   client_case c;
   c.follows();
   c.reads(7, {observation::address, 5, 2});
   c.goes(1);
   c.goes(2);
   EXPECT_EQ(c.run_report(), "");
   c.goes(0);
   EXPECT_TRUE(c.found("was told that the master is host 2 (epoch 5)"));
}

TEST(routes, second_use_of_a_withdrawn_selection_is_noticed) {
   client_case c;
   c.follows();
   c.reads(6, {observation::aborted, 5, 0});
   c.withdraws();
   EXPECT_EQ(c.run_report(), "");
   c.goes(1);
   EXPECT_TRUE(c.found("was told that the master is host 0 (epoch 4)"));
}

TEST(routes, withdrawal_needs_a_reason) {
   const auto noticed = [](auto&& happens) {
      client_case c;
      c.follows();
      happens(c);
      c.withdraws();
      return c.found("goes back from host 1 to host 0, and was told no reason");
   };
   EXPECT_TRUE(noticed([](client_case&) {}));
   EXPECT_TRUE(noticed([](client_case& c) { c.ends(6); }));
   EXPECT_FALSE(noticed([](client_case& c) { c.reads(6, {observation::aborted, 5, 0}); }));
   EXPECT_TRUE(noticed([](client_case& c) { c.reads(6, {observation::aborted, 6, 0}); }));
   EXPECT_TRUE(noticed([](client_case& c) { c.reads(7, {observation::aborted, 5, 0}); }));
   EXPECT_FALSE(noticed([](client_case& c) { c.checks.told(0, {90, 6}, {observation::aborted, 6, 0}); }));
   EXPECT_TRUE(noticed([](client_case& c) { c.falls(1); }));
   EXPECT_FALSE(noticed([](client_case& c) {
      c.falls(1);
      c.reads(7, {observation::address, 4, 0});
   }));
   EXPECT_TRUE(noticed([](client_case& c) {
      c.falls(1);
      c.rises(1);
      c.reads(7, {observation::address, 4, 0});
   }));
}

TEST(routes, withdrawal_may_follow_ten_seconds_of_agreement) {
   const auto noticed = [](duration d, auto&& says) {
      client_case c;
      c.follows();
      c.reads(7, {observation::address, 4, 0});
      c.passes(5s);
      c.reads(7, {observation::address, 4, 2});
      c.reads(7, {observation::address, 4, 0});
      c.passes(d);
      says(c);
      c.reads(7, {observation::address, 4, 0});
      c.withdraws();
      return !c.run_report().empty();
   };
   EXPECT_TRUE(noticed(9s, [](client_case& c) { c.rises(0); }));
   EXPECT_FALSE(noticed(10s, [](client_case& c) { c.rises(0); }));
   EXPECT_TRUE(noticed(10s, [](client_case&) {}));
   EXPECT_TRUE(noticed(10s, [](client_case& c) { c.rises(0), c.falls(0); }));
   client_case silence;
   silence.follows();
   silence.rises(0);
   silence.passes(10s);
   silence.withdraws();
   EXPECT_TRUE(silence.found("was told no reason"));
}

TEST(routes, old_master_is_noticed_once_the_selected_node_says_master) {
   const auto noticed = [](auto&& happens) {
      client_case c;
      happens(c);
      c.goes(0);
      return c.found("was told that host 1 is a master, which had been selected (epoch 5)");
   };
   const auto selects = [](client_case& c) { c.selects(6, 5, 1); };
   const auto rises = [](client_case& c) { c.rises(1); };
   const auto both = [&](client_case& c, auto&& between) {
      selects(c);
      between();
      rises(c);
   };
   EXPECT_FALSE(noticed(selects));
   EXPECT_FALSE(noticed([&](client_case& c) { rises(c), selects(c); }));
   EXPECT_TRUE(noticed([&](client_case& c) { both(c, [] {}); }));
   EXPECT_FALSE(noticed([&](client_case& c) { both(c, [&] { c.ends(6); }); }));
   EXPECT_FALSE(noticed([&](client_case& c) { both(c, [&] { c.reads(6, {observation::aborted, 5, 0}); }); }));
   EXPECT_FALSE(noticed([&](client_case& c) { both(c, [&] { c.reads(6, {observation::switched, 4, 0}); }); }));
   EXPECT_TRUE(noticed([&](client_case& c) { both(c, [&] { c.reads(6, {observation::switched, 5, 1}); }); }));
   EXPECT_TRUE(noticed([&](client_case& c) { both(c, [&] { c.reads(7, {observation::switched, 4, 0}); }); }));
   EXPECT_FALSE(noticed([&](client_case& c) { c.checks.limits.routes.has_one_name = false, both(c, [] {}); }));
   EXPECT_FALSE(noticed([&](client_case& c) { c.is_listed = false, both(c, [] {}); }));
   EXPECT_FALSE(noticed([&](client_case& c) {
      c.reads(6, {observation::selected, 5, 1});  // of a failover whose beginning it has not heard
      rises(c);
   }));
}

TEST(routes, node_that_was_followed_is_noticed_once_its_selection_is_given_up) {
   client_case c;
   c.follows();
   c.reads(6, {observation::aborted, 5, 0});
   c.goes(1);
   EXPECT_TRUE(c.found("was told that the master is host 0 (epoch 4)"));
}

TEST(routes, node_that_was_followed_is_noticed_once_a_newer_one_says_master) {
   client_case c;
   c.follows();
   c.reads(6, {observation::address, 5, 1});
   c.selects(7, 6, 2);
   c.goes(1);
   EXPECT_EQ(c.run_report(), "");
   c.rises(2);
   c.goes(1);
   EXPECT_TRUE(c.found("was told that host 2 is a master, which had been selected (epoch 6)"));
}

TEST(routes, rebuilt_sentinels_are_followed_once_the_client_says_so) {
   client_case c;
   c.reads(5, {observation::address, 1, 1});
   c.checks.begins_anew(0, 1, 1);
   c.goes(1);
   EXPECT_EQ(c.run_report(), "");
   client_case silent;
   silent.reads(5, {observation::address, 1, 1});
   silent.goes(1);
   EXPECT_TRUE(silent.found("was told that the master is host 0 (epoch 4)"));
}

TEST(routes, sentinels_rebuilt_before_the_first_master_are_followed_at_once) {
   for (const bool expected : {false, true}) {
      client_case c;
      c.checks.expects_lineages = expected;
      c.checks.told(1, {5, 5}, {observation::address, 4, 0});
      c.checks.told(1, {5, 5}, {observation::address, 1, 1});
      c.checks.named(1, 1, 1);
      c.checks.goes(1, c.lane(1), words{"GET", "s0"});
      EXPECT_EQ(c.run_report().empty(), expected);
   }
}

// What the hold is there for: no write is lost to a node that the client had read to be selected.
TEST(routes, loss_of_a_write_that_was_to_be_held_is_noticed) {
   const auto noticed = [](auto&& happens, host_id heir = 1, bool handed_over = false) {
      client_case c;
      c.checks.limits.routes.hold = 250ms;
      happens(c);
      c.loses_a_write(heir, handed_over);
      EXPECT_EQ(c.checks.seen().lost, 1U);
      return c.found("its client had read that host 1 was selected, which was then promoted");
   };
   const auto selects = [](client_case& c) { c.selects(6, 5, 1); };
   EXPECT_FALSE(noticed([](client_case&) {}));
   EXPECT_TRUE(noticed(selects));
   EXPECT_FALSE(noticed(selects, 2)) << "another one was promoted";
   EXPECT_FALSE(noticed(selects, 1, true)) << "it was on its way";
   EXPECT_FALSE(noticed([&](client_case& c) { selects(c), c.ends(6); }));
   EXPECT_FALSE(noticed([&](client_case& c) { selects(c), c.reads(6, {observation::aborted, 5, 0}); }));
   EXPECT_FALSE(noticed([&](client_case& c) { selects(c), c.reads(5, {observation::address, 5, 0}); }));
   EXPECT_FALSE(noticed([&](client_case& c) { c.is_listed = false, selects(c); }));
   EXPECT_FALSE(noticed([&](client_case& c) { selects(c), c.selects(7, 5, 0); })) << "which of the two wins is unknown";
   EXPECT_FALSE(noticed([&](client_case& c) { c.selects(6, 5, 2), c.passes(5s), c.selects(6, 6, 1); })) << "a pause";
   EXPECT_TRUE(noticed([&](client_case& c) { c.selects(6, 5, 2), c.passes(6s), c.selects(6, 6, 1); }));
   const auto select_again = [](client_case& c) { c.selects(6, 5, 2), c.passes(1s), c.selects(6, 6, 1); };
   EXPECT_FALSE(noticed(select_again));
   EXPECT_TRUE(noticed([&](client_case& c) { select_again(c), c.passes(5s), c.selects(6, 7, 1); })) << "it begins none";
   EXPECT_TRUE(noticed([&](client_case& c) { select_again(c), c.reads(5, {observation::address, 5, 0}); }))
      << "the failover of the pause is over";
   EXPECT_TRUE(noticed([&](client_case& c) {
      c.is_listed = false, c.selects(6, 5, 2), c.is_listed = true, c.selects(6, 6, 1);
   })) << "the first held nothing";
}

TEST(routes, loss_after_the_hold_is_counted) {
   client_case c;
   c.checks.limits.routes.hold = 250ms;
   c.selects(6, 5, 1);
   c.passes(251ms);
   c.loses_a_write(1);
   EXPECT_EQ(c.run_report(), "");
   EXPECT_EQ(c.checks.seen().lost_selected, 1U);
}

TEST(routes, endless_questions_for_a_role_are_noticed) {
   client_case c;
   server_line warm;
   warm.to = 2;
   for (int i = 0; i < 1000; ++i) {
      c.checks.goes(0, warm, words{"HELLO"});
      c.checks.dialled(0, 2, true);
   }
   EXPECT_TRUE(c.found("asks host 2 for its role for the 4th time"));
   EXPECT_TRUE(c.found("dials host 2, which is not the master, for the 11th time"));
}

TEST(routes, second_connection_that_watches_a_server_is_noticed) {
   client_case c;
   c.checks.keeps_warm(0, 2, 1);
   EXPECT_EQ(c.run_report(), "");
   c.checks.keeps_warm(0, 2, 2);
   EXPECT_TRUE(c.found("keeps 2 warm connections to host 2"));
}

}  // namespace
}  // namespace holdfast::sim::checkers_routes_sim_test

// The connector's parts alone: pauses, rounds over addresses, and the fences that are due.
#include "lane/address_round.hpp"
#include "lane/dial_pauses.hpp"
#include "lane/fences_due.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::impl::test::connecting_test {
namespace {

using namespace std::chrono_literals;

const time_point start = time_point{} + 100s;
const fences_due::place at_a{{"a", 1}, {"10.0.0.1", 1}, 5};
const fences_due::place at_b{{"b", 1}, {"10.0.0.2", 1}, 5};
const identity of_a{"7", "10.0.0.9:4711", "run-a"};

dial_pauses pauses(duration spread = {}) { return {fixed_backoff(1s), 250ms, spread, 1}; }

TEST(dial_pauses, failover_caps_a_pause) {
   auto p = pauses();
   EXPECT_EQ(p.next(false), 1s);
   EXPECT_LE(p.next(true), 250ms);
}

TEST(dial_pauses, new_master_is_spread_once) {
   auto p = pauses(100ms);
   EXPECT_FALSE(p.must_spread());
   p.on_master_changed();
   EXPECT_TRUE(p.must_spread());
   EXPECT_LE(p.take_spread(), 100ms);
   EXPECT_FALSE(p.must_spread());
}

TEST(dial_pauses, connection_is_proven_by_its_first_answer) {
   auto p = pauses();
   EXPECT_TRUE(p.proven());
   p.on_ready();
   EXPECT_FALSE(p.proven());
   p.on_answered();
   EXPECT_TRUE(p.proven());
}

TEST(dial_pauses, refusals_in_close_succession_last_after_ten_seconds) {
   auto p = pauses();
   EXPECT_FALSE(p.refusal_lasts(start));
   EXPECT_FALSE(p.refusal_lasts(start + 9s));
   EXPECT_TRUE(p.refusal_lasts(start + 10s));
   EXPECT_FALSE(p.refusal_lasts(start + 21s)) << "they begin anew";
}

TEST(address_round, replica_is_wanted_only_where_no_master_was_ever_met) {
   address_round r;
   EXPECT_TRUE(r.is_unwanted("slave"));
   EXPECT_FALSE(r.is_unwanted("master"));
   r.on_replica();
   r.end();
   EXPECT_FALSE(r.is_unwanted("slave")) << "a whole round found nothing else";
   r.on_ready("master");
   EXPECT_TRUE(r.is_unwanted("slave"));
}

TEST(address_round, fails_for_good_only_if_each_address_does) {
   const handshake::problem refused{errc::authentication_failed, "it refused the user name or password", {}, true};
   const handshake::problem no_connection{errc::no_master, {}, {}, false};
   address_round r;
   r.begin();
   EXPECT_FALSE(r.conclude(refused, true).final) << "another address is to be tried";
   EXPECT_TRUE(r.conclude(refused, false).final);
   r.begin();
   r.conclude(refused, true);
   const auto last = r.conclude(no_connection, false);
   EXPECT_FALSE(last.final);
   EXPECT_EQ(last.text, refused.text) << "what a server said tells more";
}

TEST(address_round, way_counts_from_the_next_round_on) {
   address_round r;
   r.set_next_way(handshake::way::old);
   EXPECT_EQ(r.way(), handshake::way::hello);
   r.begin();
   EXPECT_EQ(r.way(), handshake::way::old);
}

TEST(fences_due, ended_connection_holds_and_is_forgotten) {
   fences_due f;
   f.remember(at_a, of_a, true);
   auto found = f.earlier(at_a);
   ASSERT_EQ(found.size(), 1U);
   EXPECT_TRUE(found[0].same_address);
   found[0].is = earlier_connection::fate::ended;
   f.take_fates(found, at_a, "run-a");
   EXPECT_EQ(f.of_present(), fences_due::result::holds);
   EXPECT_TRUE(f.empty());
}

TEST(fences_due, unproven_is_impossible_unless_a_failover_replaced_the_node) {
   for (const bool is_replaced : {false, true}) {
      fences_due f;
      f.remember(at_a, of_a, true);
      auto found = f.earlier(at_b);
      found[0].is = earlier_connection::fate::unproven;
      auto here = at_b;
      if (is_replaced) ++here.epoch;
      f.take_fates(found, here, {});
      EXPECT_EQ(f.of_present(), is_replaced ? fences_due::result::unproven : fences_due::result::impossible);
      EXPECT_FALSE(f.empty());
   }
}

TEST(fences_due, named_node_of_unknown_run_id_may_be_the_lost_one) {
   fences_due f;
   f.remember(at_a, of_a, true);
   const std::string unknown, other = "run-b", same = "run-a";
   EXPECT_TRUE(f.is_due(&at_a.where, nullptr));
   EXPECT_FALSE(f.is_due(&at_b.where, nullptr));
   EXPECT_TRUE(f.is_due(&at_b.where, &unknown));
   EXPECT_TRUE(f.is_due(&at_b.where, &same));
   EXPECT_FALSE(f.is_due(&at_b.where, &other));
}

TEST(fences_due, ninth_pushes_out_one_that_is_not_fenced_then) {
   fences_due f;
   for (unsigned i = 0; i < 9; ++i) {
      const auto n = std::to_string(i);
      f.remember({{n, 1}, {n, 1}, 5}, {n, "10.0.0.9:1", "run-" + n}, true);
   }
   const std::string first = "run-0", other = "run-x";
   EXPECT_TRUE(f.is_due(nullptr, &first));
   EXPECT_FALSE(f.is_due(nullptr, &other));
   f.take_fates({}, at_a, first);
   EXPECT_EQ(f.of_present(), fences_due::result::impossible);
   f.forget_result();
   f.take_fates({}, at_a, first);
   EXPECT_EQ(f.of_present(), fences_due::result::not_needed) << "it is told once";
}

}  // namespace
}  // namespace holdfast::impl::test::connecting_test

// How each event reads: the notices of the binary and the drill's timeline are made of nothing else.
#include <holdfast/event.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::event_test {
namespace {

using namespace std::chrono_literals;

const endpoint one{"10.0.0.1", 6379};
const endpoint two{"10.0.0.2", 6379};

class Events : public testing::Test {
 protected:
   void reads(const any_event& told, std::string_view name, std::string_view line) {
      EXPECT_EQ(name_of(told), name);
      EXPECT_EQ(to_string(told), line);
      kinds.insert(told.index());
   }
   void those_of_the_watch();
   void those_of_the_lane();
   std::set<std::size_t> kinds;
};

void Events::those_of_the_watch() {
   reads(event::sentinel_up{one}, "sentinel_up", "Sentinel 10.0.0.1:6379 answers");
   reads(event::sentinel_down{one, "refused"}, "sentinel_down", "Sentinel 10.0.0.1:6379 does not answer: refused");
   reads(event::sentinel_learned{one}, "sentinel_learned", "learned of Sentinel 10.0.0.1:6379");
   reads(event::sentinel_said{one, "+odown", "master m"}, "sentinel_said",
         "Sentinel 10.0.0.1:6379 said +odown master m");
   reads(event::master_named{{}, one, 3}, "master_named", "the Sentinels name 10.0.0.1:6379 as the master (epoch 3)");
   reads(event::master_named{one, two, 4}, "master_named",
         "the Sentinels name 10.0.0.2:6379 as the master instead of 10.0.0.1:6379 (epoch 4)");
   reads(event::master_named{one, two, 4, true}, "master_named",
         "10.0.0.2:6379 was selected, and says that it is the master now instead of 10.0.0.1:6379 (epoch 4)");
   reads(event::master_confirmed{two, 4}, "master_confirmed",
         "the Sentinels confirm 10.0.0.2:6379 as the master (epoch 4)");
   reads(event::master_withdrawn{two, 4, one, "it was given up"}, "master_withdrawn",
         "10.0.0.2:6379 is not the master after all (epoch 4), back to 10.0.0.1:6379: it was given up");
   reads(event::stale_answer{one, two, 3, 4}, "stale_answer",
         "Sentinel 10.0.0.1:6379 still names 10.0.0.2:6379 of epoch 3, not believed: epoch 4 is newer");
   reads(event::new_lineage{one, 1, 9}, "new_lineage",
         "all Sentinels agree on 10.0.0.1:6379 under epoch 1: they were rebuilt, epoch 9 is abandoned");
   reads(event::master_lost{"no Sentinel answers"}, "master_lost", "no master is named: no Sentinel answers");
}

void Events::those_of_the_lane() {
   reads(event::connected{one, 3, true}, "connected", "connected to 10.0.0.1:6379 (RESP3)");
   reads(event::connected{one, 3, false}, "connected", "connected to 10.0.0.1:6379 (RESP2)");
   reads(event::dial_failed{one, "refused"}, "dial_failed", "could not connect to 10.0.0.1:6379: refused");
   reads(event::role_refused{one, "slave"}, "role_refused", "10.0.0.1:6379 is no master but a slave");
   reads(event::connection_lost{one, "reset", 7}, "connection_lost",
         "lost the connection to 10.0.0.1:6379: reset; unanswered: 7");
   reads(event::suspected{one, 2s}, "suspected", "10.0.0.1:6379 has not answered for 2000 ms: probing it");
   reads(event::suspicion_cleared{one}, "suspicion_cleared", "10.0.0.1:6379 answered after all");
   reads(event::fenced{one, true, {}}, "fenced",
         "the lost connection to 10.0.0.1:6379 is fenced: nothing sent on it can run any more");
   reads(event::fenced{one, false, "NOPERM"}, "fenced",
         "the lost connection to 10.0.0.1:6379 could not be fenced: NOPERM");
   reads(event::resent{"SET k", 2, "reset"}, "resent", "sent again (attempt 2): SET k; before: reset");
   reads(event::outcome_unknown{"INCR k", "reset"}, "outcome_unknown", "outcome unknown: INCR k; reset");
   reads(event::budget_exhausted{"SET k", "reset"}, "budget_exhausted",
         "not sent again, as the retry budget is spent: SET k; reset");
   reads(event::resent{"SET k", 2, "reset", one}, "resent",
         "sent again to 10.0.0.1:6379 (attempt 2): SET k; before: reset");
   reads(event::outcome_unknown{"INCR k", "reset", one}, "outcome_unknown",
         "outcome unknown at 10.0.0.1:6379: INCR k; reset");
   reads(event::budget_exhausted{"SET k", "reset", one}, "budget_exhausted",
         "not sent again to 10.0.0.1:6379, as the retry budget is spent: SET k; reset");
   reads(event::breaker_changed{"half-open"}, "breaker_changed", "the circuit breaker is half-open");
}

TEST_F(Events, EachHasANameAndALineInPlainWords) {
   those_of_the_watch();
   those_of_the_lane();
   EXPECT_EQ(kinds.size(), std::variant_size_v<any_event>) << "a kind of event has no row here";
}

TEST_F(Events, EscapeWhatAServerSent) {
   EXPECT_EQ(to_string(event::sentinel_said{one, "+x", "a\nb\x1b[2J"}),
             "Sentinel 10.0.0.1:6379 said +x a\\x0ab\\x1b[2J");
}

TEST_F(Events, AreNotEvenMadeIfNobodyListens) {
   event_queue unheard(false);
   unheard.tell([]() -> any_event { throw "made"; });
   EXPECT_TRUE(unheard.empty());

   event_queue heard(true);
   heard.tell([] { return event::breaker_changed{"open"}; });
   EXPECT_FALSE(heard.empty());
   std::vector<any_event> taken{event::sentinel_up{one}};
   heard.take(taken);
   EXPECT_TRUE(heard.empty());
   ASSERT_EQ(taken.size(), 1U);
   EXPECT_EQ(name_of(taken[0]), "breaker_changed");
}

}  // namespace
}  // namespace holdfast::event_test

// As in a user's program: nothing of Holdfast is in scope.
TEST(event, to_string_and_name_of_are_found_unqualified) {
   const holdfast::event::breaker_changed one{"open"};
   const holdfast::any_event any = one;
   EXPECT_EQ(to_string(any), "the circuit breaker is open");
   EXPECT_EQ(to_string(one), "the circuit breaker is open");
   EXPECT_EQ(name_of(any), "breaker_changed");
}

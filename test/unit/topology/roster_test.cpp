// Who counts as a Sentinel, as a table.
#include "topology/sentinel/roster.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::roster_test {
namespace {

const endpoint a{"10.0.1.1", 26379};
const endpoint b{"10.0.1.2", 26379};
const endpoint c{"10.0.1.3", 26379};
const endpoint elsewhere{"10.0.1.9", 26379};

using list = std::vector<listed_node>;

place configured(const endpoint& where, std::string_view id, const list& others) {
   return {.where = where, .configured = true, .names = true, .counted = true, .id = id, .lists = others};
}
place learned(const endpoint& where, std::string_view id, const list& others) {
   return {.where = where, .names = true, .counted = true, .id = id, .listed_as = id, .lists = others};
}
place down(place p) {
   p.names = false;
   return p;
}

const list of_a{{b, "b"}, {c, "c"}};
const list of_b{{a, "a"}, {c, "c"}};
const list nobody;

TEST(roster, learned_place_counts_by_chain_from_a_configured_one) {
   const list only_b{{b, "b"}};
   const list only_c{{c, "c"}};
   const place all[] = {configured(a, "a", only_b), learned(b, "b", only_c), learned(c, "c", nobody),
                        learned(elsewhere, "x", of_a)};
   const auto t = count(all);
   EXPECT_EQ(t.counts, (std::vector<bool>{true, true, true, false}));
   EXPECT_EQ(t.known, 3u);
   EXPECT_TRUE(t.unmet.empty());
}

TEST(roster, learned_place_is_out_when_its_id_is_not_listed) {
   const list only_c{{c, "c"}};
   const place all[] = {configured(a, "a", only_c), learned(b, "b", of_b), learned(c, "c", only_c)};
   const auto t = count(all);
   EXPECT_EQ(t.counts, (std::vector<bool>{true, false, true}));
   EXPECT_EQ(t.known, 2u) << "what the one that is out lists is not known by it";
}

TEST(roster, those_that_counted_last_are_roots_while_no_configured_names) {
   const place all[] = {down(configured(a, "a", of_a)), learned(b, "b", nobody), down(learned(c, "c", nobody))};
   const auto t = count(all);
   EXPECT_EQ(t.counts, (std::vector<bool>{true, true, false})) << "the dead one is listed by nobody who answers";
   EXPECT_EQ(t.known, 1u);
}

TEST(roster, nobody_is_forgotten_while_nobody_answers) {
   const place all[] = {down(configured(a, "a", of_a)), down(learned(b, "b", of_b)), down(learned(c, "c", nobody))};
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, true, true}));
}

TEST(roster, dead_sentinels_that_nobody_lists_are_not_known) {
   const place all[] = {configured(a, "a", nobody), down(learned(b, "b", of_b)), down(learned(c, "c", nobody))};
   EXPECT_EQ(count(all).known, 1u);
}

TEST(roster, configured_ones_are_known_while_one_of_them_answers) {
   const place alone[] = {configured(a, "a", nobody), down(configured(b, "b", nobody)),
                          down(configured(c, "", nobody))};
   EXPECT_EQ(count(alone).known, 3u) << "one that lists nobody is no majority";
   const place gone[] = {down(configured(a, "a", nobody)), down(configured(b, "b", nobody)), learned(c, "c", nobody)};
   EXPECT_EQ(count(gone).known, 1u);
}

TEST(roster, configured_places_that_are_gone_block_no_majority) {
   const endpoint d{"10.0.1.4", 26379};
   const endpoint e{"10.0.1.5", 26379};
   const place all[] = {configured(a, "a", of_a), configured(b, "b", of_b), configured(c, "c", nobody),
                        down(configured(d, "d", nobody)), down(configured(e, "", nobody))};
   EXPECT_EQ(count(all).known, 3u);
}

TEST(roster, one_id_at_two_addresses_is_one_sentinel) {
   const list moved{{elsewhere, "b"}, {c, "c"}};
   const place all[] = {configured(a, "a", moved), down(learned(b, "b", nobody)), learned(c, "c", of_a)};
   const auto t = count(all);
   EXPECT_EQ(t.known, 3u);
   EXPECT_TRUE(t.counts[1]);
   EXPECT_TRUE(t.unmet.empty());
   EXPECT_EQ(next_address(all, t, "b", b), elsewhere);
   EXPECT_EQ(next_address(all, t, "b", elsewhere), b);
}

TEST(roster, listed_node_is_met_by_a_configured_name_with_its_id) {
   const endpoint name{"sentinel-1", 26379};
   place all[] = {configured(name, "a", of_a), configured(b, "b", of_b), learned(c, "c", of_b)};
   EXPECT_TRUE(count(all).unmet.empty());
   all[0].several = true;
   EXPECT_EQ(count(all).unmet, (list{{a, "a"}})) << "behind a balancer it may be another one the next time";
   all[0].names = false;
   EXPECT_EQ(count(all).unmet, (list{{a, "a"}}));
}

TEST(roster, unproven_place_counts_by_its_address) {
   const place all[] = {configured(a, "", of_a), learned(b, "", nobody), learned(elsewhere, "", nobody)};
   const auto t = count(all);
   EXPECT_EQ(t.counts, (std::vector<bool>{true, true, false}));
   EXPECT_EQ(t.known, 3u);
}

TEST(roster, unproven_place_is_no_vote_where_its_id_is_listed_elsewhere) {
   const list moved{{elsewhere, "b"}, {c, "c"}};
   place left = learned(b, "", nobody);
   left.listed_as = "b";
   const place all[] = {configured(a, "a", moved), left};
   const auto t = count(all);
   EXPECT_EQ(t.counts, (std::vector<bool>{true, false}));
   EXPECT_EQ(next_address(all, t, "b", b), elsewhere);
   const place gone[] = {configured(a, "a", moved), down(left)};
   EXPECT_TRUE(count(gone).counts[1]) << "down, it is only to be dialled elsewhere";
}

// ---- a configured address that belongs to another deployment by now -----------------------------------------------

const list of_strangers{{elsewhere, "y"}};

TEST(roster, configured_place_that_the_others_do_not_know_is_a_stray) {
   const place all[] = {configured(a, "a", of_a), configured(b, "b", of_b), configured(c, "x", of_strangers),
                        learned(elsewhere, "y", {})};
   const auto t = count(all);
   EXPECT_EQ(t.counts, (std::vector<bool>{true, true, false, false}));
   EXPECT_EQ(t.known, 3u) << "the one that had that address is listed yet";
   EXPECT_TRUE(t.unmet.empty()) << "nobody is met through strangers";
}

TEST(roster, configured_place_is_no_stray_where_one_lists_the_other) {
   const list only_b{{b, "b"}};
   const place listed[] = {configured(a, "a", of_a), configured(b, "b", of_b), configured(c, "c", nobody)};
   const place lists[] = {configured(a, "a", only_b), configured(b, "b", nobody), configured(c, "c", only_b)};
   const place down_ones[] = {configured(a, "a", only_b), down(configured(b, "b", nobody)), configured(c, "c", only_b)};
   for (const auto& all : {listed, lists, down_ones}) {
      EXPECT_EQ(count(std::span(all, 3)).counts, (std::vector<bool>{true, true, true}));
   }
}

TEST(roster, stray_stays_one_until_a_configured_place_is_related_to_it) {
   place stray = configured(c, "x", of_strangers);
   const place one_down[] = {configured(a, "a", of_a), down(configured(b, "b", of_b)), stray};
   EXPECT_EQ(count(one_down).counts, (std::vector<bool>{true, true, false}));
   stray.counted = false;
   const place alone[] = {down(configured(a, "a", of_a)), down(configured(b, "b", of_b)), stray,
                          learned(elsewhere, "l", of_a)};
   EXPECT_EQ(count(alone).counts, (std::vector<bool>{true, true, false, true})) << "the learned one is the root";
   const place all_down[] = {down(configured(a, "a", of_a)), down(stray)};
   EXPECT_EQ(count(all_down).counts, (std::vector<bool>{true, false}));
   const list knows_x{{c, "x"}};
   const place known[] = {configured(a, "a", knows_x), stray};
   EXPECT_EQ(count(known).counts, (std::vector<bool>{true, true}));
}

TEST(roster, configured_place_is_no_stray_without_two_that_are_related) {
   const place two[] = {configured(a, "a", nobody), configured(c, "x", of_strangers)};
   EXPECT_EQ(count(two).counts, (std::vector<bool>{true, true}));
   const place never_met[] = {configured(a, "a", of_a), down(configured(b, "", nobody)), configured(c, "x", nobody)};
   EXPECT_EQ(count(never_met).counts, (std::vector<bool>{true, true, true}));
   const place unproven[] = {configured(a, "a", of_a), configured(b, "b", of_b), configured(c, "", nobody)};
   EXPECT_EQ(count(unproven).counts, (std::vector<bool>{true, true, true}));
   const place forbidden[] = {configured(a, "a", nobody), configured(b, "b", nobody), configured(c, "c", nobody)};
   EXPECT_EQ(count(forbidden).counts, (std::vector<bool>{true, true, true})) << "SENTINEL SENTINELS may be denied";
}

// SENTINEL RESET empties all lists for some seconds.
TEST(roster, stray_is_noticed_by_those_that_once_knew_each_other) {
   const std::vector<std::string> kin_of_a{"b", "c"};
   place one = configured(a, "a", nobody);
   one.kin = kin_of_a;
   const place reset[] = {one, configured(b, "b", nobody), configured(c, "x", of_strangers)};
   EXPECT_EQ(count(reset).counts, (std::vector<bool>{true, true, false}));
   const place all_of_old[] = {one, configured(b, "b", nobody), configured(c, "c", nobody)};
   EXPECT_EQ(count(all_of_old).counts, (std::vector<bool>{true, true, true}));
   const list only_x{{c, "x"}};
   const place newly_related[] = {one, configured(b, "b", only_x), configured(c, "x", nobody)};
   EXPECT_EQ(count(newly_related).counts, (std::vector<bool>{false, true, true})) << "lists of now come first";
   const place rebuilt[] = {one, configured(b, "new", nobody), configured(c, "x", of_strangers)};
   EXPECT_EQ(count(rebuilt).counts, (std::vector<bool>{true, false, false})) << "until one lists the other";
}

TEST(roster, stray_is_noticed_by_one_whose_others_are_away) {
   const std::vector<std::string> kin_of_a{"b", "c"};
   place one = configured(a, "a", of_a);
   one.kin = kin_of_a;
   place stray = configured(c, "x", of_strangers);
   // The process of b is frozen: its kernel takes connections, and nobody tells an id there.
   const place others_down[] = {one, down(configured(b, "", nobody)), stray};
   EXPECT_EQ(count(others_down).counts, (std::vector<bool>{true, true, false}));
   one.names = false;
   const place all_down[] = {one, down(configured(b, "", nobody)), stray};
   EXPECT_EQ(count(all_down).counts, (std::vector<bool>{true, true, false})) << "it is the first to answer";
   const place all_new[] = {configured(a, "new-a", nobody), configured(b, "new-b", nobody), configured(c, "x", nobody)};
   EXPECT_EQ(count(all_new).counts, (std::vector<bool>{true, true, true}));
}

// Each lists the others as it hears them say hello, and each answers in its own time.
TEST(roster, passing_entry_keeps_a_sentinel_from_being_a_stray) {
   const std::vector<passing_node> only_b{{{b, "b"}, never}};
   place all[] = {configured(a, "a", of_a), configured(b, "b", of_b), configured(c, "c", nobody)};
   all[0].lists = all[1].lists = std::span(of_a).first(1);
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, true, false}));
   all[2].passing = only_b;
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, true, true}));
   all[0].lists = all[1].lists = {};
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, true, true})) << "and proves nothing against another";
}

TEST(roster, passing_entry_of_its_own_deployment_does_not_help_a_stranger) {
   const std::vector<passing_node> of_x{{{elsewhere, "y"}, never}};
   const std::vector<passing_node> of_old{{{c, "c"}, never}};
   place all[] = {configured(a, "a", of_a), configured(b, "b", of_b), configured(c, "x", nobody)};
   all[2].passing = of_x;
   all[1].passing = of_old;
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, true, false}));
}

TEST(roster, learned_place_stays_by_a_passing_entry_of_its_id) {
   const std::vector<passing_node> only_b{{{b, "b"}, never}};
   place all[] = {configured(a, "a", nobody), learned(b, "b", of_b), learned(c, "c", nobody)};
   all[0].passing = only_b;
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, true, true}));
   all[1].names = false;
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, false, false}));
   all[1] = learned(b, "x", of_b);
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, false, false}));
   all[1].id = {};
   all[1].listed_as = "b";
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, false, false})) << "unproven";
}

// Another Sentinel answers at a configured place: it is built anew, or of another deployment.
TEST(roster, inherited_entry_keeps_a_learned_one_and_relates_no_other) {
   const std::vector<passing_node> inherited{{{b, "b"}, never, true}};
   place learned_one[] = {configured(a, "new", nobody), learned(b, "b", nobody)};
   learned_one[0].passing = inherited;
   EXPECT_EQ(count(learned_one).counts, (std::vector<bool>{true, true}));
   place all[] = {configured(a, "a", of_a), configured(b, "b", of_a), configured(c, "x", nobody)};
   all[0].lists = all[1].lists = std::span(of_a).first(1);
   all[2].passing = inherited;
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, true, false}));
}

// s1 is cut off with those that it knew, and the one at s2 was rebuilt under a new id.
TEST(roster, configured_place_is_no_stray_where_a_learned_one_knows_it) {
   const std::vector<std::string> kin_of_a{"b"};
   const list only_new{{b, "new-b"}};
   place one = configured(a, "a", of_a);
   one.kin = kin_of_a;
   const place lists[] = {one, configured(b, "new-b", of_b), learned(c, "c", nobody)};
   EXPECT_EQ(count(lists).counts, (std::vector<bool>{true, true, true}));
   const place listed[] = {one, configured(b, "new-b", nobody), learned(c, "c", only_new)};
   EXPECT_EQ(count(listed).counts, (std::vector<bool>{true, true, true}));
   const place third = down(configured({"10.0.1.4", 26379}, "", nobody));
   const place not_listed[] = {one, configured(b, "new-b", of_strangers), learned(c, "c", nobody), third};
   EXPECT_EQ(count(not_listed).counts, (std::vector<bool>{true, false, true, true}));
   const place by_a_strangers[] = {one, configured(b, "x", of_strangers), learned(elsewhere, "y", only_new), third};
   EXPECT_EQ(count(by_a_strangers).counts, (std::vector<bool>{true, false, false, true}));
   const place of_two[] = {one, configured(b, "new-b", of_strangers)};
   EXPECT_EQ(count(of_two).counts, (std::vector<bool>{true, true})) << "one of two is followed wherever it leads";
   one.names = false;
   const place by_the_root[] = {one, configured(b, "new-b", nobody), learned(c, "c", only_new), third};
   EXPECT_EQ(count(by_the_root).counts, (std::vector<bool>{true, true, true, true})) << "which stays one";
}

// ---- one Sentinel behind two configured places --------------------------------------------------------------------

TEST(roster, stranger_behind_two_configured_places_is_a_stray_at_both) {
   const endpoint d{"10.0.1.4", 26379};
   place all[] = {configured(a, "a", of_a), configured(b, "b", of_b), configured(c, "x", of_strangers),
                  configured(d, "x", of_strangers)};
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, true, false, false}));
   all[2].counted = all[3].counted = false;
   for (place& p : std::span(all, 2)) p = down(p);
   EXPECT_EQ(count(all).counts, (std::vector<bool>{true, true, false, false})) << "and stays one";
}

TEST(roster, sentinel_behind_two_configured_places_counts_at_both) {
   const endpoint again{"10.0.1.4", 26379};
   const std::vector<std::string> kin_of_a{"b"};
   place one = configured(a, "a", of_a);
   one.kin = kin_of_a;
   const place other = configured(again, "a", nobody);
   const place listed[] = {one, other, configured(b, "b", of_b)};
   const place lists[] = {one, other, configured(b, "b", nobody)};
   const place stray[] = {one, other, configured(c, "x", of_strangers)};
   one.lists = nobody;
   const place reset[] = {one, other, configured(b, "b", nobody)};
   EXPECT_EQ(count(listed).counts, (std::vector<bool>{true, true, true}));
   EXPECT_EQ(count(lists).counts, (std::vector<bool>{true, true, true}));
   EXPECT_EQ(count(reset).counts, (std::vector<bool>{true, true, true}));
   EXPECT_EQ(count(stray).counts, (std::vector<bool>{true, true, false}));
   const place alone[] = {configured(a, "a", nobody), other};
   EXPECT_EQ(count(alone).counts, (std::vector<bool>{true, true}));
}

// Behind each of two balancers several stand, and both have just led to the same one.
TEST(roster, balancers_count_wherever_they_lead) {
   const endpoint balancer{"10.0.9.9", 26379};
   const endpoint second{"10.0.9.10", 26379};
   const std::vector<std::string> kin_of_a{"b"};
   place one = configured(balancer, "a", nobody);
   one.several = true;
   one.kin = kin_of_a;
   place other = configured(second, "a", nobody);
   other.several = true;
   const place all[] = {one, other, learned(b, "b", nobody)};
   EXPECT_EQ(count(std::span(all, 2)).counts, (std::vector<bool>{true, true}));
   EXPECT_EQ(count(std::span(all, 1)).counts, (std::vector<bool>{true}));
}

TEST(roster, another_id_at_a_learned_address_is_unmet) {
   const list replaced{{b, "new"}, {c, "c"}};
   const place all[] = {configured(a, "a", replaced), down(learned(b, "b", nobody))};
   const auto t = count(all);
   EXPECT_FALSE(t.counts[1]);
   EXPECT_EQ(t.unmet, (list{{b, "new"}, {c, "c"}}));
   EXPECT_TRUE(is_listed(all, t, "new", b));
   EXPECT_FALSE(is_listed(all, t, "b", b));
}

}  // namespace
}  // namespace holdfast::impl::roster_test

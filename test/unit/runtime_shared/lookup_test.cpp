#include "runtime/shared/lookup.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::lookup_test {
namespace {

using names = std::vector<std::string>;
using enum family_answer;

TEST(search_rules, file_says_domains_and_dots) {
   const auto rules =
      read_search_rules({.resolv_conf = "# a comment\n"
                                        "nameserver 10.0.0.2\n"
                                        "search prod.svc.cluster.local\tsvc.cluster.local. corp.example\n"
                                        "options edns0 ndots:5 timeout:1\n"});
   EXPECT_EQ(rules, (search_rules{{"prod.svc.cluster.local", "svc.cluster.local", "corp.example"}, 5}));
}

TEST(search_rules, last_line_of_the_file_counts) {
   const auto rules =
      read_search_rules({.resolv_conf = "search a.test b.test\ndomain c.test ; d.test\n options ndots:2"});
   EXPECT_EQ(rules, (search_rules{{"c.test"}, 2}));
}

TEST(search_rules, environment_comes_before_the_file) {
   const auto rules = read_search_rules({.resolv_conf = "search a.test\noptions ndots:2\n",
                                         .local_domain = "b.test c.test",
                                         .res_options = "rotate ndots:3"});
   EXPECT_EQ(rules, (search_rules{{"b.test", "c.test"}, 3}));
}

TEST(search_rules, own_domain_is_searched_where_nothing_is_said) {
   EXPECT_EQ(read_search_rules({.own_name = "host.corp.test"}), (search_rules{{"corp.test"}, 1}));
   EXPECT_EQ(read_search_rules({.own_name = "host"}), search_rules{});
   EXPECT_EQ(read_search_rules({.resolv_conf = "search .\n", .own_name = "host.corp.test"}), (search_rules{{""}, 1}));
}

TEST(search_rules, nonsense_is_passed_over) {
   EXPECT_EQ(read_search_rules({.resolv_conf = "search\noptions\noptions ndots: ndots:x ndots:-1\nsearchx a.test\n"}),
             search_rules{});
   EXPECT_EQ(read_search_rules({.res_options = "ndots:4000000000"}).ndots, 15U);
}

TEST(candidates, depend_on_dots_and_domains) {
   const search_rules pod{{"a.test", "b.test"}, 2};
   EXPECT_EQ(candidates("redis", pod), (names{"redis.a.test.", "redis.b.test.", "redis."}));
   EXPECT_EQ(candidates("redis.c", pod), (names{"redis.c.a.test.", "redis.c.b.test.", "redis.c."}));
   EXPECT_EQ(candidates("redis.c.test", pod), (names{"redis.c.test.", "redis.c.test.a.test.", "redis.c.test.b.test."}));
   EXPECT_EQ(candidates("redis.", pod), (names{"redis."}));
   EXPECT_EQ(candidates("redis", {}), (names{"redis."}));
   EXPECT_EQ(candidates("redis", {{"", "a.test"}, 1}), (names{"redis.", "redis.a.test."}));
   EXPECT_EQ(candidates("redis", {{"a.test"}, 0}), (names{"redis.", "redis.a.test."}));
}

// All that two families can say, with and without time left.
TEST(step_after, all_pairs_of_answers) {
   const family_answer all[] = {pending, addresses, no_such_name, no_data, failed};
   for (const auto v4 : all) {
      for (const auto v6 : all) {
         for (const bool patient : {true, false}) {
            const auto got = step_after(v4, v6, patient);
            const auto told =
               ::testing::PrintToString(int(v4)) + ' ' + std::to_string(int(v6)) + (patient ? " patient" : "");
            const bool waits = v4 == pending || v6 == pending;
            if (waits && patient)
               EXPECT_EQ(got, lookup_step::wait) << told;
            else if (v4 == addresses || v6 == addresses)
               EXPECT_EQ(got, lookup_step::found) << told;
            else if (v4 == pending)
               EXPECT_EQ(got, lookup_step::wait) << told;
            // Only what is known not to be there lets another name be asked for instead.
            else if (v4 == no_such_name || (v4 == no_data && (v6 == no_data || v6 == no_such_name)))
               EXPECT_EQ(got, lookup_step::next_name) << told;
            else
               EXPECT_EQ(got, lookup_step::fail) << told;
         }
      }
   }
}

}  // namespace
}  // namespace holdfast::impl::lookup_test

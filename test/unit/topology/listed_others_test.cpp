#include "topology/sentinel/listed_others.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::listed_others_test {
namespace {

using namespace std::chrono_literals;

const endpoint a{"10.0.1.1", 26379};
const endpoint b{"10.0.1.2", 26379};
const endpoint elsewhere{"10.0.1.9", 26379};

struct listed_others_test : testing::Test {
   std::vector<std::string> passing() const {
      std::vector<std::string> ids;
      for (const auto& p : of_s.passing()) ids.push_back(p.id);
      return ids;
   }
   time_point now = time_point{} + 1h;
   listed_others of_s;
};
using ids = std::vector<std::string>;

TEST_F(listed_others_test, entry_that_is_gone_passes_until_a_hello_was_due) {
   of_s.tell("s", {{a, "a"}, {b, "b"}}, now);
   EXPECT_EQ(passing(), ids{});
   EXPECT_EQ(of_s.deadline(), never);
   of_s.tell("s", {}, now);
   EXPECT_EQ(passing(), (ids{"a", "b"}));
   EXPECT_EQ(of_s.deadline(), now + 2500ms);
   of_s.tell("s", {{b, "b"}}, now + 1s);
   EXPECT_EQ(passing(), ids{"a"});
   EXPECT_FALSE(of_s.expire(now + 2499ms));
   EXPECT_TRUE(of_s.expire(now + 2500ms));
   EXPECT_EQ(passing(), ids{});
}

TEST_F(listed_others_test, entry_whose_address_or_id_is_told_again_is_not_passing) {
   of_s.tell("s", {{a, "a"}, {b, "b"}}, now);
   of_s.tell("s", {{a, "new-a"}, {elsewhere, "b"}}, now);
   EXPECT_EQ(passing(), ids{});
}

TEST_F(listed_others_test, announced_entry_passes_until_it_is_told) {
   of_s.announce({a, "a"}, now);
   of_s.announce({b, {}}, now);
   EXPECT_EQ(passing(), ids{"a"}) << "without an id nobody can be known by it";
   of_s.tell("s", {{a, "a"}}, now);
   EXPECT_EQ(passing(), ids{});
}

TEST_F(listed_others_test, entries_are_inherited_from_one_without_an_id) {
   of_s.tell("", {{a, "a"}}, now);
   of_s.tell("t", {}, now);
   ASSERT_EQ(passing(), ids{"a"});
   EXPECT_TRUE(of_s.passing().front().inherited);
}

TEST_F(listed_others_test, entries_are_inherited_by_the_next_sentinel_that_answers) {
   of_s.tell("s", {{a, "a"}, {b, "b"}}, now);
   of_s.announce({elsewhere, "c"}, now);
   of_s.tell("t", {{b, "b"}}, now);
   EXPECT_EQ(passing(), (ids{"c", "a"}));
   for (const auto& p : of_s.passing()) EXPECT_TRUE(p.inherited) << p.id;
   of_s.announce({a, "a"}, now);
   EXPECT_FALSE(of_s.passing().back().inherited) << "it has met it itself";
   EXPECT_TRUE(of_s.expire(now + 2500ms));
   EXPECT_EQ(passing(), ids{});
}

}  // namespace
}  // namespace holdfast::impl::listed_others_test

#include "topology/sentinel/role_hint.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::role_hint_test {
namespace {

using state = role_hint::state;
const endpoint old_master{"10.0.0.1", 6379};
const endpoint new_master{"10.0.0.2", 6379};

TEST(role_hint, new_master_that_says_so_is_followed) {
   role_hint h;
   EXPECT_EQ(h.pursued(true), nullptr);
   h.ask(old_master);
   EXPECT_EQ(*h.pursued(false), old_master);
   h.on_role(old_master, "slave", new_master);
   EXPECT_EQ(h.now(), state::verifying);
   EXPECT_EQ(*h.pursued(false), new_master);
   EXPECT_EQ(h.target(), nullptr);
   h.on_role(new_master, "master", {});
   EXPECT_TRUE(h.follows(new_master));
   EXPECT_EQ(*h.target(), new_master);
}

TEST(role_hint, followed_node_is_looked_after_only_where_commands_wait) {
   role_hint h;
   h.ask(old_master);
   h.on_role(old_master, "slave", new_master);
   h.on_role(new_master, "master", {});
   EXPECT_EQ(h.pursued(false), nullptr);
   EXPECT_EQ(*h.pursued(true), new_master);
   h.on_role(new_master, "master", {});
   EXPECT_EQ(h.now(), state::following);
}

TEST(role_hint, one_node_is_asked_at_a_time) {
   role_hint h;
   h.ask(old_master);
   h.ask(new_master);
   EXPECT_TRUE(h.concerns(old_master));
   h.on_role(new_master, "slave", old_master);  // nobody asked it
   EXPECT_EQ(h.now(), state::asking);
}

struct row {
   const char* about;
   int steps;  // of: asked, its answer, the other one's answer
   void (*what)(role_hint&);
};

TEST(role_hint, contradiction_or_failure_ends_it_in_each_state) {
   const row rows[] = {
      {"the old master is a master after all", 1, [](role_hint& h) { h.on_role(old_master, "master", {}); }},
      {"a slave that does not say whose", 1, [](role_hint& h) { h.on_role(old_master, "slave", {}); }},
      {"the old master fails", 1, [](role_hint& h) { h.on_failed(old_master); }},
      {"the other one is a slave, too", 2, [](role_hint& h) { h.on_role(new_master, "slave", old_master); }},
      {"the other one fails", 2, [](role_hint& h) { h.on_failed(new_master); }},
      {"the followed one becomes a slave", 3, [](role_hint& h) { h.on_role(new_master, "slave", old_master); }},
      {"the followed one fails", 3, [](role_hint& h) { h.on_failed(new_master); }},
      {"the Sentinels change their mind", 3, [](role_hint& h) { h.stop(); }},
   };
   for (const auto& r : rows) {
      SCOPED_TRACE(r.about);
      role_hint h;
      h.ask(old_master);
      if (r.steps > 1) h.on_role(old_master, "slave", new_master);
      if (r.steps > 2) h.on_role(new_master, "master", {});
      r.what(h);
      EXPECT_EQ(h.now(), state::off);
      EXPECT_EQ(h.pursued(true), nullptr);
      EXPECT_EQ(h.target(), nullptr);
   }
}

}  // namespace
}  // namespace holdfast::impl::role_hint_test

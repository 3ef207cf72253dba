// What is told of a command: its name, and how many keys it has; nothing that its caller keeps in Redis.
#include "engine/command_report.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::impl {
namespace {

const endpoint somewhere{"10.0.0.1", 6379};

struct expected {
   std::vector<command> given;
   std::string_view name;
   std::optional<std::size_t> keys;
   std::size_t commands = 1;
};

TEST(command_report, has_name_and_number_of_keys) {
   const expected all[] = {
      {{{"GET", "k"}}, "get", 1},
      {{{"mset", "a", 1, "b", 2}}, "mset", 2},
      {{{"PING"}}, "ping", 0},
      {{{"Client", "Kill", "ID", 7}}, "client|kill", 0},
      {{{"EVAL", "return 1", 2, "a", "b", "c"}}, "eval", 2},
      {{{"EVAL", "return 1", 0}}, "eval", 0},
      {{{"EVAL", "return 1", "many"}}, "eval", 0},
      {{{"XREAD", "STREAMS", "s", "0"}}, "xread", std::nullopt},
      {{{"My.Module", "filter", "secret"}}, "My.Module", std::nullopt},
      {{{"my secret value"}}, "", std::nullopt},
      {{{std::string(33, 'x')}}, "", std::nullopt},
      {{{std::string()}}, "", std::nullopt},
      {{{"MULTI"}, {"SET", "a", 1}, {"MSET", "b", 2, "c", 3}, {"EXEC"}}, "multi", 3, 2},
      {{{"MULTI"}, {"EXEC"}}, "multi", 0, 0},
      {{{"MULTI"}, {"My.Module", "filter", "x"}, {"DISCARD"}}, "multi", std::nullopt, 1},
      {{{"MULTI"}, {"SET", "a", 1}}, "multi", 1, 1},
      {{{"MULTI"}}, "multi", 0},
   };
   for (const auto& e : all) {
      const ended_command found = report_of(e.given, {}, somewhere);
      EXPECT_EQ(found.name, e.name) << e.given.front();
      EXPECT_EQ(found.keys, e.keys) << e.given.front();
      EXPECT_EQ(found.commands, e.commands) << e.given.front();
   }
}

TEST(command_report, has_the_end_as_it_was) {
   const std::vector<command> get{{"GET", "k"}};
   const error why(errc::deadline_exceeded, outcome::unknown);
   const time_point given{std::chrono::hours(1)};
   const ended_command found = report_of(get, {&why, 3, given, given + std::chrono::milliseconds(7)}, somewhere);
   EXPECT_EQ(found.failed, &why);
   EXPECT_EQ(found.attempts, 3U);
   EXPECT_EQ(found.given, given);
   EXPECT_EQ(found.took(), std::chrono::milliseconds(7));
   EXPECT_EQ(&found.where, &somewhere);
}

}  // namespace
}  // namespace holdfast::impl

#include <holdfast/command.hpp>
#include <holdfast/error.hpp>

#include <gtest/gtest.h>

#include <list>
#include <random>
#include <string>
#include <vector>

namespace holdfast::command_test {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

std::string expected(const std::vector<std::string>& arguments) {
   std::string bytes = "*" + std::to_string(arguments.size()) + "\r\n";
   for (const std::string& a : arguments) bytes += "$" + std::to_string(a.size()) + "\r\n" + a + "\r\n";
   return bytes;
}

std::vector<std::string> arguments_of(const command& c) { return {c.arguments().begin(), c.arguments().end()}; }

TEST(command, is_sent_as_an_array_of_bulk_strings) {
   EXPECT_EQ((command{"PING"}.bytes()), "*1\r\n$4\r\nPING\r\n");
   EXPECT_EQ((command{"GET", "key"}.bytes()), "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
   EXPECT_EQ((command{"SET", "key", ""}.bytes()), "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$0\r\n\r\n");
}

TEST(command, takes_any_kind_of_text_and_is_binary_safe) {
   const std::string owned = "a\0b\r\n"s;
   const char* pointer = "pointer";
   char array[] = "array";
   const command c{"X", owned, "a\0v"sv, pointer, array, std::string{"temporary"}};
   EXPECT_EQ(arguments_of(c), (std::vector{"X"s, owned, "a\0v"s, "pointer"s, "array"s, "temporary"s}));
   EXPECT_EQ(c.bytes(), expected({"X", owned, "a\0v"s, "pointer", "array", "temporary"}));
}

TEST(command, writes_numbers_with_the_fewest_digits_that_read_back_the_same) {
   const command c{"X", 0, -1, 18446744073709551615ull, short{7}, 0.1, 1e300, -2.5f, 1.0, 5e-324};
   EXPECT_EQ(arguments_of(c), (std::vector<std::string>{"X", "0", "-1", "18446744073709551615", "7", "0.1", "1e+300",
                                                        "-2.5", "1", "5e-324"}));
}

TEST(command, knows_its_arguments) {
   const command c{"ZADD", "k", 1.5, "member"};
   EXPECT_EQ(c.size(), 4u);
   EXPECT_EQ(c.name(), "ZADD");
   EXPECT_EQ(c.argument(0), "ZADD");
   EXPECT_EQ(c.argument(2), "1.5");
   EXPECT_EQ(c.argument(3), "member");
}

TEST(command, grows_argument_by_argument) {
   command c{"RPUSH", "list"};
   std::vector<std::string> all = {"RPUSH", "list"};
   for (int i = 0; i != 1200; ++i) {
      c.arg(i);
      all.push_back(std::to_string(i));
      if (i % 100 < 11) {
         ASSERT_EQ(c.bytes(), expected(all));
      }
   }
   EXPECT_EQ(c.bytes(), expected(all));
   EXPECT_EQ(c.size(), 1202u);
}

TEST(command, can_add_one_of_its_own_arguments) {
   command c{"MSET", std::string(40, 'k')};
   std::vector<std::string> all = {"MSET", std::string(40, 'k')};
   for (int i = 0; i != 6; ++i) {
      c.arg(c.argument(1));
      all.push_back(all[1]);
      EXPECT_EQ(c.bytes(), expected(all));
   }
}

TEST(command, can_be_chained_on_a_temporary) {
   const command c = command{"EVAL", "return 1"}.arg(0).idempotent(true);
   EXPECT_EQ(arguments_of(c), (std::vector<std::string>{"EVAL", "return 1", "0"}));
   EXPECT_TRUE(c.idempotent());
   EXPECT_FALSE(command{"PING"}.idempotent());
}

TEST(command, is_made_from_any_range_of_texts) {
   const std::vector<std::string> words = {"SET", "k", "v"};
   EXPECT_EQ(command::from(words).bytes(), expected(words));
   EXPECT_EQ(command::from(std::list<std::string_view>{"GET", "k"}).bytes(), expected({"GET", "k"}));
   const char* const argv[] = {"PING"};
   EXPECT_EQ(command::from(argv).bytes(), expected({"PING"}));
   EXPECT_THROW((void)command::from(std::vector<std::string>{}), failure);
}

TEST(command, writes_lengths_of_any_size) {
   for (const std::size_t n : {0u, 1u, 9u, 10u, 99u, 100u, 101u, 255u, 256u, 257u, 999u, 1000u, 65'536u}) {
      const std::string a(n, 'x');
      EXPECT_EQ((command{"SET", a, a}.bytes()), expected({"SET", a, a})) << n;
   }
}

TEST(command, can_be_copied_moved_and_assigned_short_or_long) {
   const std::vector<command> all = {
      {"PING"}, {"SET", "k", std::string(100, 'v')}, {"SET", "k", std::string(1000, 'v')}};
   for (const command& from : all) {
      for (const command& over : all) {
         command target = over;
         target = from;
         EXPECT_EQ(target, from);
         command source = from;
         target = over;
         target = std::move(source);
         EXPECT_EQ(target, from);
         source = over;
         EXPECT_EQ(source, over);
         command& self = target;
         target = self;
         target = std::move(self);
         EXPECT_EQ(target.arg("more").size(), from.size() + 1);
      }
   }
   command gone{"PING"};
   const command taken = std::move(gone);
   EXPECT_EQ(gone.size(), 0u);
   EXPECT_EQ(taken.name(), "PING");
   command flagged = command{"X"}.idempotent(true);
   const command copy = flagged;
   EXPECT_TRUE(copy.idempotent());
   EXPECT_FALSE(copy == command{"X"});
}

TEST(command, keeps_short_ones_inside_itself) {
   const command c{"SET", std::string(40, 'k'), std::string(40, 'v')};
   const auto* const first = reinterpret_cast<const char*>(&c);
   EXPECT_TRUE(c.bytes().data() >= first && c.bytes().data() < first + sizeof c);
}

TEST(command, reads_back_what_random_arguments_went_in) {
   std::mt19937 random{5};
   for (int round = 0; round != 500; ++round) {
      std::vector<std::string> all;
      for (std::size_t n = 1 + random() % 30; n != 0; --n) {
         std::string a(random() % (round % 3 == 0 ? 400 : 12), '\0');
         for (char& c : a) c = static_cast<char>(random());
         all.push_back(a);
      }
      const command made = command::from(all);
      ASSERT_EQ(made.bytes(), expected(all));
      ASSERT_EQ(arguments_of(made), all);
   }
}

TEST(command, prints_what_may_be_shown) {  // more in shown_test.cpp
   std::ostringstream out;
   out << command{"GET", "k"};
   EXPECT_EQ(out.str(), "GET k");
}

// ---- what compiles
// ---------------------------------------------------------------------------------------------------

struct runner {
   std::size_t run(const command& c) const { return c.size(); }
};

TEST(command, can_be_given_in_braces) {
   const std::string key = "k";
   EXPECT_EQ(runner{}.run({"INCR", "hits"}), 2u);
   EXPECT_EQ(runner{}.run({"SET", key, 17, 2.5}), 4u);
   EXPECT_EQ(runner{}.run("PING"), 1u);
}

template <class... Args>
concept makes_a_command = requires(const Args&... args) { command{args...}; };

static_assert(makes_a_command<char[4], std::string, std::string_view, int, unsigned long, double>);
static_assert(!std::is_default_constructible_v<command>);
static_assert(std::is_convertible_v<const char*, command>);
static_assert(std::is_nothrow_move_constructible_v<command> && std::is_nothrow_move_assignable_v<command>);

template <class Runner>
concept takes_doubled_braces = requires(const Runner& r) { r.run({{"GET", "a"}}); };
static_assert(!takes_doubled_braces<runner>);  // it would look like a list of one command

}  // namespace
}  // namespace holdfast::command_test

#include "commands/command_table.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace holdfast::impl::command_table_test {
namespace {

using namespace std::chrono_literals;

const command_entry* find(const command& c) { return find_command(c); }

TEST(command_table, finds_a_command_in_any_case) {
   ASSERT_NE(find({"GET", "k"}), nullptr);
   EXPECT_EQ(find({"GET", "k"})->name, "get");
   EXPECT_EQ(find({"gEt", "k"}), find({"GET", "k"}));
   EXPECT_EQ(find({"Client", "KILL"})->name, "client|kill");
}

TEST(command_table, finds_a_subcommand_and_else_its_container) {
   EXPECT_EQ(find({"CLIENT", "KILL", "ID", 1})->name, "client|kill");
   EXPECT_EQ(find({"client", "setname", "x"})->name, "client|setname");
   EXPECT_EQ(find({"CLIENT"})->name, "client");
   EXPECT_EQ(find({"CLIENT", "FROBNICATE"})->name, "client");
   EXPECT_EQ(find({"GET", "KILL"})->name, "get");
}

TEST(command_table, does_not_find_what_is_no_command) {
   EXPECT_EQ(find({""}), nullptr);
   EXPECT_EQ(find({"GE"}), nullptr);
   EXPECT_EQ(find({"GETT"}), nullptr);
   EXPECT_EQ(find({"client|kill"}), nullptr);
   EXPECT_EQ(find({std::string(100'000, 'x')}), nullptr);
   EXPECT_EQ(find({"CLIENT", std::string(100'000, 'x')})->name, "client");
   EXPECT_EQ(find({std::string("GET\0", 4)}), nullptr);
}

TEST(command_table, finds_each_entry_by_its_name_and_has_none_twice) {
   std::set<std::string_view> names;
   for (const command_entry& e : all_commands()) {
      EXPECT_TRUE(names.insert(e.name).second) << e.name;
      const auto bar = e.name.find('|');
      const command_entry* const found =
         bar == std::string_view::npos ? find({e.name}) : find({e.name.substr(0, bar), e.name.substr(bar + 1)});
      EXPECT_EQ(found, &e) << e.name;
   }
}

TEST(command_table, knows_what_the_server_says_of_its_commands) {
   const command_traits get = find({"GET", "k"})->traits;
   EXPECT_TRUE(get.native && get.readonly);
   EXPECT_FALSE(get.write || get.script || get.busy || get.movable);
   const command_traits set = find({"SET", "k", "v"})->traits;
   EXPECT_TRUE(set.write);
   EXPECT_FALSE(set.readonly);
   EXPECT_TRUE(find({"AUTH", "p"})->traits.busy);
   EXPECT_TRUE(find({"EVAL", "s", 0})->traits.movable);
   EXPECT_FALSE(find({"JSON.SET", "j", "$", "1"})->traits.native);
}

// As many of each as the server (7.0.15) says; a table that was generated badly has others.
TEST(command_table, holds_the_whole_of_the_servers_list) {
   int readonly = 0;
   int write = 0;
   int subcommands = 0;
   for (const command_entry& e : all_commands()) {
      readonly += e.traits.readonly;
      write += e.traits.write;
      subcommands += e.name.find('|') != std::string_view::npos;
   }
   EXPECT_GE(all_commands().size(), 366u);
   EXPECT_GE(readonly, 90);
   EXPECT_GE(write, 108);
   EXPECT_GE(subcommands, 120);
}

TEST(command_table, prints_each_repeat_class_by_its_name) {
   std::ostringstream out;
   for (const auto c : {repeat_class::readonly, repeat_class::same, repeat_class::same_state, repeat_class::result_lost,
                        repeat_class::not_repeatable, repeat_class::never})
      out << c << ' ';
   EXPECT_EQ(out.str(), "readonly same same_state result_lost not_repeatable never ");
}

TEST(command_table, knows_every_script_command) {
   for (const char* name : {"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"}) {
      EXPECT_TRUE(is_script(find({name, "x", 0}))) << name;
   }
   EXPECT_FALSE(is_script(find({"SCRIPT", "LOAD", "x"})));
   EXPECT_FALSE(is_script(find({"GET", "k"})));
   EXPECT_FALSE(is_script(nullptr));
   EXPECT_FALSE(is_native(nullptr));
}

TEST(command_table, knows_what_commands_do_to_the_connection) {
   const std::vector<std::pair<command, command_role>> table = {
      {{"GET", "k"}, command_role::plain},
      {{"MULTI"}, command_role::multi},
      {{"EXEC"}, command_role::exec},
      {{"DISCARD"}, command_role::discard},
      {{"WATCH", "k"}, command_role::watch},
      {{"UNWATCH"}, command_role::unwatch},
      {{"SELECT", 1}, command_role::select},
      {{"AUTH", "p"}, command_role::auth},
      {{"HELLO", 3}, command_role::hello},
      {{"CLIENT", "SETNAME", "n"}, command_role::set_name},
      {{"CLIENT", "TRACKING", "ON"}, command_role::connection},
      {{"READONLY"}, command_role::connection},
      {{"SUBSCRIBE", "c"}, command_role::subscribe},
      {{"PSUBSCRIBE", "c"}, command_role::subscribe},
      {{"SSUBSCRIBE", "c"}, command_role::subscribe},
      {{"UNSUBSCRIBE"}, command_role::subscribe},
      {{"PUNSUBSCRIBE"}, command_role::subscribe},
      {{"SUNSUBSCRIBE"}, command_role::subscribe},
      {{"MONITOR"}, command_role::monitor},
      {{"CLIENT", "REPLY", "OFF"}, command_role::client_reply},
      {{"RESET"}, command_role::reset},
      {{"QUIT"}, command_role::quit},
      {{"WAIT", 1, 0}, command_role::wait},
      {{"WAITAOF", 1, 1, 0}, command_role::wait},
      {{"PSYNC", "?", -1}, command_role::replication},
      {{"CLIENT", "KILL", "ID", 1}, command_role::plain},
   };
   for (const auto& [c, role] : table) EXPECT_TRUE(role_of(find_command(c)) == role) << c;
   EXPECT_EQ(role_of(nullptr), command_role::plain);
}

std::optional<duration> blocks(const command& c) { return block_time(find_command(c), c); }

TEST(block_time, is_what_the_arguments_say) {
   EXPECT_EQ(blocks({"BLPOP", "a", "b", 5}), 5s);
   EXPECT_EQ(blocks({"BRPOP", "a", 0.25}), 250ms);
   EXPECT_EQ(blocks({"BLMOVE", "a", "b", "LEFT", "LEFT", 1}), 1s);
   EXPECT_EQ(blocks({"BRPOPLPUSH", "a", "b", 1}), 1s);
   EXPECT_EQ(blocks({"BZPOPMIN", "z", 1}), 1s);
   EXPECT_EQ(blocks({"BZPOPMAX", "z", 1}), 1s);
   EXPECT_EQ(blocks({"BLMPOP", 2, 1, "l", "LEFT"}), 2s);
   EXPECT_EQ(blocks({"BZMPOP", 2, 1, "z", "MIN"}), 2s);
   EXPECT_EQ(blocks({"XREAD", "COUNT", 1, "BLOCK", 1500, "STREAMS", "s", "$"}), 1500ms);
   EXPECT_EQ(blocks({"XREADGROUP", "GROUP", "g", "c", "NOACK", "BLOCK", 1500, "STREAMS", "s", ">"}), 1500ms);
   EXPECT_EQ(blocks({"WAIT", 1, 100}), 100ms);
   EXPECT_EQ(blocks({"WAITAOF", 1, 1, 100}), 100ms);
}

TEST(block_time, zero_is_for_ever) {
   EXPECT_EQ(blocks({"BLPOP", "a", 0}), 0s);
   EXPECT_EQ(blocks({"XREAD", "BLOCK", 0, "STREAMS", "s", "$"}), 0s);
   EXPECT_EQ(blocks({"WAIT", 1, 0}), 0s);
   EXPECT_EQ(blocks({"BLPOP", "a", 1e15}), 0s);
   EXPECT_EQ(blocks({"WAIT", 1, "9223372036854775807"}), 0s);
}

TEST(block_time, is_never_rounded_down_to_for_ever) {
   ASSERT_TRUE(blocks({"BLPOP", "a", 1e-12}));
   EXPECT_GT(*blocks({"BLPOP", "a", 1e-12}), 0s);
}

TEST(block_time, is_empty_where_nothing_blocks_or_the_server_will_refuse_it) {
   EXPECT_EQ(blocks({"GET", "k"}), std::nullopt);
   EXPECT_EQ(blocks({"XREAD", "STREAMS", "BLOCK", "0"}), std::nullopt);
   EXPECT_EQ(blocks({"XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", "0"}), std::nullopt);
   EXPECT_EQ(blocks({"XREADGROUP", "GROUP", "BLOCK", "0", "STREAMS", "s", ">"}), std::nullopt);
   EXPECT_EQ(blocks({"BLPOP", "a", "soon"}), std::nullopt);
   EXPECT_EQ(blocks({"BLPOP", "a", -1}), std::nullopt);
   EXPECT_EQ(blocks({"BLPOP", "a", "nan"}), std::nullopt);
   EXPECT_EQ(blocks({"BLPOP"}), std::nullopt);
   EXPECT_EQ(blocks({"FROBNICATE", 0}), std::nullopt);
}

// ---- keys -----------------------------------------------------------------------------------------------------------

// Over numbers; each step is counted, and a step back to the start would be as many.
struct counting_iterator {
   using value_type = int;
   using difference_type = std::ptrdiff_t;
   using reference = int;
   using pointer = void;
   using iterator_category = std::input_iterator_tag;
   int at = 0;
   std::size_t* steps = nullptr;

   int operator*() const { return at; }
   counting_iterator& operator++() {
      ++at;
      ++*steps;
      return *this;
   }
   counting_iterator operator++(int) {
      const counting_iterator before = *this;
      ++*this;
      return before;
   }
};

std::vector<int> keys_at(key_positions positions, std::size_t arguments) {
   std::vector<int> found;
   std::size_t steps = 0;
   for_each_key(positions, counting_iterator{0, &steps}, arguments, [&](int i) { found.push_back(i); });
   EXPECT_LE(steps, arguments);
   return found;
}

TEST(keys, stand_where_their_positions_say) {
   EXPECT_EQ(keys_at({1, 1, 1}, 3), (std::vector<int>{1}));
   EXPECT_EQ(keys_at({1, -1, 1}, 4), (std::vector<int>{1, 2, 3}));
   EXPECT_EQ(keys_at({1, -1, 2}, 5), (std::vector<int>{1, 3}));
   EXPECT_EQ(keys_at({1, -2, 1}, 4), (std::vector<int>{1, 2}));
   EXPECT_EQ(keys_at({2, 4, 1}, 4), (std::vector<int>{2, 3}));
   EXPECT_EQ(keys_at({1, -1, 1}, 1), (std::vector<int>{}));
}

TEST(keys, of_many_take_one_step_an_argument) { EXPECT_EQ(keys_at({1, -1, 1}, 60'000).size(), 59'999u); }

}  // namespace
}  // namespace holdfast::impl::command_table_test

// Messages show of a command its name, its keys and how long the rest is; and of a server's words no value of it.
#include "commands/shown.hpp"

#include <holdfast/command.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::impl::shown_test {
namespace {

TEST(shown_command, has_its_name_its_keys_and_lengths) {
   EXPECT_EQ(to_string(command{"SET", "k", "hello world", "EX", "5"}), "SET k <11 bytes> <2 bytes> <1 byte>");
   EXPECT_EQ(to_string(command{"mset", "a", "1", "b", ""}), "mset a <1 byte> b <0 bytes>");
   EXPECT_EQ(to_string(command{"GET", ""}), R"(GET "")");
   EXPECT_EQ(to_string(command{"GET", "a b\r\n"}), R"(GET "a b\r\n")");
   EXPECT_EQ(to_string(command{"BLPOP", "a", "b", "0"}), "BLPOP a b <1 byte>");
   EXPECT_EQ(to_string(command{"CLIENT", "SETNAME", "secret"}), "CLIENT SETNAME <6 bytes>");
   EXPECT_EQ(to_string(command{"MIGRATE"}), "MIGRATE");
   EXPECT_EQ(to_string(command{"PUBLISH", "channel", "secret"}), "PUBLISH <7 bytes> <6 bytes>");
}

TEST(shown_command, that_counts_its_keys_shows_them) {
   EXPECT_EQ(to_string(command{"EVAL", "return 1", "1", "k", "v"}), "EVAL <8 bytes> <1 byte> k <1 byte>");
   EXPECT_EQ(to_string(command{"FCALL", "f", "0", "v"}), "FCALL <1 byte> <1 byte> <1 byte>");
   EXPECT_EQ(to_string(command{"EVALSHA", "sha", "3", "k", "v"}), "EVALSHA <3 bytes> <1 byte> <1 byte> <1 byte>")
      << "there are not so many";
   EXPECT_EQ(to_string(command{"EVAL", "x", "1x", "k"}), "EVAL <1 byte> <2 bytes> <1 byte>");
   EXPECT_EQ(to_string(command{"EVAL", "x", "-1", "k"}), "EVAL <1 byte> <2 bytes> <1 byte>");
   EXPECT_EQ(to_string(command{"ZUNIONSTORE", "to", "2", "a", "b", "WEIGHTS", "1", "2"}),
             "ZUNIONSTORE to <1 byte> a b <7 bytes> <1 byte> <1 byte>");
   EXPECT_EQ(to_string(command{"SINTERCARD", "2", "a", "b", "LIMIT", "1"}),
             "SINTERCARD <1 byte> a b <5 bytes> <1 byte>");
   EXPECT_EQ(to_string(command{"BLMPOP", "0", "1", "a", "LEFT"}), "BLMPOP <1 byte> <1 byte> a <4 bytes>");
   EXPECT_EQ(to_string(command{"XREAD", "COUNT", "2", "streams", "a", "b", "0", "1-1"}),
             "XREAD <5 bytes> <1 byte> <7 bytes> a b <1 byte> <3 bytes>");
   EXPECT_EQ(to_string(command{"XREADGROUP", "GROUP", "g", "STREAMS", "STREAMS", "a", ">"}),
             "XREADGROUP <5 bytes> <1 byte> <7 bytes> <7 bytes> a <1 byte>");
   EXPECT_EQ(to_string(command{"XREAD", "STREAMS", "a", "b", "0"}), "XREAD <7 bytes> <1 byte> <1 byte> <1 byte>");
}

TEST(shown_command, that_is_not_known_has_its_name_and_lengths) {
   EXPECT_EQ(to_string(command{"MY.ADD", "k", "secret"}), "MY.ADD <1 byte> <6 bytes>");
   EXPECT_EQ(to_string(command{"my secret"}), "<9 bytes>") << "a value in place of a name";
   EXPECT_EQ(to_string(command{std::string(33, 'x')}), "<33 bytes>");
}

TEST(shown_command, that_may_hold_a_secret_has_only_its_name) {
   EXPECT_EQ(to_string(command{"auth", "user", "password"}), "auth ...");
   EXPECT_EQ(to_string(command{"HELLO", "3", "AUTH", "u", "p"}), "HELLO ...");
   EXPECT_EQ(to_string(command{"CONFIG", "SET", "requirepass", "p"}), "CONFIG ...");
   EXPECT_EQ(to_string(command{"MIGRATE", "h", "1", "k", "0", "1", "AUTH", "p"}), "MIGRATE ...");
}

TEST(shown_command, is_one_line_of_bounded_length) {
   EXPECT_LT(to_string(command{"GET", std::string(5000, 'x')}).size(), 300u);
   EXPECT_LT(to_string(command::from(std::vector<std::string>(5000, "x"))).size(), 300u);
}

TEST(shown_words, of_a_server_lack_what_they_repeat) {
   const command unknown{"FOO", "tok-5f2a", "x"};
   EXPECT_EQ(without_values("ERR unknown command 'FOO', with args beginning with: 'tok-5f2a' 'x' ", unknown),
             "ERR unknown command 'FOO', with args beginning with: ...");
   const command set{"SET", "key", "secret-value", "BAD!"};
   EXPECT_EQ(without_values("ERR what is secret-value doing at key", set), "ERR what is <12 bytes> doing at key");
   EXPECT_EQ(without_values("ERR bad option 'BAD!'", set), "ERR bad option '<4 bytes>'");
   EXPECT_EQ(without_values("NOGROUP No such key 's' or consumer group 'gr'", command{"XACK", "s", "gr", "1-1"}),
             "NOGROUP No such key 's' or consumer group '<2 bytes>'");
}

TEST(shown_words, of_a_server_lack_what_stands_in_front_of_a_nul) {
   const std::string value = std::string("front-of-it") + '\0' + std::string(100, 'x');
   EXPECT_EQ(without_values("ERR bad option 'front-of-it'", command{"SET", "k", value}), "ERR bad option '<11 bytes>'");
}

TEST(shown_words, of_a_server_lack_long_values_in_part) {
   const std::string value = "begin-of-it-0123456789" + std::string(2000, 'x') + "and-this-is-the-end";
   const command set{"SET", "k", value};
   for (const std::size_t n : {20U, 128U, 700U, 2000U}) {
      const std::string shown = without_values("ERR bad '" + value.substr(0, n) + "' there", set);
      EXPECT_EQ(shown.find("begin-of"), std::string::npos) << shown;
      EXPECT_EQ(shown.find("xxxx"), std::string::npos) << shown;
   }
   const std::string shown = without_values("ERR bad '" + value + "' there", set);
   EXPECT_EQ(shown.find("the-end"), std::string::npos) << shown;
   EXPECT_EQ(without_values("ERR bad 'line one of two  and the second'",
                            command{"EVAL", "line one of two\r\nand the second", "0"}),
             "ERR bad '<31 bytes>'");
}

TEST(shown_words, that_are_the_servers_own_stay) {
   const command odd{"SET", "k", "syntax error", "wrong number of arguments", "value"};
   EXPECT_EQ(without_values("ERR syntax error", odd), "ERR syntax error");
   EXPECT_EQ(without_values("ERR wrong number of arguments for 'set' command", odd),
             "ERR wrong number of arguments for 'set' command");
   EXPECT_EQ(without_values("ERR value is not an integer or out of range", odd),
             "ERR value is not an integer or out of range");
   EXPECT_EQ(without_values("WRONGTYPE Operation against a key holding the wrong kind of value", odd),
             "WRONGTYPE Operation against a key holding the wrong kind of value");
}

TEST(shown_words, are_kept_to_some_200_bytes) {
   EXPECT_LE(kept_words(std::string(100'000, 'x')).size(), 200U);
   EXPECT_EQ(kept_words(std::string(200, 'x')).size(), 200U);
   EXPECT_LE(received_words(std::string(100'000, 'x')).size(), 900U);
   EXPECT_LE(without_values(std::string(100'000, 'x'), command{"SET", "k", "v"}).size(), 200U);
   const std::string script =
      "ERR " + std::string(5000, 'e') + " script: " + std::string(40, 'a') + ", on @user_script:1.";
   EXPECT_TRUE(kept_words(script).ends_with(", on @user_script:1.")) << "where a script failed is told at the end";
}

TEST(shown_words, take_no_longer_for_many_arguments) {
   const auto many = command::from(std::vector<std::string>(200'000, "aaaa"));
   EXPECT_EQ(without_values("ERR syntax error near 'aaaa' " + std::string(500, 'a'), many), "ERR syntax error ...");
   EXPECT_EQ(without_values("upstream failure for 'aaaa'", many), "upstream ...");
}

}  // namespace
}  // namespace holdfast::impl::shown_test

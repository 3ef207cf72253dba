// What is printed, held against redis-cli itself.
#include "cli/program.hpp"
#include "lab/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::cli_test::output_redis_test {
namespace {

class Output : public testing::Test {
 protected:
   static void SetUpTestSuite() {
      shared = std::make_unique<lab::deployment>(lab::deployment_options{.replicas = 0, .sentinels = 0});
      lab::control redis = shared->node(0).connect();
      redis.run({"SET", "text", "plain"});
      redis.run({"SET", "bytes", std::string("\"quoted\" \\ \r\n\t\a\b\0\x01\x7f\xc3\xa4\xff", 22)});
      redis.run({"SET", "empty", ""});
      redis.run({"RPUSH", "list", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"});
      redis.run({"HSET", "hash", "field", "1", "other", "2"});
      redis.run({"SADD", "set", "one"});
      redis.run({"ZADD", "sorted", "1.5", "a", "inf", "b"});
   }
   static void TearDownTestSuite() { shared.reset(); }

   static std::string ours(const words& command, bool terminal) {
      words line = {"exec", "-u", shared->uri()};
      line.insert(line.end(), command.begin(), command.end());
      program p(line, {.terminal = terminal});
      p.status();
      return p.out() + p.err();
   }
   // As with `redis-cli -3` on a terminal; raw: as with redis-cli.
   static std::string theirs(const words& command, bool terminal) {
      words line = {"-p", std::to_string(shared->node(0).address().port)};
      if (terminal) line.insert(line.end(), {"-3", "--no-raw"});
      line.insert(line.end(), command.begin(), command.end());
      program p(line, {.binary = "redis-cli"});
      p.status();
      return p.out();
   }
   static nlohmann::json json_of(const words& command) {
      words line = {"exec", "-u", shared->uri(), "--json"};
      line.insert(line.end(), command.begin(), command.end());
      program p(line);
      p.status();
      return p.json();
   }
   static words lua(const std::string& code) { return {"EVAL", "redis.setresp(3); " + code, "0"}; }

   static std::unique_ptr<lab::deployment> shared;
};
std::unique_ptr<lab::deployment> Output::shared;

const std::vector<words> everything = {
   {"PING"},
   {"GET", "text"},
   {"GET", "bytes"},
   {"GET", "empty"},
   {"GET", "absent"},
   {"STRLEN", "text"},
   {"LRANGE", "list", "0", "-1"},
   {"LRANGE", "absent", "0", "-1"},
   {"SMEMBERS", "set"},
   {"MGET", "text", "absent", "bytes"},
   {"ZRANGE", "sorted", "0", "-1"},
   {"LPUSH", "text", "x"},
   {"SETEX", "text"},
   {"EVAL", "return {1, {2, {3, 'four'}, {}}, {err = 'ERR inside'}, {ok = 'FINE'}, false}", "0"},
   {"SLOWLOG", "GET", "0"},
   {"LOLWUT", "VERSION", "1", "1", "1", "1"},
   {"INFO", "cluster"},
   {"XRANGE", "absent", "-", "+"},
};

TEST_F(Output, OnATerminalIsThatOfRedisCliByteForByte) {
   for (const words& command : everything) EXPECT_EQ(ours(command, true), theirs(command, true)) << command.front();
   for (const words& command : {words{"HGETALL", "hash"},
                                {"HGETALL", "absent"},
                                {"ZSCORE", "sorted", "a"},
                                {"ZSCORE", "sorted", "b"},
                                {"ZRANGE", "sorted", "0", "-1", "WITHSCORES"},
                                {"XINFO", "HELP"},
                                {"CONFIG", "GET", "save*"},
                                {"COMMAND", "INFO", "GET"}}) {
      EXPECT_EQ(ours(command, true), theirs(command, true)) << command.front();
   }
   for (const char* const code :
        {"return true", "return {double = 3.25}", "return {map = {}}", "return {set = {}}",
         "return {map = {a = {}, b = {map = {}}, c = {map = {d = 1}}}}", "return {map = {a = {map = {b = {1, 2, 3}}}}}",
         "return {set = {['x'] = true}}", "return {{map = {a = 1}}, {set = {b = true}}, {}, false}"}) {
      EXPECT_EQ(ours(lua(code), true), theirs(lua(code), true)) << code;
   }
}

// The server repeats the values of what it does not know. In an error they may end in a log.
TEST_F(Output, unknown_command_shows_no_value) {
   const auto shown = ours({"NOSUCH", "s3cret"}, false);
   EXPECT_NE(shown.find("unknown command 'NOSUCH'"), std::string::npos) << shown;
   EXPECT_EQ(shown.find("s3cret"), std::string::npos) << shown;
}

TEST_F(Output, ThroughAPipeIsThatOfRedisCliByteForByte) {
   for (const words& command : everything) EXPECT_EQ(ours(command, false), theirs(command, false)) << command.front();
   for (const words& command :
        {words{"HGETALL", "hash"}, {"HGETALL", "absent"}, {"ZSCORE", "sorted", "a"}, {"CONFIG", "GET", "save*"}}) {
      EXPECT_EQ(ours(command, false), theirs(command, false)) << command.front();
   }
}

TEST_F(Output, OnATerminalNeverMovesTheCursor) {
   const words rude = {"EVAL", "return {{err = 'ERR \27[2J'}, {ok = '\27[31m\7'}, '\27[0m'}", "0"};
   const std::string shown = ours(rude, true);
   EXPECT_EQ(shown.find('\x1b'), std::string::npos) << shown;
   EXPECT_EQ(shown.find('\x07'), std::string::npos) << shown;
}

TEST_F(Output, AsJsonKeepsTypes) {
   EXPECT_EQ(json_of({"GET", "text"}).at("reply"), "plain");
   EXPECT_TRUE(json_of({"GET", "absent"}).at("reply").is_null());
   EXPECT_EQ(json_of({"STRLEN", "text"}).at("reply"), 5);
   EXPECT_EQ(json_of({"HGETALL", "hash"}).at("reply"), nlohmann::json({{"field", "1"}, {"other", "2"}}));
   EXPECT_EQ(json_of({"MGET", "text", "absent"}).at("reply"), nlohmann::json({"plain", nullptr}));
   EXPECT_EQ(json_of({"ZSCORE", "sorted", "a"}).at("reply"), 1.5);
   EXPECT_EQ(json_of({"ZSCORE", "sorted", "b"}).at("reply"), "inf");
   EXPECT_EQ(json_of(lua("return true")).at("reply"), true);
   EXPECT_EQ(json_of(lua("return {big_number = '12345678901234567890'}")).at("reply"), "12345678901234567890");
   EXPECT_EQ(json_of(lua("return {1, {err = 'ERR inside'}}")).at("reply"),
             nlohmann::json({1, {{"error", "ERR inside"}}}));
}

TEST_F(Output, AsJsonLosesNoByteThatIsNotUtf8) {
   const auto base64 = [](const char* digits) { return nlohmann::json{{"base64", digits}}; };
   EXPECT_EQ(json_of({"ECHO", "\xff\xfe"}).at("reply"), base64("//4="));
   EXPECT_EQ(json_of({"ECHO", "\xff"}).at("reply"), base64("/w=="));
   EXPECT_EQ(json_of({"ECHO", "a\xc3"}).at("reply"), base64("YcM="));
   EXPECT_EQ(json_of({"ECHO", "\xff\xfe\xfd"}).at("reply"), base64("//79"));
   EXPECT_EQ(json_of({"ECHO", "\xed\xa0\x80"}).at("reply"), base64("7aCA")) << "a surrogate is not UTF-8";
   EXPECT_EQ(json_of({"ECHO", "\xc0\xaf"}).at("reply"), base64("wK8=")) << "nor is an overlong form";
   EXPECT_EQ(json_of({"ECHO", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"}).at("reply"), "ä€😀");
   EXPECT_EQ(json_of({"GET", "\xff\xfe"}).at("reply"), nullptr);
   const auto failed = json_of({"\xff\xfe"});
   EXPECT_EQ(failed.at("error").at("code"), "server_error");
   EXPECT_TRUE(failed.at("error").at("server_text").contains("base64")) << failed;
}

TEST_F(Output, AsJsonTellsAMapFromItsOwnMarks) {
   EXPECT_EQ(json_of(lua("return {map = {base64 = 1}}")).at("reply"),
             nlohmann::json::parse(R"({"map": [["base64", 1]]})"));
   EXPECT_EQ(json_of(lua("return {map = {[2] = 'two'}}")).at("reply"),
             nlohmann::json::parse(R"({"map": [[2, "two"]]})"));
}

TEST_F(Output, AsJsonOfAnErrorHasAllThatIsKnown) {
   const auto error = json_of({"LPUSH", "text", "x"}).at("error");
   EXPECT_EQ(error.at("code"), "server_error");
   EXPECT_EQ(error.at("outcome"), "not_executed");
   EXPECT_EQ(error.at("attempts"), 1);
   EXPECT_EQ(error.at("endpoint"), to_string(shared->node(0).address()));
   EXPECT_EQ(error.at("server_text").get<std::string>().rfind("WRONGTYPE", 0), 0U);
   EXPECT_TRUE(error.at("causes").is_array());
   EXPECT_GE(error.at("elapsed_ms").get<double>(), 0);
   EXPECT_FALSE(error.at("message").get<std::string>().empty());
}

TEST_F(Output, IsOneLineOfJsonAlsoForTextOfManyLines) {
   words line = {"exec", "-u", shared->uri(), "--json", "ECHO", "a\nb\n\n"};
   program p(line);
   EXPECT_EQ(p.status(), 0);
   const std::string out = p.out();
   EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
   EXPECT_EQ(p.json().at("reply"), "a\nb\n\n");
}

}  // namespace
}  // namespace holdfast::cli_test::output_redis_test

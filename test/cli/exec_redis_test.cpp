#include "cli/program.hpp"
#include "lab/deployment.hpp"

#include <gtest/gtest.h>
#include <signal.h>

namespace holdfast::cli_test::exec_redis_test {
namespace {

using namespace std::chrono_literals;

// One server that all these tests share; none of them ends it.
class Exec : public testing::Test {
 protected:
   static void SetUpTestSuite() {
      shared = std::make_unique<lab::deployment>(lab::deployment_options{.replicas = 0, .sentinels = 0});
   }
   static void TearDownTestSuite() { shared.reset(); }

   static std::string uri() { return shared->uri(); }
   static words on_it(const words& command) {
      words line = {"exec", "-u", uri()};
      line.insert(line.end(), command.begin(), command.end());
      return line;
   }
   static lab::control redis() { return shared->node(0).connect(); }

   static std::unique_ptr<lab::deployment> shared;
};
std::unique_ptr<lab::deployment> Exec::shared;

TEST_F(Exec, PrintsTheReplyAndNothingElseAndExitsWithZero) {
   program p(on_it({"ECHO", "hello"}));
   EXPECT_EQ(p.status(), 0);
   EXPECT_EQ(p.out(), "hello\n");
   EXPECT_EQ(p.err(), "");
}

TEST_F(Exec, ReplyOverALimitIsNamedAndExitsWithOne) {
   program p(on_it({"EVAL", "redis.call('incr', 'ran') local t = {} for i = 1, 80 do t = {t} end return t", "0"}));
   EXPECT_EQ(p.status(), 1);
   EXPECT_EQ(p.out(), "");
   EXPECT_NE(p.err().find("it ran, but its reply was not taken: the reply is nested deeper than the limit "
                          "(config::limits::reply_nesting, 64)"),
             std::string::npos)
      << p.err();
   EXPECT_EQ(redis().run({"GET", "ran"}).text, "1");
}

TEST_F(Exec, PrintsAnErrorReplyAsTheResultItIsAndExitsWithOne) {
   redis().run({"SET", "text", "x"});
   program p(on_it({"LPUSH", "text", "y"}));
   EXPECT_EQ(p.status(), 1);
   EXPECT_EQ(p.out().rfind("WRONGTYPE ", 0), 0U) << p.out();
   EXPECT_EQ(p.err(), "");
}

TEST_F(Exec, SaysOfAScriptThatFailedHalfWayThatItRanInPart) {
   program p(on_it({"EVAL", "redis.call('SET', 'half', '1'); return redis.call('LPUSH', 'half', '2')", "0"}));
   EXPECT_EQ(p.status(), 1);
   EXPECT_NE(p.err().find("in part"), std::string::npos) << p.err();
   EXPECT_EQ(redis().run({"GET", "half"}).text, "1");
}

TEST_F(Exec, LeavesEverythingFromTheCommandOnToTheServer) {
   for (const words& arguments : {words{"--json"}, {"-u"}, {"--help"}, {"--"}, {"[a,b]"}, {""}, {"-1"}, {"--x=y"}}) {
      words line = {"RPUSH", "arguments"};
      line.insert(line.end(), arguments.begin(), arguments.end());
      redis().run({"DEL", "arguments"});
      program p(on_it(line));
      EXPECT_EQ(p.status(), 0) << p.err();
      EXPECT_EQ(p.out(), "1\n");
      EXPECT_EQ(redis().run({"LINDEX", "arguments", "0"}).text, arguments.front());
   }
}

TEST_F(Exec, TakesTwoHyphensAsTheEndOfItsOptions) {
   program p({"exec", "-u", uri(), "--", "ECHO", "--json"});
   EXPECT_EQ(p.status(), 0);
   EXPECT_EQ(p.out(), "--json\n");
}

TEST_F(Exec, RunsACommandThatIsCalledAsASubcommandIs) {
   program p(on_it({"watch", "k"}));
   EXPECT_EQ(p.status(), 2);
   EXPECT_NE(p.err().find("WATCH"), std::string::npos) << p.err();
   program unknown(on_it({"drill"}));
   EXPECT_EQ(unknown.status(), 1);
   EXPECT_EQ(unknown.out().rfind("ERR unknown command 'drill'", 0), 0U) << unknown.out();
}

TEST_F(Exec, TakesTheServerFromTheVariablesInTheirOrder) {
   const std::string wrong = "redis://127.0.0.1:1";
   program first({"exec", "PING"}, {.environment = {{"HOLDFAST_URI", uri()}, {"REDIS_URL", wrong}}});
   EXPECT_EQ(first.status(), 0) << first.err();
   program second({"exec", "PING"}, {.environment = {{"HOLDFAST_URI", ""}, {"REDIS_URL", uri()}}});
   EXPECT_EQ(second.status(), 0) << second.err();
   program option({"exec", "-u", uri(), "PING"}, {.environment = {{"HOLDFAST_URI", wrong}}});
   EXPECT_EQ(option.status(), 0) << option.err();
   program bad({"exec", "PING"}, {.environment = {{"REDIS_URL", "http://x"}}});
   EXPECT_EQ(bad.status(), 2);
   EXPECT_NE(bad.err().find("$REDIS_URL"), std::string::npos) << bad.err();
}

TEST_F(Exec, FailsIfTheReplyCannotBeWritten) {
   program p(on_it({"ECHO", "hello"}), {.stdout_file = "/dev/full"});
   EXPECT_EQ(p.status(), 1);
   EXPECT_NE(p.err().find("No space left on device"), std::string::npos) << p.err();
}

TEST_F(Exec, NeverTakesAConnectionForTheStdoutThatItsCallerHasClosed) {
   program p(on_it({"ECHO", "hello"}), {.stdout_closed = true});
   EXPECT_EQ(p.status(), 1);
   EXPECT_NE(p.err().find("cannot write to stdout"), std::string::npos) << p.err();
}

TEST_F(Exec, status_is_told_where_nobody_reads_the_output) {
   program written(on_it({"SET", "unread", "1"}), {.output_unread = true});
   EXPECT_EQ(written.status(), 1) << "it ran, and its reply could not be written";
   EXPECT_EQ(redis().run({"GET", "unread"}).text, "1");
   program refused({"exec", "-u", "http://localhost", "PING"}, {.output_unread = true});
   EXPECT_EQ(refused.status(), 2);
}

TEST_F(Exec, SaysOnceWhatTheServerKeepsAnswering) {
   lab::deployment d({.replicas = 0, .sentinels = 0, .node_config = {"busy-reply-threshold 50"}});
   program script({"exec", "-u", d.uri(), "--deadline", "60s", "EVAL", "while true do end", "0"});
   lab::control other = d.node(0).connect();
   lab::await("the script keeps it busy", [&] { return other.ask({"PING"}).text.rfind("BUSY", 0) == 0; }, 10s);
   program waits({"exec", "-u", d.uri(), "--deadline", "1500ms", "GET", "a"});
   EXPECT_EQ(waits.status(), 3);
   EXPECT_EQ(waits.err_lines(), 2U) << waits.err();
   EXPECT_NE(waits.err().find("the server answers BUSY"), std::string::npos) << waits.err();
   EXPECT_NE(waits.err().find("--deadline"), std::string::npos) << waits.err();
   other.run({"SCRIPT", "KILL"});
   EXPECT_EQ(script.status(), 1) << script.err();
}

// ---- the outcome is unknown -----------------------------------------------------------------------------------------

TEST(ExecWhoseReplyIsLost, ExitsWithFourBecauseNobodyKnows) {
   lab::deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
   d.proxy()->lose_reply_to("\r\nINCR\r\n");
   program p({"exec", "-u", "redis://" + to_string(d.proxy()->address()), "INCR", "n"});
   EXPECT_EQ(p.status(), 4);
   EXPECT_EQ(p.out(), "");
   EXPECT_EQ(p.err_lines(), 1U) << p.err();
   EXPECT_NE(p.err().find("outcome unknown"), std::string::npos) << p.err();
   EXPECT_EQ(d.node(0).connect().run({"GET", "n"}).text, "1");
}

TEST(ExecWhoseReplyIsLost, SaysSoInJsonToo) {
   lab::deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
   d.proxy()->lose_reply_to("\r\nINCR\r\n");
   program p({"exec", "-u", "redis://" + to_string(d.proxy()->address()), "--json", "INCR", "n"});
   EXPECT_EQ(p.status(), 4);
   const auto error = p.json().at("error");
   EXPECT_EQ(error.at("code"), "connection_lost");
   EXPECT_EQ(error.at("outcome"), "unknown");
   EXPECT_EQ(error.at("attempts"), 1);
   EXPECT_EQ(error.at("endpoint"), to_string(d.proxy()->address()));
   EXPECT_GT(error.at("elapsed_ms").get<double>(), 0);
}

TEST(ExecWhoseReplyIsLost, SendsItAgainWhereTheUserWouldRatherHaveItTwice) {
   lab::deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
   d.proxy()->lose_reply_to("\r\nINCR\r\n");
   program p({"exec", "-u", "redis://" + to_string(d.proxy()->address()), "--delivery", "at-least-once", "--json",
              "INCR", "n"});
   EXPECT_EQ(p.status(), 0) << p.err();
   EXPECT_EQ(p.json().at("reply"), 2);
   EXPECT_EQ(p.json().at("attempts"), 2);
}

TEST(ExecWhoseReplyIsLost, SendsNothingAgainWhereTheUserWouldRatherNotHaveItTwice) {
   lab::deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
   d.proxy()->lose_reply_to("\r\nSET\r\n");
   program p(
      {"exec", "-u", "redis://" + to_string(d.proxy()->address()), "--delivery", "at_most_once", "SET", "k", "v"});
   EXPECT_EQ(p.status(), 4) << p.err();
}

TEST(ExecWhoseReplyIsLost, SendsAPlainSetAgainWithoutBeingAsked) {
   lab::deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
   d.proxy()->lose_reply_to("\r\nSET\r\n");
   program p({"exec", "-u", "redis://" + to_string(d.proxy()->address()), "SET", "k", "v"});
   EXPECT_EQ(p.status(), 0) << p.err();
   EXPECT_EQ(p.out(), "OK\n");
   EXPECT_EQ(p.err(), "") << "it took no time worth a word";
}

// ---- Ctrl-C ---------------------------------------------------------------------------------------------------------

class ExecInterrupted : public Exec, public testing::WithParamInterface<int> {};

TEST_P(ExecInterrupted, BeforeAnythingWasSentSaysNotExecuted) {
   program p({"exec", "-u", "redis://127.0.0.1:1", "--deadline", "60s", "INCR", "n"});
   ASSERT_TRUE(p.says("trying on")) << p.err();
   p.signal(GetParam());
   EXPECT_EQ(p.status(), 3);
   EXPECT_NE(p.err().find("interrupted"), std::string::npos) << p.err();
   EXPECT_NE(p.err().find("not executed"), std::string::npos) << p.err();
}

TEST_P(ExecInterrupted, WhileTheServerHasTheCommandSaysUnknown) {
   lab::control other = redis();
   other.run({"DEL", "queue"});
   program p(on_it({"BLPOP", "queue", "0"}));
   lab::await("it waits there", [&] { return other.info("clients", "blocked_clients") == "1"; }, 10s);
   p.signal(GetParam());
   EXPECT_EQ(p.status(), 4);
   EXPECT_EQ(p.out(), "");
   EXPECT_NE(p.err().find("interrupted"), std::string::npos) << p.err();
   EXPECT_NE(p.err().find("outcome unknown"), std::string::npos) << p.err();
   lab::await("its connection has ended", [&] { return other.info("clients", "blocked_clients") == "0"; }, 10s);
}

INSTANTIATE_TEST_SUITE_P(ByEachSignal, ExecInterrupted, testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& signal) { return std::string(::sigabbrev_np(signal.param)); });

}  // namespace
}  // namespace holdfast::cli_test::exec_redis_test

// Servers that are not there, are no servers, or do not let us in: one clear line, in bounded time.
#include "cli/program.hpp"
#include "cli/responder.hpp"
#include "lab/deployment.hpp"
#include "redis/lying_server.hpp"

#include <gtest/gtest.h>

namespace holdfast::cli_test::unreachable_redis_test {
namespace {

using namespace std::chrono_literals;

// Not executed, said in one line (and at most so many notices before it), and within `ms`.
void expect_refused(program& p, const std::vector<std::string>& hints, double ms, std::size_t notices = 0) {
   EXPECT_EQ(p.status(), 3) << p.err();
   EXPECT_EQ(p.out(), "");
   EXPECT_LE(p.err_lines(), 1 + notices) << p.err();
   for (const auto& hint : hints) EXPECT_NE(p.err().find(hint), std::string::npos) << hint << "\n" << p.err();
   EXPECT_LT(p.took_ms(), ms);
}

TEST(Unreachable, ADeadServerIsTriedUntilTheDeadlineWithOneNotice) {
   program p({"exec", "-u", "redis://127.0.0.1:1", "--deadline", "1s", "PING"});
   expect_refused(p, {"Connection refused", "trying on", "127.0.0.1:1", "check that it runs"}, 3000, 1);
   EXPECT_GE(p.took_ms(), 1000);
}

TEST(Unreachable, ADeadServerIsGivenUpAfterTenSecondsByDefault) {
   program p({"exec", "-u", "redis://127.0.0.1:1", "--json", "PING"});
   EXPECT_EQ(p.status(), 3);
   EXPECT_EQ(p.json().at("error").at("code"), "no_master");
   EXPECT_NEAR(p.json().at("error").at("elapsed_ms").get<double>(), 10000, 500);
   EXPECT_EQ(p.err_lines(), 1U) << p.err();
}

TEST(unreachable, u_is_suggested_only_where_no_server_was_named) {
   program named({"exec", "--deadline", "300ms", "GET", "k"},
                 {.environment = {{"HOLDFAST_URI", "redis://127.0.0.1:1"}}});
   EXPECT_EQ(named.status(), 3);
   EXPECT_EQ(named.err().find("-u URI"), std::string::npos) << named.err();

   program unnamed({"exec", "--deadline", "300ms", "GET", "k"});
   if (unnamed.status() == 0) return;  // a Redis of this machine's own answers at port 6379
   EXPECT_NE(unnamed.err().find("with -u URI"), std::string::npos) << unnamed.err();
}

TEST(Unreachable, AHostOrASocketThatIsNotThereIsNamed) {
   program host({"exec", "-u", "redis://no-such-host.invalid", "--deadline", "1s", "PING"});
   program socket({"exec", "-u", "unix:///nonexistent/redis.sock", "--deadline", "500ms", "PING"});
   expect_refused(host, {"no-such-host.invalid"}, 3000, 1);
   expect_refused(socket, {"/nonexistent/redis.sock", "No such file"}, 3000, 1);
}

TEST(NoRedis, a_server_that_answers_badly_takes_no_longer_than_the_deadline) {
   for (const auto manner : lab::lying_server::all) {
      lab::lying_server server(manner, true);
      for (const std::string scheme : {"redis://", "redis+sentinel://"}) {
         const std::string uri = scheme + to_string(server.where()) + (scheme == "redis://" ? "" : "/mymaster");
         program resolve({"resolve", "-u", uri, "--deadline", "300ms"});
         (void)resolve.status();
         EXPECT_LT(resolve.took_ms(), 1500) << static_cast<int>(manner) << " " << uri;
         program exec({"exec", "-u", uri, "--deadline", "300ms", "INCR", "n"});
         (void)exec.status();
         EXPECT_LT(exec.took_ms(), 1500) << static_cast<int>(manner) << " " << uri;
      }
   }
}

TEST(NoRedis, IsToldByWhatItAnswers) {
   struct row {
      std::optional<std::string> answer;
      words hints;
      const char* deadline;  // ten seconds: it is told at once
      std::size_t notices;
   };
   for (const row& r : {row{"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
                            {"Redis protocol", "HTTP/1.1", "HOST:PORT"},
                            "10s",
                            0},
                        row{std::string("\x15\x03\x03\x00\x02\x02\x0a", 7), {"TLS"}, "10s", 0},
                        row{"", {"TLS"}, "1s", 1},  // a port that hangs up may be TLS
                        row{std::nullopt, {"no answer"}, "1500ms", 1}}) {
      responder other(r.answer);
      program p({"exec", "-u", "redis://" + other.host_and_port(), "--deadline", r.deadline, "PING"});
      SCOPED_TRACE(r.answer.value_or("silence"));
      expect_refused(p, r.hints, 4000, r.notices);
      EXPECT_NE(p.err().find(other.host_and_port()), std::string::npos) << p.err();
   }
}

TEST(Unreachable, AStoppedServerIsSaidToBeSilentByResolveToo) {
   lab::deployment d({.replicas = 0, .sentinels = 0});
   d.node(0).stop();
   program p({"resolve", "-u", d.uri(), "--deadline", "1s"});
   expect_refused(p, {to_string(d.node(0).address()), "no"}, 3000, 1);
   EXPECT_EQ(p.err().find("repeat"), std::string::npos) << "no command of the user's was involved\n" << p.err();
}

TEST(Unreachable, AServerThatIsFullSaysSo) {
   lab::deployment d({.replicas = 0, .sentinels = 0, .node_config = {"maxclients 1"}});
   const lab::control only = d.node(0).connect();
   program p({"exec", "-u", d.uri(), "--deadline", "1s", "PING"});
   expect_refused(p, {"turns connections away", "max number of clients"}, 3000, 1);
}

TEST(NoRedis, NothingASentinelPortHoldsBreaksTheBinary) {
   responder web("HTTP/1.1 400 Bad Request\r\n\r\n");
   responder silent;
   program p({"exec", "-u", "redis+sentinel://" + web.host_and_port() + "," + silent.host_and_port() + "/mymaster",
              "--deadline", "1s", "PING"});
   expect_refused(p, {web.host_and_port(), silent.host_and_port(), "26379"}, 3000, 2);
}

TEST(NoRedis, AnAnswerFullOfControlCharactersCannotMoveTheCursor) {
   responder rude("-ERR \x1b[2J\x07 \xff\xfe\r\n");
   program p({"exec", "-u", "redis://" + rude.host_and_port(), "--deadline", "500ms", "PING"});
   expect_refused(p, {rude.host_and_port(), "\\x1b[2J\\x07"}, 3000, 1);
   EXPECT_EQ(p.err().find_first_of("\x1b\x07"), std::string::npos) << p.err();
}

TEST(NoRedis, AnAnswerInForeignBytesIsStillValidJson) {
   responder rude("-ERR \xff\xfe\r\n");
   program p({"exec", "--json", "-u", "redis://" + rude.host_and_port(), "--deadline", "500ms", "PING"});
   EXPECT_EQ(p.status(), 3);
   EXPECT_EQ(p.json().at("error").at("outcome"), "not_executed") << p.out();
   EXPECT_TRUE(p.json().at("error").at("server_text").contains("base64")) << p.out();
}

// ---- passwords and names --------------------------------------------------------------------------------------------

class LoggedIn : public testing::Test {
 protected:
   static void SetUpTestSuite() {
      shared = std::make_unique<lab::deployment>(
         lab::deployment_options{.replicas = 1,
                                 .sentinels = 2,
                                 .node_login = {.username = "app", .password = "n0de"},
                                 .sentinel_login = {.username = "watcher", .password = "w4tch"}});
   }
   static void TearDownTestSuite() { shared.reset(); }

   static std::string node() { return to_string(shared->node(0).address()); }
   static std::string sentinels() {
      return to_string(shared->sentinel(0).address()) + "," + to_string(shared->sentinel(1).address());
   }
   static std::unique_ptr<lab::deployment> shared;
};
std::unique_ptr<lab::deployment> LoggedIn::shared;

TEST_F(LoggedIn, IsLetInWithTheRightPasswords) {
   program p({"exec", "-u", shared->uri(), "ECHO", "in"});
   EXPECT_EQ(p.status(), 0) << p.err();
   EXPECT_EQ(p.out(), "in\n");
}

TEST_F(LoggedIn, IsToldAtOnceThatAPasswordIsWrongOrMissing) {
   const std::string through = "redis+sentinel://app:n0de@" + sentinels() + "/mymaster";
   struct row {
      words line;
      words hints;
   };
   for (const row& r :
        {row{{"exec", "-u", "redis://app:wrong@" + node(), "PING"}, {node(), "WRONGPASS", "check USER and PASSWORD"}},
         row{{"exec", "-u", "redis://" + node(), "PING"}, {node(), "demands a password", "PASSWORD@"}},
         row{{"resolve", "-u", through + "?sentinel_username=watcher&sentinel_password=wrong"},
             {"Sentinel", "WRONGPASS", "sentinel_password"}},
         row{{"resolve", "-u", through}, {"Sentinel", "NOAUTH", "sentinel_password"}}}) {
      program p(r.line);
      expect_refused(p, r.hints, 3000);
      EXPECT_EQ(p.err().find("wrong@"), std::string::npos) << "a password is nothing to show: " << p.err();
   }
}

TEST_F(LoggedIn, IsToldAtOnceThatNoSentinelKnowsTheMaster) {
   const std::string login = "?sentinel_username=watcher&sentinel_password=w4tch";
   for (const char* const subcommand : {"exec", "resolve", "watch"}) {
      words line = {subcommand, "-u", "redis+sentinel://app:n0de@" + sentinels() + "/mymistake" + login};
      if (line.front() == "exec") line.emplace_back("PING");
      program p(line);
      EXPECT_EQ(p.status(), 3) << subcommand;
      EXPECT_EQ(p.err_lines(), 1U) << p.err();
      EXPECT_NE(p.err().find("\"mymistake\""), std::string::npos) << p.err();
      EXPECT_NE(p.err().find("SENTINEL MASTERS"), std::string::npos) << p.err();
      EXPECT_LT(p.took_ms(), 3000) << subcommand;
   }
}

TEST_F(LoggedIn, IsToldThatASentinelIsNoServerAndThatADatabaseDoesNotExist) {
   lab::deployment plain({.replicas = 0, .sentinels = 1});
   for (const auto& [uri, hint] : {std::pair("redis://" + to_string(plain.sentinel(0).address()), "redis+sentinel://"),
                                   std::pair("redis://app:n0de@" + node() + "/99", "DB index is out of range")}) {
      program p({"exec", "-u", uri, "PING"});
      EXPECT_EQ(p.status(), 2);
      EXPECT_EQ(p.err_lines(), 1U) << p.err();
      EXPECT_NE(p.err().find(hint), std::string::npos) << p.err();
   }
}

}  // namespace
}  // namespace holdfast::cli_test::unreachable_redis_test

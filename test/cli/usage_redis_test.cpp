#include "cli/program.hpp"

#include <gtest/gtest.h>

namespace holdfast::cli_test::usage_redis_test {
namespace {

// ---- what is typed wrongly: one line, exit status 2, nothing on stdout ----------------------------------------------

struct mistake {
   std::string name = {};
   words line = {};
   std::string hint = {};  // must be in the line on stderr
};

class Usage : public testing::TestWithParam<mistake> {};

TEST_P(Usage, OfAWrongLineSaysWhatIsWrongInOneLineAndExitsWithTwo) {
   program p(GetParam().line);
   EXPECT_EQ(p.status(), 2);
   EXPECT_EQ(p.out(), "");
   EXPECT_EQ(p.err_lines(), 1U) << p.err();
   EXPECT_EQ(p.err().rfind("holdfast: ", 0), 0U) << p.err();
   EXPECT_NE(p.err().find(GetParam().hint), std::string::npos) << p.err();
   EXPECT_EQ(p.err().find("s3cret"), std::string::npos) << p.err();
   EXPECT_LT(p.took_ms(), 5000);
}

const mistake mistakes[] = {
   {"NoSubcommand", {}, "holdfast --help"},
   {"AnUnknownSubcommand", {"exce", "PING"}, "\"exce\""},
   {"ARedisCommandWithoutExec", {"GET", "a"}, "holdfast exec"},
   {"redis_cli_host_and_port",
    {"-h", "10.0.0.1", "-p", "6380", "GET", "a"},
    "holdfast exec -u redis://10.0.0.1:6380 GET ..."},
   {"redis_cli_host_alone", {"-h", "10.0.0.1"}, "holdfast exec -u redis://10.0.0.1 COMMAND"},
   {"redis_cli_port_behind_exec", {"exec", "-p", "6380", "PING"}, "holdfast exec -u redis://127.0.0.1:6380 PING"},
   {"redis_cli_host_behind_resolve", {"resolve", "-h", "::1"}, "holdfast resolve -u redis://[::1]"},
   {"redis_cli_password_and_database",
    {"-a", "s3cret", "-n", "3", "GET", "a"},
    "holdfast exec -u redis://:PASSWORD@127.0.0.1/3 GET"},
   {"redis_cli_database_beside_a_uri", {"exec", "-u", "redis://10.0.0.1", "-n", "3", "GET", "a"}, "into the URI"},
   {"redis_cli_socket", {"-s", "/run/redis.sock", "PING"}, "holdfast exec -u unix:///run/redis.sock PING"},
   {"redis_cli_tls", {"--tls", "-h", "10.0.0.1", "PING"}, "TLS is not built yet"},
   {"redis_cli_host_in_one_word", {"exec", "-h10.0.0.1", "PING"}, "holdfast exec -u redis://10.0.0.1 PING"},
   {"uri_where_none_is_taken", {"drill", "redis://:s3cret@10.0.0.1"}, "a URI was not expected"},
   {"uri_before_the_subcommand", {"-u", "redis://10.0.0.1", "exec", "PING"}, "holdfast exec -u URI PING"},
   {"uri_without_exec", {"redis://:s3cret@10.0.0.1", "PING"}, "is that meant as -u URI?"},
   {"uri_as_command", {"exec", "redis://:s3cret@10.0.0.1", "PING"}, "is that meant as -u URI?"},
   {"address_as_command", {"exec", "10.0.0.1:6379", "PING"}, "holdfast exec -u redis://10.0.0.1:6379 PING"},
   {"uri_of_watch_without_option", {"watch", "redis://:s3cret@10.0.0.1"}, "holdfast watch -u URI"},
   {"AnUnknownOption", {"exec", "--dedline", "3s", "PING"}, "--dedline"},
   {"ExecWithoutACommand", {"exec", "--json"}, "COMMAND"},
   {"AnOptionWithoutItsValue", {"exec", "-u"}, "--uri"},
   {"ResolveWithACommand", {"resolve", "PING"}, "PING"},
   {"ADeadlineWithoutAUnit", {"exec", "--deadline", "30", "PING"}, "30s"},
   {"ADeadlineOfNothing", {"exec", "--deadline", "0s", "PING"}, "above 0"},
   {"ANegativeDeadline", {"exec", "--deadline", "-3s", "PING"}, "--deadline"},
   {"AnUnknownDelivery", {"exec", "--delivery", "twice", "PING"}, "at-least-once"},
   {"AcksThatAreNoNumber", {"exec", "--acks", "most", "PING"}, "--acks"},
   {"AnUnknownScheme", {"exec", "-u", "http://localhost", "PING"}, "redis://"},
   {"AUriWithoutAHost", {"exec", "-u", "redis://", "PING"}, "-u"},
   {"AUriWithAnImpossiblePort", {"resolve", "-u", "redis://localhost:70000"}, "port"},
   {"ASentinelUriWithoutAMaster", {"watch", "-u", "redis+sentinel://localhost"}, "master"},
   {"AnUnknownUriOption", {"exec", "-u", "redis://localhost?colour=red", "PING"}, "colour"},
   {"TlsWhichIsNotBuilt", {"exec", "-u", "rediss://localhost", "PING"}, "TLS"},
   {"AcksWhichAreNotBuilt", {"exec", "--acks", "all", "PING"}, "not built yet"},
   {"ExactlyOnceWhichIsNotBuilt", {"exec", "--delivery", "exactly_once", "PING"}, "not built yet"},
   {"ACommandThatWouldBreakTheConnection", {"exec", "MONITOR"}, "redis-cli"},
   {"ATransactionInPieces", {"exec", "MULTI"}, "MULTI"},
   {"CheckWhichIsNotBuilt", {"check", "-u", "redis://localhost", "--json"}, "not built yet"},
   {"SwitchoverWhichIsNotBuilt", {"switchover", "--dry-run"}, "not built yet"},
   {"ProxyWhichIsNotBuilt", {"proxy", "--listen", "localhost:1"}, "not built yet"},
   {"ASimulatedFaultThatThereIsNot", {"sim", "--fault", "plague"}, "plague"},
   {"ASeedBelowZero", {"sim", "--seed", "-1"}, "whole number"},
   {"MinutesThatAreNoNumber", {"sim", "--minutes", "nan"}, "30 or 0.5"},
   {"number_with_a_leading_zero", {"sim", "--runs", "010"}, "whole number"},
   {"list_of_numbers_that_is_empty", {"sim", "--without", ""}, "whole number"},
   {"option_in_place_of_a_word", {"sim", "--json", "--trace"}, "--trace is an option"},
   {"line_that_forges_another", {"resolve", "a\nholdfast: \x1b[31mforged"}, "a\\x0a"},
   {"HelpOfWhatIsNotBuilt", {"check", "--help"}, "not built yet"},
};
INSTANTIATE_TEST_SUITE_P(EachMistake, Usage, testing::ValuesIn(mistakes),
                         [](const auto& tried) { return tried.param.name; });

TEST(Usage, NeverShowsThePasswordOfABadUri) {
   program p({"exec", "-u", "redis://joe:s3cret@localhost:notaport", "PING"});
   EXPECT_EQ(p.status(), 2);
   EXPECT_EQ(p.err().find("s3cret"), std::string::npos) << p.err();
}

TEST(Usage, OfABadUriIsToldAsJsonWhereJsonIsAskedFor) {
   program p({"exec", "--json", "-u", "http://localhost", "PING"});
   EXPECT_EQ(p.status(), 2);
   EXPECT_EQ(p.json().at("error").at("code"), "invalid_argument");
   EXPECT_EQ(p.json().at("error").at("outcome"), "not_executed");
   EXPECT_EQ(p.json().at("error").at("attempts"), 0);
   EXPECT_EQ(p.err(), "");
}

// ---- --help and --version -------------------------------------------------------------------------------------------

TEST(Help, OfEachSubcommandNamesItsOptionsTheExitStatusesAndAnExample) {
   for (const char* const name : {"exec", "resolve", "watch", "drill"}) {
      program p({name, "--help"});
      EXPECT_EQ(p.status(), 0);
      EXPECT_EQ(p.err(), "");
      EXPECT_NE(p.out().find("Exit status"), std::string::npos) << name;
      EXPECT_NE(p.out().find(std::string("  holdfast ") + name), std::string::npos) << name;
   }
   program p({"exec", "--help"});
   EXPECT_EQ(p.status(), 0);
   for (const char* const taught : {"redis+sentinel://", "HOLDFAST_URI", "REDIS_URL", "at-most-once", "--deadline",
                                    "--json", "--acks", "base64", "Ctrl-C"}) {
      EXPECT_NE(p.out().find(taught), std::string::npos) << taught;
   }
}

TEST(Help, is_what_h_alone_asks_for) {
   for (const words& line : {words{"-h"}, words{"exec", "-h"}, words{"-h", "exec"}, words{"watch", "-h"}}) {
      program p(line);
      EXPECT_EQ(p.status(), 0);
      EXPECT_EQ(p.err(), "");
      EXPECT_NE(p.out().find("Usage:"), std::string::npos);
   }
}

TEST(Help, FitsAnOrdinaryTerminal) {
   for (const words& line :
        {words{"--help"}, words{"exec", "--help"}, words{"resolve", "--help"}, words{"watch", "--help"}}) {
      program p(line);
      ASSERT_EQ(p.status(), 0);
      std::istringstream lines(p.out());
      for (std::string each; std::getline(lines, each);) EXPECT_LE(each.size(), 80U) << each;
   }
}

TEST(Version, IsOneLineWithTheName) {
   program p({"--version"});
   EXPECT_EQ(p.status(), 0);
   const std::string out = p.out();
   EXPECT_EQ(out.rfind("holdfast ", 0), 0U);
   EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
}

}  // namespace
}  // namespace holdfast::cli_test::usage_redis_test

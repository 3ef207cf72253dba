#include "cli/program.hpp"
#include "lab/deployment.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

namespace holdfast::cli_test::sentinel_redis_test {
namespace {

using namespace std::chrono_literals;

std::vector<nlohmann::json> json_lines(const std::string& text) {
   std::vector<nlohmann::json> all;
   std::istringstream lines(text);
   for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
   return all;
}

TEST(ThroughSentinel, ExecRunsOnTheMasterAndResolvePrintsIt) {
   lab::deployment d({.replicas = 1, .sentinels = 3});
   program exec({"exec", "-u", d.uri(), "--json", "INCR", "n"});
   EXPECT_EQ(exec.status(), 0) << exec.err();
   EXPECT_EQ(exec.err(), "");
   const auto said = exec.json();
   EXPECT_EQ(said.at("reply"), 1);
   EXPECT_EQ(said.at("outcome"), "executed");
   EXPECT_EQ(said.at("attempts"), 1);
   EXPECT_EQ(said.at("endpoint"), to_string(d.node(0).address()));
   EXPECT_GT(said.at("elapsed_ms").get<double>(), 0);
   EXPECT_EQ(d.node(0).connect().run({"GET", "n"}).text, "1");

   program resolve({"resolve"}, {.environment = {{"HOLDFAST_URI", d.uri()}}});
   EXPECT_EQ(resolve.status(), 0) << resolve.err();
   EXPECT_EQ(resolve.out(), to_string(d.node(0).address()) + "\n");
   EXPECT_EQ(resolve.err(), "");
}

TEST(ThroughSentinel, ExecWaitsOutTheDeathOfTheMasterAndSaysWhatItWaitsFor) {
   lab::deployment d({.replicas = 1, .sentinels = 3});
   d.node(0).kill();
   program exec({"exec", "-u", d.uri(), "--deadline", "30s", "INCR", "n"});
   EXPECT_EQ(exec.status(), 0) << exec.err();
   EXPECT_EQ(exec.out(), "1\n");
   EXPECT_NE(exec.err().find("cannot connect to " + to_string(d.node(0).address())), std::string::npos) << exec.err();
   EXPECT_NE(exec.err().find("connected to " + to_string(d.node(1).address())), std::string::npos) << exec.err();
   EXPECT_LE(exec.err_lines(), 5U) << "repeated notices are one line\n" << exec.err();

   program resolve({"resolve", "-u", d.uri()});
   EXPECT_EQ(resolve.status(), 0) << resolve.err();
   EXPECT_EQ(resolve.out(), to_string(d.node(1).address()) + "\n");
}

TEST(ThroughSentinel, ABlockingCommandIsFollowedToTheNewMasterOrSaidToBeUnknown) {
   lab::deployment d({.replicas = 1, .sentinels = 3});
   lab::control master = d.node(0).connect();
   program exec({"exec", "-u", d.uri(), "BLPOP", "queue", "0"});
   lab::await("it waits there", [&] { return master.info("clients", "blocked_clients") == "1"; }, 10s);
   d.node(0).kill();
   EXPECT_EQ(exec.status(), 4) << exec.err();
   EXPECT_NE(exec.err().find("outcome unknown"), std::string::npos) << exec.err();
}

TEST(ThroughSentinel, ExecSaysNotExecutedWhenNoMasterIsPromotedInTime) {
   lab::deployment d({.replicas = 0, .sentinels = 1});
   d.node(0).kill();
   program exec({"exec", "-u", d.uri(), "--deadline", "1500ms", "INCR", "n"});
   EXPECT_EQ(exec.status(), 3);
   EXPECT_EQ(exec.out(), "");
   EXPECT_NE(exec.err().find("no master could be reached"), std::string::npos) << exec.err();
   EXPECT_LT(exec.took_ms(), 4000);
}

TEST(Watch, ShowsAFailoverAsItHappensAndEndsWithZeroWhenAsked) {
   lab::deployment d({.replicas = 1, .sentinels = 3});
   const std::string before = to_string(d.node(0).address());
   const std::string after = to_string(d.node(1).address());
   program json({"watch", "-u", d.uri(), "--json"});
   program text({"watch", "-u", d.uri()});
   ASSERT_TRUE(json.says("\"connected\"")) << json.out() << json.err();
   ASSERT_TRUE(text.says("connected to " + before)) << text.out() << text.err();
   d.node(0).kill();
   EXPECT_TRUE(text.says("connected to " + after, 20s)) << text.out();
   EXPECT_TRUE(json.says("\"connected\",\"master\":\"" + after, 20s)) << json.out();
   json.signal(SIGTERM);
   text.signal(SIGINT);
   EXPECT_EQ(json.status(), 0);
   EXPECT_EQ(text.status(), 0);
   EXPECT_EQ(json.err() + text.err(), "");

   const auto events = json_lines(json.out());
   const auto saw = [&](const std::string& name, const std::string& field, const std::string& value) {
      return std::any_of(events.begin(), events.end(),
                         [&](const auto& e) { return e.at("event") == name && e.at(field) == value; });
   };
   EXPECT_TRUE(saw("master_named", "to", before));
   EXPECT_TRUE(saw("connection_lost", "where", before));
   EXPECT_TRUE(saw("sentinel_said", "channel", "+odown"));
   EXPECT_TRUE(saw("master_named", "from", before));
   EXPECT_TRUE(saw("connected", "master", after));
   for (const auto& e : events) {
      const std::string time = e.at("time");
      EXPECT_EQ(time.size(), std::string("2031-12-24T18:00:00.000Z").size()) << time;
   }
   EXPECT_TRUE(std::is_sorted(events.begin(), events.end(),
                              [](const auto& a, const auto& b) { return a.at("time") < b.at("time"); }));
}

TEST(Watch, OfOneServerSeesItsEndAndItsReturn) {
   lab::deployment d({.replicas = 0, .sentinels = 0});
   program watch({"watch", "-u", d.uri()});
   ASSERT_TRUE(watch.says("connected to")) << watch.err();
   d.node(0).kill();
   EXPECT_TRUE(watch.says("lost the connection to")) << watch.out();
   EXPECT_TRUE(watch.says("could not connect to")) << watch.out();
   d.node(0).start();
   const auto reconnected = [&] {
      const std::string out = watch.out();
      return out.rfind("connected to") > out.find("lost the connection");
   };
   EXPECT_TRUE(lab::became_true(reconnected, 10s)) << watch.out();
   watch.signal(SIGTERM);
   EXPECT_EQ(watch.status(), 0);
}

TEST(Watch, GoesOnWhenTheSentinelsAnswerThoughNoMasterDoes) {
   lab::deployment d({.replicas = 0, .sentinels = 1});
   d.node(0).kill();
   program watch({"watch", "-u", d.uri()});
   ASSERT_TRUE(watch.says("could not connect to")) << watch.out() << watch.err();
   d.node(0).start();
   EXPECT_TRUE(watch.says("connected to " + to_string(d.node(0).address()), 20s)) << watch.out();
   watch.signal(SIGINT);
   EXPECT_EQ(watch.status(), 0) << watch.err();
}

TEST(Watch, IsColouredOnATerminalUnlessTheUserWantsNoColour) {
   lab::deployment d({.replicas = 0, .sentinels = 0});
   const std::string green = "\x1b[32mconnected to";
   program coloured({"watch", "-u", d.uri()}, {.environment = {{"TERM", "xterm"}}, .terminal = true});
   EXPECT_TRUE(coloured.says(green)) << coloured.out();
   program plain({"watch", "-u", d.uri()}, {.environment = {{"TERM", "xterm"}, {"NO_COLOR", "1"}}, .terminal = true});
   program piped({"watch", "-u", d.uri()}, {.environment = {{"TERM", "xterm"}}});
   for (program* p : {&plain, &piped}) {
      EXPECT_TRUE(p->says("connected to")) << p->out();
      EXPECT_EQ(p->out().find('\x1b'), std::string::npos) << p->out();
   }
   for (program* p : {&coloured, &plain, &piped}) {
      p->signal(SIGINT);
      EXPECT_EQ(p->status(), 0);
   }
}

TEST(Watch, EndsWhenNobodyCanReadIt) {
   lab::deployment d({.replicas = 0, .sentinels = 0});
   program watch({"watch", "-u", d.uri()}, {.stdout_file = "/dev/full"});
   EXPECT_EQ(watch.status(), 1);
   EXPECT_NE(watch.err().find("cannot write to stdout"), std::string::npos) << watch.err();
}

}  // namespace
}  // namespace holdfast::cli_test::sentinel_redis_test

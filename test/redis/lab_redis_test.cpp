#include "lab/deployment.hpp"
#include "lab/fault_proxy.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

bool runs(pid_t pid) {
   // A zombie has ended: where this test runs in a container, nobody may be there to reap what init inherits.
   std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
   std::string text;
   std::getline(status, text);
   const auto end_of_name = text.rfind(')');
   return end_of_name != std::string::npos && text.at(end_of_name + 2) != 'Z';
}

struct left_behind {
   std::vector<pid_t> processes = {};
   std::string folder = {};

   bool gone() const {
      for (const pid_t pid : processes)
         if (runs(pid)) return false;
      return !std::filesystem::exists(folder);
   }
};

std::vector<pid_t> processes_of(deployment& d) {
   std::vector<pid_t> all = {d.processes().pid()};
   for (std::size_t i = 0; i < d.nodes(); ++i) all.push_back(d.node(i).pid());
   for (std::size_t i = 0; i < d.sentinels(); ++i) all.push_back(d.sentinel(i).pid());
   return all;
}

// A program of its own that starts a deployment, stops one of its servers, tells what it started, and then ends as
// `ending` says (it is called in that program).
struct program {
   template <class Ending>
   explicit program(Ending ending) {
      int ends[2];
      EXPECT_EQ(::pipe(ends), 0);
      pid = ::fork();
      if (pid == 0) {
         ::close(ends[0]);
         // What the program says as it dies is expected, and no part of this test's output.
         [[maybe_unused]] const auto silenced = ::freopen("/dev/null", "w", stderr);
         deployment d({.replicas = 1, .sentinels = 1});
         d.node(1).stop();
         std::string told = d.folder().string() + "\n";
         for (const pid_t p : processes_of(d)) told += std::to_string(p) + "\n";
         [[maybe_unused]] const auto size = ::write(ends[1], told.data(), told.size());
         ::close(ends[1]);
         ending();
         ::_exit(0);
      }
      ::close(ends[1]);
      std::string told;
      char bytes[512];
      for (ssize_t size = 0; (size = ::read(ends[0], bytes, sizeof bytes)) > 0;)
         told.append(bytes, static_cast<std::size_t>(size));
      ::close(ends[0]);
      std::istringstream lines(told);
      std::getline(lines, started.folder);
      for (pid_t p = 0; lines >> p;) started.processes.push_back(p);
   }
   ~program() {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
   }

   pid_t pid = -1;
   left_behind started = {};
};

void sleep_for_ever() {
   for (;;) ::pause();
}

// ---- nothing is left behind ----------------------------------------------------------------------------------------

TEST(LabLeavesNothingBehind, WhenTheDeploymentGoesOutOfScope) {
   left_behind started;
   {
      deployment d({.replicas = 1, .sentinels = 1});
      d.node(0).stop();
      started = {processes_of(d), d.folder().string()};
      EXPECT_FALSE(started.gone());
   }
   EXPECT_TRUE(started.gone());
}

class LabLeavesNothingBehindOnSignal : public testing::TestWithParam<int> {};

TEST_P(LabLeavesNothingBehindOnSignal, AlsoOfStoppedServers) {
   program p(sleep_for_ever);
   ASSERT_EQ(p.started.processes.size(), 4U);
   EXPECT_FALSE(p.started.gone());
   ::kill(p.pid, GetParam());
   EXPECT_TRUE(became_true([&] { return p.started.gone(); }, 5s));
}

INSTANTIATE_TEST_SUITE_P(EachWayToBeEnded, LabLeavesNothingBehindOnSignal,
                         testing::Values(SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGKILL),
                         [](const auto& ending) { return std::string(::sigabbrev_np(ending.param)); });

TEST(LabLeavesNothingBehind, WhenAnExceptionIsCaughtByNobody) {
   program p([] { std::thread([] { throw std::runtime_error("caught by nobody"); }).join(); });
   ASSERT_EQ(p.started.processes.size(), 4U);
   EXPECT_TRUE(became_true([&] { return p.started.gone(); }, 5s));
}

TEST(LabLeavesNothingBehind, WhenTheProgramExitsWithoutDestroyingTheDeployment) {
   program p([] { std::exit(3); });
   ASSERT_EQ(p.started.processes.size(), 4U);
   EXPECT_TRUE(became_true([&] { return p.started.gone(); }, 5s));
}

TEST(LabLeavesNothingBehind, NoServerEvenWhenTheSupervisorItselfIsKilled) {
   program p(sleep_for_ever);
   ASSERT_EQ(p.started.processes.size(), 4U);
   ::kill(p.started.processes.front(), SIGKILL);
   const auto no_process = [&] {
      for (const pid_t pid : p.started.processes)
         if (runs(pid)) return false;
      return true;
   };
   EXPECT_TRUE(became_true(no_process, 5s));
   std::filesystem::remove_all(p.started.folder);
}

TEST(LabLeavesNothingBehind, WhenTwoDeploymentsEndInTheOrderTheyStarted) {
   auto first = std::make_unique<deployment>(deployment_options{.replicas = 0, .sentinels = 0});
   auto second = std::make_unique<deployment>(deployment_options{.replicas = 0, .sentinels = 0});
   const left_behind of_first = {processes_of(*first), first->folder().string()};
   first.reset();
   EXPECT_TRUE(of_first.gone());
   EXPECT_TRUE(second->node(0).connect().pongs());
}

// The pid that a program of the lab's writes into its log.
pid_t pid_told_in(const std::filesystem::path& log) {
   pid_t pid = 0;
   await("the pid is told", [&] { return static_cast<bool>(std::ifstream(log) >> pid); }, 10s);
   return pid;
}

TEST(LabLeavesNothingBehind, AlsoNoChildThatDoesNotListenOnceItsParentIsReaped) {
   deployment d({.replicas = 0, .sentinels = 0});
   const auto log = d.folder() / "program";
   const std::string deaf_child = "sh -c 'trap \"\" TERM; echo $$; exec sleep 300' & exec sleep 300";
   const pid_t pid = d.processes().start({"/bin/sh", "-c", deaf_child}, log);
   const pid_t child = pid_told_in(log);
   ::kill(-pid, SIGTERM);
   std::optional<int> status;
   ASSERT_TRUE(became_true([&] { return (status = d.processes().reaped(pid)).has_value(); }, 10s));
   EXPECT_TRUE(WIFSIGNALED(*status) && WTERMSIG(*status) == SIGTERM) << *status;
   EXPECT_FALSE(runs(child));
   EXPECT_TRUE(d.node(0).connect().pongs());
}

TEST(LabLeavesNothingBehind, AlsoNoOrphanThatLeftForASessionOfItsOwn) {
   left_behind started;
   {
      deployment d({.replicas = 0, .sentinels = 0});
      const auto log = d.folder() / "program";
      const std::string orphan = "setsid sh -c 'trap \"\" TERM; echo $$; sleep 300; true' & exit 0";
      const pid_t pid = d.processes().start({"/bin/sh", "-c", orphan}, log);
      started = {processes_of(d), d.folder().string()};
      started.processes.push_back(pid_told_in(log));
      ASSERT_TRUE(became_true([&] { return d.processes().reaped(pid).has_value(); }, 10s));
      EXPECT_TRUE(runs(started.processes.back())) << "it has left the group";
   }
   EXPECT_TRUE(started.gone());
}

// ---- the deployment -------------------------------------------------------------------------------------------------

TEST(LabDeployment, IsUpWhenEveryoneKnowsEveryone) {
   deployment d;
   EXPECT_EQ(d.missing(), "");
   for (std::size_t i = 0; i < d.sentinels(); ++i) {
      EXPECT_EQ(d.named_master(i), d.node(0).address());
      EXPECT_FALSE(d.sentinel(i).connect().ask({"SENTINEL", "CKQUORUM", "mymaster"}).is_error());
   }
   EXPECT_EQ(d.uri().rfind("redis+sentinel://127.0.0.1:", 0), 0U);
}

TEST(LabDeployment, TakesLoginsForNodesAndSentinels) {
   deployment d({.replicas = 1,
                 .sentinels = 2,
                 .node_login = {.password = "n0de"},
                 .sentinel_login = {.username = "watcher", .password = "w4tch"}});
   EXPECT_TRUE(control(d.node(0).address()).ask({"GET", "a"}).is_error());
   EXPECT_TRUE(control(d.sentinel(0).address()).ask({"SENTINEL", "MASTERS"}).is_error());
   EXPECT_NE(d.uri().find(":n0de@"), std::string::npos);
   EXPECT_NE(d.uri().find("sentinel_username=watcher"), std::string::npos);
}

TEST(LabDeployment, TakesAnAclUserForTheNodes) {
   deployment d({.replicas = 1, .sentinels = 1, .node_login = {.username = "app", .password = "s3cret"}});
   EXPECT_TRUE(control(d.node(1).address()).ask({"PING"}).is_error());
   EXPECT_NE(d.uri().find("app:s3cret@"), std::string::npos);
}

TEST(LabDeployment, KeepsWhatADurableServerAcknowledgedOverItsDeath) {
   deployment d({.replicas = 0, .sentinels = 0, .durable = true});
   server& node = d.node(0);
   const auto port = node.own_address();
   node.connect().run({"SET", "kept", "1"});
   node.kill();
   EXPECT_FALSE(node.running());
   EXPECT_THROW(node.connect(), control_error);
   node.start();
   node.await_pong();
   EXPECT_EQ(node.own_address(), port);
   EXPECT_EQ(node.connect().run({"GET", "kept"}).text, "1");
}

TEST(LabDeployment, SaysWhatTheServersLoggedIfItDoesNotComeUp) {
   try {
      deployment d({.replicas = 0, .sentinels = 0, .node_config = {"no-such-setting 1"}});
      FAIL() << "came up with a configuration that is wrong";
   } catch (const std::exception& e) {
      EXPECT_NE(std::string(e.what()).find("no-such-setting"), std::string::npos) << e.what();
   }
}

// ---- the proxy ------------------------------------------------------------------------------------------------------

TEST(LabProxy, IsTheMastersAddressAlsoAfterAFailover) {
   deployment d({.replicas = 1, .sentinels = 1, .proxy = true});
   const endpoint first = d.proxy()->address();
   EXPECT_EQ(d.named_master(), first);
   d.sentinel(0).connect().run({"SENTINEL", "FAILOVER", "mymaster"});
   await("the failover is over", [&] { return d.named_master() == d.node(1).address(); }, 10s);
   // Sentinel would turn the old master round some ten seconds later; what counts is the address it then comes with.
   const endpoint second = d.node(1).own_address();
   d.node(0).connect().run({"REPLICAOF", second.host, std::to_string(second.port)});
   control master = d.node(1).connect();
   const std::string announced = "ip=127.0.0.1,port=" + std::to_string(first.port) + ",state=online";
   await(
      "it replicates, under the address it had as a master",
      [&] { return master.info("replication", "slave0").find(announced) == 0; }, 5s);
   const auto known_so = [&] {
      const auto replicas = d.sentinel(0).connect().run({"SENTINEL", "REPLICAS", "mymaster"});
      return replicas.elements.size() == 1 && replicas.elements[0].field("port") == std::to_string(first.port);
   };
   await("the Sentinel knows it as a replica under that address", known_so, 10s);
}

TEST(LabProxy, LosesTheReplyToTheMarkedRequestAfterItRan) {
   deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
   control client(d.proxy()->address());
   control other(d.proxy()->address());
   d.proxy()->lose_reply_to("\r\nINCR\r\n");
   client.run({"SET", "a", "1"});
   EXPECT_FALSE(d.proxy()->done());
   EXPECT_THROW(client.run({"INCR", "n"}), control_error);
   EXPECT_TRUE(d.proxy()->done());
   EXPECT_EQ(other.run({"GET", "n"}).text, "1");
   EXPECT_EQ(other.run({"INCR", "n"}).integer, 2) << "only one reply was to be lost";
}

TEST(LabProxy, DoesNotLoseTheReplyToWhatFollowsAMarkedRequestOfOld) {
   deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
   control client(d.proxy()->address());
   client.run({"INCR", "n"});
   d.proxy()->lose_reply_to("\r\nINCR\r\n");
   EXPECT_EQ(client.run({"SET", "a", "1"}).text, "OK");
   EXPECT_FALSE(d.proxy()->done());
}

TEST(LabProxy, PassesTheServersEndOn) {
   deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
   control client(d.proxy()->address());
   client.run({"PING"});
   d.node(0).kill();
   EXPECT_THROW(client.run({"PING"}), control_error);
   EXPECT_THROW(control(d.proxy()->address(), {}, 500ms).run({"PING"}), control_error);
}

TEST(LabProxy, PassesMoreThanItMayBuffer) {
   deployment d({.replicas = 0, .sentinels = 0, .proxy = true});
   control client(d.proxy()->address(), {}, 10s);
   const std::string large(8'000'000, 'x');
   client.run({"SET", "large", large});
   EXPECT_EQ(client.run({"GET", "large"}).text, large);
}

}  // namespace
}  // namespace holdfast::lab

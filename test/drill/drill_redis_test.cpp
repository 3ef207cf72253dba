#include "drill/figures.hpp"
#include "drill/network.hpp"
#include "drill/run.hpp"
#include "lab/faults/all.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

namespace holdfast::drill {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// `holdfast` run as a program, with a temporary folder of its own: whatever it leaves behind is found in there, and the
// processes that work in there are its.
class program {
 public:
   explicit program(const std::vector<std::string>& arguments) {
      std::string pattern = (fs::temp_directory_path() / "drill-test-XXXXXX").string();
      folder_ = ::mkdtemp(pattern.data());
      fs::create_directory(folder_ / "tmp");
      std::vector<std::string> words = {HOLDFAST_BINARY, "drill"};
      words.insert(words.end(), arguments.begin(), arguments.end());
      std::vector<char*> argv;
      for (std::string& word : words) argv.push_back(word.data());
      argv.push_back(nullptr);
      pid_ = ::fork();
      if (pid_ != 0) return;
      ::setenv("TMPDIR", (folder_ / "tmp").c_str(), 1);
      [[maybe_unused]] auto* out = ::freopen((folder_ / "out").c_str(), "w", stdout);
      [[maybe_unused]] auto* err = ::freopen((folder_ / "err").c_str(), "w", stderr);
      ::execv(argv[0], argv.data());
      ::_exit(126);
   }
   ~program() {
      if (!ended_) ::kill(pid_, SIGKILL);
      exit_status();
      fs::remove_all(folder_);
   }
   program(const program&) = delete;
   program& operator=(const program&) = delete;

   void signal(int number) const { ::kill(pid_, number); }

   // As a shell tells it.
   int exit_status() {
      if (!ended_) ::waitpid(pid_, &status_, 0);
      ended_ = true;
      return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
   }
   std::string out() const { return text_of("out"); }
   std::string err() const { return text_of("err"); }

   // The state, as the kernel names it, of each server of it: redis-server works in the folder that holds its data.
   std::string servers() const {
      std::string states;
      for (const auto& process : fs::directory_iterator("/proc")) {
         std::error_code unreadable;
         const fs::path where = fs::read_symlink(process.path() / "cwd", unreadable);
         if (unreadable || where.string().rfind((folder_ / "tmp").string(), 0) != 0) continue;
         std::ifstream stat(process.path() / "stat");
         std::string text;
         std::getline(stat, text);
         const auto end_of_name = text.rfind(')');
         states += end_of_name != std::string::npos ? text.at(end_of_name + 2) : '?';
      }
      return states;
   }
   bool left_nothing() const { return servers().empty() && fs::is_empty(folder_ / "tmp"); }

 private:
   std::string text_of(const char* file) const {
      std::ifstream in(folder_ / file);
      std::ostringstream text;
      text << in.rdbuf();
      return text.str();
   }

   fs::path folder_;
   pid_t pid_ = -1;
   bool ended_ = false;
   int status_ = 0;
};

class DrillThatIsEnded : public testing::TestWithParam<int> {};

TEST_P(DrillThatIsEnded, LeavesNoProcessAndNoFileBehind) {
   program drill({"--fault", "stop", "--seconds", "60"});
   // The fault comes when the workload is under way.
   std::string states;
   const auto one_is_stopped = [&] { return (states = drill.servers()).find('T') != std::string::npos; };
   ASSERT_TRUE(lab::became_true(one_is_stopped, 40s)) << "servers: " << states << '\n' << drill.err();
   drill.signal(GetParam());
   const int status = drill.exit_status();
   EXPECT_EQ(status, GetParam() == SIGKILL ? 128 + SIGKILL : 1);
   EXPECT_TRUE(lab::became_true([&] { return drill.left_nothing(); }, 5s));
   if (GetParam() != SIGKILL) {
      EXPECT_NE(drill.err().find("interrupted"), std::string::npos) << drill.err();
   }
}

INSTANTIATE_TEST_SUITE_P(ByEachWay, DrillThatIsEnded, testing::Values(SIGINT, SIGTERM, SIGKILL),
                         [](const auto& ending) { return std::string(::sigabbrev_np(ending.param)); });

TEST(Drill, LeavesNothingBehindWhenItIsDoneAndGivesItsResultsAsJsonAlone) {
   program drill({"--fault", "restart", "--seconds", "1", "--json", "-"});
   EXPECT_EQ(drill.exit_status(), 0) << drill.err();
   EXPECT_TRUE(drill.left_nothing());
   const auto json = nlohmann::json::parse(drill.out());
   EXPECT_EQ(json.at("runs").size(), 1U);
   const auto& run = json.at("runs").at(0);
   EXPECT_EQ(run.at("fault"), "restart");
   EXPECT_TRUE(run.at("promoted_ms").is_null());
   EXPECT_GE(run.at("first_ok_ms").get<double>(), 500);
   EXPECT_EQ(run.at("by_command").at("SET").at("errors"), 0);
   EXPECT_EQ(run.at("lost"), 0);
}

TEST(Drill, WritesPlainTextWhereNobodyCanSeeColour) {
   program drill({"--fault", "restart", "--seconds", "1", "--runs", "2"});
   EXPECT_EQ(drill.exit_status(), 0) << drill.err();
   EXPECT_NE(drill.out().find("restart run 2"), std::string::npos);
   EXPECT_EQ((drill.out() + drill.err()).find('\x1b'), std::string::npos);
}

TEST(Drill, TellsAMisuseInOneLineAndByItsStatus) {
   const std::vector<std::vector<std::string>> misuses = {{"--fault", "nonsense"},
                                                          {"--runs", "none"},
                                                          {"--delivery", "twice"},
                                                          {"--client", "nonsense"},
                                                          {"--acks", "-1"},
                                                          {"--cutover", "late"},
                                                          {"--sentinel-trouble", "loud"},
                                                          {"--fault", "noquorum", "--sentinel-trouble", "deaf"},
                                                          {"--fault", "restart", "--sentinel-trouble", "deaf"},
                                                          {"--fault", "two", "--sentinel-trouble", "deaf"},
                                                          {"--fault", "kill", "--network", "loss=1"},
                                                          {"--fault", "kill", "--network", "cut=far"},
                                                          {"--fault", "kill", "--network", "cut=5@both"},
                                                          {"--fault", "kill", "--network", "delay=5"},
                                                          {"--fault", "kill", "--network", ""},
                                                          {"--fault", "kill", "--replicas", "0"},
                                                          {"--fault", "restart", "--delivery", "exactly-once"},
                                                          {"--fault", "restart", "--acks", "1"}};
   for (const auto& arguments : misuses) {
      program drill(arguments);
      EXPECT_EQ(drill.exit_status(), 2) << arguments[0];
      EXPECT_NE(drill.err(), "") << arguments[0];
      EXPECT_EQ(drill.out(), "") << arguments[0];
      EXPECT_TRUE(drill.left_nothing()) << arguments[0];
   }
}

TEST(Drill, RunsAProgramOfTheUsersUnderTheFaultsAndTellsHowItEnded) {
   program drill({"--fault", "restart", "--seconds", "1", "--json", "-", "--exec",
                  "while :; do redis-cli -u {uri} -r 20 -i 0.02 INCR a; done"});
   EXPECT_EQ(drill.exit_status(), 0) << drill.err() << drill.out();
   const auto run = nlohmann::json::parse(drill.out()).at("runs").at(0);
   EXPECT_EQ(run.at("trouble"), "");
   EXPECT_TRUE(run.at("exit_status").is_null()) << "it ran until the drill ended it";
   EXPECT_TRUE(drill.left_nothing());

   program failing({"--fault", "restart", "--exec", "exit 7"});
   EXPECT_EQ(failing.exit_status(), 1);
   EXPECT_NE(failing.out().find("exited with 7"), std::string::npos) << failing.out();
}

TEST(drill_network, words_become_faults_of_a_direction) {
   using kind = lab::network_fault::kind;
   using lab::direction;
   std::vector<lab::network_fault> read;
   EXPECT_EQ(read_network("delay=20ms,rate=100@requests,cut=9,stall=0@requests", read), "");
   const std::vector<lab::network_fault> expected = {{kind::delay, direction::to_server, 0, 20ms},
                                                     {kind::delay, direction::to_client, 0, 20ms},
                                                     {kind::dribble, direction::to_server, 0, 0ms, 100},
                                                     {kind::reset, direction::to_client, 9},
                                                     {kind::stall, direction::to_server, 0}};
   EXPECT_EQ(read, expected);
}

TEST(drill_network, client_meets_it_through_a_failover_and_servers_do_not) {
   const auto fault = lab::fault_named("kill");
   settings s;
   EXPECT_EQ(read_network("delay=2ms,cut=2000@requests", s.network), "");
   const record r = perform_run(*fault, 1, s, {}, [](const progress&) {});
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
   for (const operation& o : r.operations) EXPECT_TRUE(!o.acked || o.end - o.start >= 4ms);
   const auto lost = std::count_if(r.events.begin(), r.events.end(), [](const told& t) {
      const auto* e = std::get_if<event::connection_lost>(&t.what);
      return e != nullptr && e->why.find("reset") != std::string::npos;
   });
   EXPECT_GE(lost, 2) << "connections to a master were cut";
   ASSERT_TRUE(r.promoted_at && r.named_at) << "the Sentinels were not disturbed";
   EXPECT_EQ(r.promotions.size(), 1U);
}

TEST(drill_network, program_of_the_users_meets_it) {
   program drill({"--fault", "restart", "--seconds", "1", "--network", "cut=30", "--json", "-", "--exec",
                  "while :; do redis-cli -u {uri} -r 20 -i 0.02 INCR a; done"});
   EXPECT_EQ(drill.exit_status(), 0) << drill.err() << drill.out();
   const auto run = nlohmann::json::parse(drill.out()).at("runs").at(0);
   EXPECT_NE(run.at("output_end").get<std::string>().find("Error: "), std::string::npos) << drill.out();
}

TEST(Drill, ShowsThatTheClientDoesNotGrowOverTwoHundredLostConnections) {
   const lab::fault storm = lab::faults::connection_kill(200);
   const record r = perform_run(storm, 1, {}, {}, [](const progress&) {});
   const figures f = judge(r);
   EXPECT_EQ(f.broken, std::vector<std::string>());
   EXPECT_GE(r.before.connections, 1U);
   EXPECT_LE(r.after.connections, r.before.connections);
   constexpr std::size_t asking_each_sentinel = 3;  // which may be just when it is measured
   EXPECT_GE(r.before.sockets, 1U);
   EXPECT_LE(r.after.sockets, r.before.sockets + asking_each_sentinel);
#ifndef __SANITIZE_ADDRESS__  // which keeps what is freed
   constexpr std::size_t log_of_the_run_kib = 4096;
   EXPECT_LE(r.after.resident_kib, r.before.resident_kib + log_of_the_run_kib);
#endif
}

TEST(Drill, NeverSeesTheBreakerOpenInAFailoverThatIsRiddenOut) {
   program drill({"--fault", "kill,connkill", "--breaker", "--seconds", "1", "--json", "-"});
   EXPECT_EQ(drill.exit_status(), 0) << drill.err() << drill.out();
   const auto json = nlohmann::json::parse(drill.out());
   for (const auto& run : json.at("runs")) {
      EXPECT_EQ(run.at("breaker").at("on"), true);
      EXPECT_EQ(run.at("breaker").at("opened"), 0) << run.at("breaker").dump();
   }
}

TEST(Drill, IsATestForEachFault) {
   std::vector<std::string> names;
   for (const auto& f : lab::every_fault()) names.push_back(f.name);
   std::vector<std::string> tests;
   std::istringstream list(HOLDFAST_DRILLS);
   for (std::string name; std::getline(list, name, ',');) tests.push_back(name);
   std::sort(names.begin(), names.end());
   std::sort(tests.begin(), tests.end());
   EXPECT_EQ(tests, names) << "test/drill/CMakeLists.txt reads the names in lab/faults/*.cpp";
}

TEST(Drill, SkipsAFaultThatCannotBeDoneHere) {
   const lab::fault impossible{.name = "impossible", .description = "does nothing", .unavailable = "needs root"};
   const record r = perform_run(impossible, 1, {}, {}, [](const progress&) {});
   EXPECT_EQ(r.skipped, "needs root");
   EXPECT_TRUE(r.operations.empty());
   EXPECT_EQ(judge(r).broken, std::vector<std::string>());
}

TEST(Drill, SkipsATakeoverUnlessTheClientTakesANodesOwnWord) {
   const auto f = lab::fault_named("takeover");
   const record r = perform_run(*f, 1, {}, {}, [](const progress&) {});
   EXPECT_NE(r.skipped.find("--follow-role-hint"), std::string::npos) << r.skipped;
   EXPECT_TRUE(r.operations.empty());
}

TEST(Drill, SaysSoWhenAFaultWasToPromoteNobodyAndSomebodyWasPromoted) {
   lab::fault unasked{.name = "unasked", .description = "fails over, and says that it does not"};
   unasked.inject = [](lab::deployment& d, const std::stop_token&) {
      const auto at = lab::clock::now();
      const endpoint old = d.named_master();
      d.sentinel(0).connect().run({"SENTINEL", "FAILOVER", d.options().master_name});
      lab::await("another master is named", [&] { return d.named_master() != old; }, 15s);
      return at;
   };
   const figures found = judge(perform_run(unasked, 1, {.seconds = 1}, {}, [](const progress&) {}));
   const auto told = [](const std::string& line) { return line.find("was promoted, though") != std::string::npos; };
   EXPECT_TRUE(std::any_of(found.broken.begin(), found.broken.end(), told));
}

// A client that would be drawn to a rogue, played by the fault.
TEST(Drill, SaysSoWhenWritesReachANodeThatNoSentinelHasNamed) {
   lab::fault drawn{.name = "drawn",
                    .description = "writes to a replica what the workload is yet to write",
                    .forbidden_node = 1,
                    .costs = lab::toll::nothing};
   drawn.inject = [](lab::deployment& d, const std::stop_token&) {
      const auto at = lab::clock::now();
      lab::control replica = d.node(1).connect();
      replica.run({"CONFIG", "SET", "replica-read-only", "no"});
      std::vector<std::vector<std::string>> writes;
      for (unsigned n = 1; n <= 5000; ++n) writes.push_back({"SET", "drill:" + std::to_string(n), std::to_string(n)});
      replica.run_all(writes);
      return at;
   };
   const figures found = judge(perform_run(drawn, 1, {.seconds = 1}, {}, [](const progress&) {}));
   EXPECT_GT(found.old_master_writes.value_or(0), 0U);
   EXPECT_LT(found.old_master_writes.value_or(0), 5000U) << "those begun before the fault are none";
   const auto told = [](const std::string& line) { return line.find("no Sentinel has named it") != std::string::npos; };
   EXPECT_TRUE(std::any_of(found.broken.begin(), found.broken.end(), told));
}

class DrillThatIsInterrupted : public testing::TestWithParam<const char*> {};

TEST_P(DrillThatIsInterrupted, EndsWithinASecond) {
   const auto f = lab::fault_named(GetParam());
   std::stop_source stop;
   std::atomic<bool> begun = false;
   std::optional<lab::clock::time_point> asked;
   std::jthread user([&](const std::stop_token& over) {
      lab::became_true([&] { return begun || over.stop_requested(); }, 30s);
      lab::became_true([] { return false; }, 300ms);  // in the middle of it
      asked = lab::clock::now();
      stop.request_stop();
   });
   const record r =
      perform_run(*f, 1, {}, stop.get_token(), [&](const progress& p) { begun = begun || p.phase == "breaking it"; });
   const auto ended = lab::clock::now();
   user.request_stop();
   user.join();
   EXPECT_TRUE(r.cut_short);
   EXPECT_LT(ended - *asked, 1500ms) << "and a little for a machine that is busy";
}

INSTANTIATE_TEST_SUITE_P(InEachWait, DrillThatIsInterrupted,
                         testing::Values("stop", "noquorum", "loading", "pause", "rogue"),
                         [](const auto& fault) { return std::string(fault.param); });

TEST(Drill, ExplainsEachFaultWithinTheWidthOfATerminal) {
   program drill({"--fault", "help"});
   EXPECT_EQ(drill.exit_status(), 0);
   program help({"--help"});
   EXPECT_EQ(help.exit_status(), 0);
   std::istringstream help_lines(help.out());
   for (std::string line; std::getline(help_lines, line);) EXPECT_LE(line.size(), 80U) << line;
   std::istringstream lines(drill.out());
   std::vector<std::string> names;
   for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), 80U) << line;
      if (line[0] != ' ') names.push_back(line);
   }
   ASSERT_EQ(names.size(), lab::every_fault().size());
   for (const auto& f : lab::every_fault()) {
      EXPECT_NE(std::find(names.begin(), names.end(), f.name), names.end()) << f.name;
      EXPECT_NE(help.out().find(f.name), std::string::npos) << f.name;
   }
}

}  // namespace
}  // namespace holdfast::drill

// A short soak finds nothing, and its checker can fail: on journals made by hand, and on violations planted in a real
// run.
#include "soak/judge.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>

namespace holdfast::soak {
namespace {

told acked(std::uint64_t number, std::int64_t end = 100) { return {number, end - 10, end, true}; }
told failed(std::uint64_t number, outcome o, bool fenced = true) { return {number, 90, 100, false, o, fenced}; }

// "" or the only violation.
std::string found(const journal& j, const std::vector<failover>& failovers = {}) {
   const verdict v = judge(j, failovers);
   EXPECT_LE(v.violations.size(), 1U);
   return v.violations.empty() ? "" : v.violations.front();
}
bool finds(const std::string& what, const journal& j, const std::vector<failover>& failovers = {}) {
   return found(j, failovers).find(what) != std::string::npos;
}

TEST(soak_judge, writes_that_ran_once_in_order_are_right) {
   EXPECT_EQ(found({"c", {acked(1), acked(2)}, {{1, 95}, {2, 96}}, {1, 2}}), "");
   EXPECT_EQ(found({"c", {acked(1)}, {}, {1}}), "") << "not every run is heard";
}

TEST(soak_judge, acknowledged_write_may_be_lost_in_a_failover_only) {
   const journal j = {"c", {acked(1), acked(2)}, {{1, 95}, {2, 96}}, {1}};
   EXPECT_TRUE(finds("write 2 was acknowledged outside", j));
   EXPECT_TRUE(finds("write 2 was acknowledged outside", j, {{101, 200}}));
   EXPECT_EQ(found(j, {{50, 150}}), "");
   EXPECT_EQ(judge(j, {{1, 2}, {50, 150}}).lost, (std::vector<std::uint64_t>{0, 1}));
}

TEST(soak_judge, write_that_ran_twice_is_told) {
   EXPECT_TRUE(finds("ran twice", {"c", {acked(1)}, {{1, 95}, {1, 97}}, {1}}));
   EXPECT_TRUE(finds("ran twice", {"c", {acked(1)}, {}, {1, 1}}));
   EXPECT_TRUE(finds("ran twice", {"c", {failed(1, outcome::unknown)}, {{1, 95}, {1, 97}}, {}})) << "on two masters";
}

TEST(soak_judge, write_that_was_not_executed_is_nowhere) {
   EXPECT_EQ(found({"c", {failed(1, outcome::not_executed)}, {}, {}}), "");
   EXPECT_TRUE(finds("not executed, and ran", {"c", {failed(1, outcome::not_executed)}, {}, {1}}));
   EXPECT_TRUE(finds("not executed, and ran", {"c", {failed(1, outcome::not_executed)}, {{1, 99}}, {}}));
}

TEST(soak_judge, unknown_write_stays_as_it_is_once_fenced) {
   const std::vector<ran> late = {{1, 101}};
   EXPECT_EQ(found({"c", {failed(1, outcome::unknown)}, {{1, 99}}, {1}}), "");
   EXPECT_TRUE(finds("ran 1 us later", {"c", {failed(1, outcome::unknown)}, late, {1}}));
   EXPECT_EQ(found({"c", {failed(1, outcome::unknown, false)}, late, {1}}), "");
   EXPECT_EQ(found({"c", {failed(1, outcome::unknown)}, late, {}}, {{95, 96}}), "") << "at the old master";
}

TEST(soak_judge, list_is_in_its_clients_order) {
   EXPECT_TRUE(finds("behind a younger one", {"c", {acked(1), acked(2)}, {}, {2, 1}}));
   EXPECT_TRUE(finds("behind a younger one", {"c", {failed(1, outcome::unknown), acked(2)}, {}, {2, 1}}));
   EXPECT_EQ(found({"c", {failed(1, outcome::unknown, false), acked(2)}, {}, {2, 1}}), "");
   EXPECT_TRUE(finds("never gave", {"c", {acked(1)}, {}, {1, 7}}));
}

// ---- the program ---------------------------------------------------------------------------------------------------

struct ended {
   int status = 0;
   std::string out = {};
};

ended run_soak(const std::string& arguments) {
   ended e;
   FILE* const pipe = ::popen((HOLDFAST_SOAK " " + arguments).c_str(), "r");
   for (int c = 0; (c = std::fgetc(pipe)) != EOF;) e.out += static_cast<char>(c);
   e.status = WEXITSTATUS(::pclose(pipe));
   return e;
}

TEST(soak, short_one_with_a_failover_finds_nothing) {
   const ended e = run_soak("--seconds 8 --seed 3 --json");
   EXPECT_EQ(e.status, 0) << e.out;
   EXPECT_NE(e.out.find("\"violations\": 0"), std::string::npos) << e.out;
   EXPECT_EQ(e.out.find("\"failovers\": {}"), std::string::npos) << e.out;
   EXPECT_EQ(e.out.find("\"network_faults\": 0"), std::string::npos) << e.out;
}

TEST(soak, planted_violation_is_found) {
   const std::pair<const char*, const char*> plants[] = {{"lost", "is lost"},
                                                         {"twice", "ran twice"},
                                                         {"lie", "was reported as not executed, and ran"},
                                                         {"answer", "which its order could not have given"}};
   for (const auto& [plant, words] : plants) {
      const ended e = run_soak(std::string("--seconds 1 --plant ") + plant);
      EXPECT_EQ(e.status, 1) << e.out;
      EXPECT_NE(e.out.find(words), std::string::npos) << e.out;
   }
}

TEST(soak, misuse_is_told) {
   for (const char* arguments : {"--seconds", "--seconds none", "--seconds 0", "--plant nothing", "--fast 1"})
      EXPECT_EQ(run_soak(std::string(arguments) + " 2>&1").status, 2) << arguments;
}

}  // namespace
}  // namespace holdfast::soak

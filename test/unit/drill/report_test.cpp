#include "drill/counted.hpp"
#include "drill/report_html.hpp"
#include "drill/report_json.hpp"
#include "drill/report_text.hpp"
#include "drill/summary.hpp"
#include "drill/timeline.hpp"
#include "unit/drill/parts.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace holdfast::drill::report_test {
namespace {

judged one_run(const std::string& fault, double added_ms) {
   judged j;
   record& r = j.seen;
   r.fault = fault;
   r.promotes = true;
   r.may_lose = lab::loss::anything;
   r.deadline = milliseconds(9000);
   r.fault_at = r.in_force_at = fault_at;
   r.start = fault_at - milliseconds(500);
   r.end = fault_at + milliseconds(3000);
   r.promoted = {"127.0.0.1", 2};
   r.promoted_at = fault_at + milliseconds(1400);
   r.named_at = fault_at + milliseconds(2200);
   const auto back = *r.promoted_at + std::chrono::microseconds(static_cast<long>(added_ms * 1000));
   r.events = {{fault_at + milliseconds(1), event::connection_lost{.where = {"127.0.0.1", 1}, .unanswered = 1}},
               {fault_at + milliseconds(1100), event::sentinel_said{.channel = "+odown"}},
               {back, event::connected{.master = r.promoted}}};
   for (int ms = -500; ms < 3000; ++ms) {
      if (ms >= 0 && fault_at + milliseconds(ms) < back) continue;
      operation o;
      o.kind = write_kind::incr;
      o.number = static_cast<std::uint64_t>(ms + 501);
      o.start = o.end = fault_at + milliseconds(ms);
      o.acked = true;
      r.operations.push_back(o);
   }
   operation unknown;
   unknown.kind = write_kind::incr;
   unknown.number = 4000;
   unknown.start = unknown.end = fault_at + milliseconds(1);
   unknown.why = "connection <lost>";
   r.operations.push_back(unknown);
   r.held.emplace().counter = static_cast<long long>(r.operations.size());
   j.found = judge(r);
   return j;
}

void expect_in(const std::string& text, std::initializer_list<std::string_view> parts) {
   for (const std::string_view part : parts)
      EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
}

TEST(DrillSummary, TakesMedianAndMaximumAndCountsWhatIsBelowZeroAsZero) {
   EXPECT_EQ(spread_of({}).count, 0U);
   const spread odd = spread_of({5, -3, 1});
   EXPECT_DOUBLE_EQ(odd.median, 1);
   EXPECT_DOUBLE_EQ(odd.max, 5);
   EXPECT_DOUBLE_EQ(spread_of({-3, -1}).median, 0);
   EXPECT_DOUBLE_EQ(spread_of({1, 2, 3, 10}).median, 2.5);
}

TEST(drill_report, eager_client_is_said_to_be_back_before_the_naming) {
   std::vector<judged> runs = {one_run("kill", 2), one_run("kill", 4)};
   for (judged& j : runs) {
      j.found.first_ok_ms = 1002;
      j.found.sentinel_named_ms = 1802;
      j.found.after_named_ms = -800;
   }
   expect_in(describe_run(runs[0], colours(false)), {"first write 800.0 ms before a Sentinel named the new master\n"});
   std::string text = describe_all(runs, colours(false));
   expect_in(text, {"kill: first write before a Sentinel named the new master, by 800 ms in the median\n"});
   EXPECT_EQ(text.find("median 0.0"), std::string::npos) << text;

   runs[1].found.first_ok_ms = 1812;
   runs[1].found.after_named_ms = 10;
   expect_in(describe_run(runs[1], colours(false)),
             {"first write 10.0 ms after a Sentinel named the new master (judged"});
   text = describe_all(runs, colours(false));
   expect_in(text, {"max 10.0 ms (judged: at most 250); before it in 1 of 2 runs\n"});
   const auto json = as_json(runs).at("summary").at("faults").at("kill");
   EXPECT_DOUBLE_EQ(json.at("after_sentinel_named_ms").at("max"), 10);
   EXPECT_DOUBLE_EQ(json.at("before_sentinel_named_ms").at("median"), 800);
}

TEST(drill_report, one_broken_promise_is_singular) {
   judged j = one_run("kill", 2);
   j.found.broken = {"a promise"};
   expect_in(describe_all({j}, colours(false)), {"1 promise broken: "});
   j.found.broken.push_back("another");
   expect_in(describe_all({j}, colours(false)), {"2 promises broken: "});
   EXPECT_EQ(counted(1, "reply"), "1 reply");
   EXPECT_EQ(counted(0, "reply"), "0 replies");
}

TEST(DrillSummary, LeavesLatePromotionsOutOfTheTimesButNotOutOfTheCounts) {
   std::vector<judged> runs = {one_run("kill", 2), one_run("kill", 4), one_run("stop", 6)};
   runs[1].found.late = true;
   const auto all = summarise(runs);
   ASSERT_EQ(all.size(), 2U);
   EXPECT_EQ(all[0].fault, "kill");
   EXPECT_EQ(all[0].runs, 2U);
   EXPECT_EQ(all[0].ordinary, 1U);
   EXPECT_EQ(all[0].late, 1U);
   EXPECT_DOUBLE_EQ(all[0].client_added_ms.max, 2);
   EXPECT_EQ(all[0].all.unknown, 2U);
   EXPECT_EQ(all[1].fault, "stop");
}

TEST(DrillSummary, CountsTheRunsThatLostNothingAndTheMostLostInOneOfTheOrdinaryOnes) {
   std::vector<judged> runs = {one_run("kill", 2), one_run("kill", 2), one_run("kill", 2), one_run("kill", 2)};
   for (judged& j : runs) j.found.all.lost = 0;
   runs[1].found.all.lost = 3;
   runs[2].found.all.lost = 2;
   runs[3].found.all.lost = 500;
   runs[3].found.second_failover = true;
   runs[2].found.lost_out_of_time = 1;
   fault_summary s = summarise(runs).at(0);
   EXPECT_EQ(s.runs_without_loss, 1U);
   EXPECT_EQ(s.most_lost, 3U);
   EXPECT_EQ(s.lost_out_of_time, 1U);
   EXPECT_EQ(s.old_master_writes, std::nullopt) << "nobody watched";
   runs[0].found.old_master_writes = 0;
   runs[1].found.old_master_writes = 2;
   s = summarise(runs).at(0);
   EXPECT_EQ(s.old_master_writes, 2U);
   const std::string text = describe_all(runs, colours(false));
   expect_in(text, {"kill: nothing lost in 1 of 3 runs, at most 3 in one",
                    "kill: 2 writes reached a node that should get none"});
   const auto json = as_json(runs).at("summary").at("faults").at("kill");
   EXPECT_EQ(json.at("runs_without_loss"), 1);
   EXPECT_EQ(json.at("most_lost"), 3);
   EXPECT_EQ(json.at("lost_late"), 1);
   EXPECT_EQ(json.at("old_master_writes"), 2);
}

TEST(DrillReports, SayWhichWritesAreLostAndWhatTheOldMasterWasGiven) {
   judged j = one_run("kill", 2);
   j.seen.trouble_of_sentinel = lab::trouble::deaf;
   j.seen.forbidden = {"127.0.0.1", 1};
   j.found.lost_before_fault_ms = {12, 3, -1.5};
   j.found.lost_out_of_time = 2;
   j.found.old_master_writes = 4;
   const std::string text = describe_run(j, colours(false));
   expect_in(text, {"kill (the first Sentinel is never heard) run 1",
                    "lost: acknowledged from -12.0 to +1.5 ms; 2 not in the last 10 ms",
                    "4 writes reached 127.0.0.1:1 that should not"});
   const std::string page = as_html({j});
   expect_in(page, {"the first Sentinel is never heard", "2 of the lost were not acknowledged in the last 10 ms",
                    "4 writes reached 127.0.0.1:1 that should not"});
   const auto run = as_json({j}).at("runs").at(0);
   EXPECT_EQ(run.at("lost_before_fault_ms"), (std::vector<double>{12, 3, -1.5}));
   EXPECT_EQ(run.at("lost_late"), 2);
   EXPECT_EQ(run.at("old_master_writes"), 4);
   EXPECT_EQ(run.at("sentinel_trouble"), "deaf");
   EXPECT_EQ(run.at("cutover"), "confirmed");
}

TEST(DrillTimeline, ShowsTheGapTheMarksInOrderAndEveryWriteInItsSlice) {
   const judged run = one_run("kill", 2);
   const timeline t = timeline_of(run, 80);
   EXPECT_LT(t.from_ms, 0);
   EXPECT_GT(t.to_ms, 2200);
   EXPECT_DOUBLE_EQ(t.gap_from_ms, -1);
   EXPECT_DOUBLE_EQ(t.gap_to_ms, 1402);
   std::vector<mark_kind> kinds;
   for (const mark& m : t.marks) kinds.push_back(m.kind);
   EXPECT_EQ(kinds, (std::vector{mark_kind::fault, mark_kind::down, mark_kind::promoted, mark_kind::client_back,
                                 mark_kind::named}));
   EXPECT_GT(t.acked.front(), 0U);
   EXPECT_EQ(t.acked[30], 0U);
   EXPECT_GT(t.acked.back(), 0U);
   EXPECT_EQ(std::accumulate(t.failed.begin(), t.failed.end(), 0U), 1U);
}

TEST(DrillTimeline, CanBeDrawnOfARunWithoutASingleWrite) {
   judged j = one_run("kill", 2);
   j.seen.operations.clear();
   j.found = judge(j.seen);
   EXPECT_NE(describe_run(j, colours(false)), "");
   EXPECT_NE(as_html({j}), "");
}

TEST(DrillJson, HasTheFieldsThatOthersReadEvenWhereThereIsNoPromotion) {
   judged j = one_run("kill", 2);
   j.seen.promotes = false;
   j.seen.promoted_at.reset();
   j.seen.named_at.reset();
   j.seen.before.sockets = 7;
   j.found = judge(j.seen);
   const auto json = as_json({j});
   const auto& run = json.at("runs").at(0);
   for (const char* field : {"fault", "promoted_ms", "sentinel_named_ms", "first_ok_ms", "client_added_ms",
                             "longest_gap_ms", "late", "second_failover", "acked", "errors", "not_executed", "unknown",
                             "executed", "lost", "duplicated", "by_command", "events"})
      EXPECT_TRUE(run.contains(field)) << field;
   for (const char* command : {"SET", "RPUSH", "INCR"}) EXPECT_EQ(run.at("by_command").at(command).size(), 7U);
   EXPECT_TRUE(run.at("promoted_ms").is_null());
   EXPECT_TRUE(run.at("client_added_ms").is_null());
   EXPECT_EQ(run.at("errors"), 1);
   EXPECT_EQ(run.at("events").at(0).at("at_ms"), 1.0);
   EXPECT_EQ(run.at("before").at("sockets"), 7);
   EXPECT_TRUE(json.at("summary").at("faults").contains("kill"));
}

TEST(DrillJson, GivesTheAddedOutageRaw) {
   EXPECT_DOUBLE_EQ(as_json({one_run("kill", -1)}).at("runs").at(0).at("client_added_ms"), -1);
}

TEST(DrillText, HasNoColourWhereItWasNotAskedFor) {
   const judged run = one_run("kill", 2);
   EXPECT_EQ((describe_run(run, colours(false)) + describe_all({run}, colours(false))).find('\x1b'), std::string::npos);
   EXPECT_NE(describe_run(run, colours(true)).find('\x1b'), std::string::npos);
}

TEST(DrillText, ExplainsEveryUnknownOutcome) {
   expect_in(describe_run(one_run("kill", 2), colours(false)), {"unknown INCR 4000"});
}

TEST(DrillHtml, IsOnePageWithADrawingAndTakesNothingFromElsewhere) {
   const std::string page = as_html({one_run("kill", 2)});
   expect_in(page, {"<svg"});
   for (const char* outside : {"src=", "href=", "<script", "url("}) EXPECT_EQ(page.find(outside), std::string::npos);
   EXPECT_NE(page.find("connection &lt;lost&gt;"), std::string::npos) << "what errors say is no markup";
}

judged skipped_run() {
   judged j;
   j.seen.fault = "blackhole";
   j.seen.skipped = "needs <root>";
   j.found = judge(j.seen);
   return j;
}

TEST(DrillSkipped, IsToldAndNeverCountedAsKept) {
   const std::vector<judged> both = {one_run("kill", 2), skipped_run()};
   EXPECT_EQ(describe_run(both[1], colours(false)), "\nblackhole skipped: needs <root>\n");
   const std::string all = describe_all(both, colours(false));
   expect_in(all, {"1 run was skipped", "blackhole          1  skipped"});
   EXPECT_EQ(describe_all({skipped_run()}, colours(false)).find("kept"), std::string::npos);
   const auto json = as_json(both);
   EXPECT_TRUE(json.at("runs").at(0).at("skipped").is_null());
   EXPECT_EQ(json.at("runs").at(1).at("skipped"), "needs <root>");
   EXPECT_EQ(json.at("summary").at("skipped"), 1);
   EXPECT_EQ(json.at("summary").at("faults").at("blackhole").at("skipped"), 1);
   EXPECT_EQ(json.at("summary").at("faults").at("blackhole").at("ordinary"), 0);
   expect_in(as_html(both), {"Skipped: needs &lt;root&gt;"});
}

TEST(DrillToldApart, IsNeverCountedAsKeptWhereNoRunOfTheFaultWentAsItWasMeant) {
   std::vector<judged> runs = {one_run("kill", 2), one_run("stop", 2)};
   for (judged& j : runs) j.found.broken.clear();
   expect_in(describe_all(runs, colours(false)), {"All promises kept"});
   runs[0].found.second_failover = true;
   EXPECT_TRUE(summarise(runs)[0].showed_nothing());
   EXPECT_FALSE(summarise(runs)[1].showed_nothing());
   EXPECT_EQ(describe_all(runs, colours(false)).find("All promises kept"), std::string::npos);
   runs.push_back(one_run("kill", 2));
   EXPECT_FALSE(summarise(runs)[0].showed_nothing()) << "one of two did";
   EXPECT_FALSE(summarise({skipped_run()})[0].showed_nothing()) << "that is told otherwise";
}

TEST(DrillPolicies, AreMarkedInTheTimelineAndListedAsJson) {
   judged j = one_run("kill", 2);
   j.seen.breaker = true;
   const auto quiet = describe_run(j, colours(false));
   expect_in(quiet, {"the circuit breaker was on, and stayed closed"});
   const auto after = [](int ms) { return fault_at + milliseconds(ms); };
   j.seen.events.push_back({after(300), event::breaker_changed{.state = "open"}});
   j.seen.events.push_back({after(400), event::budget_exhausted{.command = "INCR n", .why = "LOADING"}});
   j.seen.events.push_back({after(450), event::budget_exhausted{.command = "INCR n", .why = "LOADING"}});
   j.seen.events.push_back({after(500), event::breaker_changed{.state = "closed"}});
   j.found = judge(j.seen);
   std::vector<std::string> marks;
   for (const mark& m : timeline_of(j, 50).marks)
      if (m.kind == mark_kind::breaker || m.kind == mark_kind::budget) marks.push_back(m.text);
   EXPECT_EQ(marks, (std::vector<std::string>{"the circuit breaker is open", "the retry budget is spent",
                                              "the circuit breaker is closed"}));
   const std::string text = describe_run(j, colours(false));
   expect_in(text, {"B    300.0 ms   the circuit breaker is open"});
   expect_in(as_html({j}), {"the circuit breaker is open"});
   const auto run = as_json({j}).at("runs").at(0);
   EXPECT_EQ(run.at("breaker").at("on"), true);
   EXPECT_EQ(run.at("breaker").at("opened"), 1);
   EXPECT_EQ(run.at("breaker").at("changes").at(1).at("state"), "closed");
   EXPECT_EQ(run.at("breaker").at("changes").at(1).at("at_ms"), 500.0);
   EXPECT_EQ(run.at("budget_exhausted"), 2);
}

}  // namespace
}  // namespace holdfast::drill::report_test

#include "sim_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>

namespace holdfast::cli {
namespace {

double in_ms(duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// Connections asked of the new master, and questions to a Sentinel, in each second.
std::string seconds_of(const sim::fleet_figures& f) {
   const auto per_second = static_cast<std::size_t>(std::chrono::seconds(1) / f.step);
   const auto sum = [&](const std::vector<unsigned>& all, std::size_t second) {
      const auto first = std::min(all.size(), second * per_second);
      const auto last = std::min(all.size(), first + per_second);
      return std::accumulate(all.begin() + static_cast<std::ptrdiff_t>(first),
                             all.begin() + static_cast<std::ptrdiff_t>(last), 0U);
   };
   std::string text = "   second after the fault    connections asked of the new master    questions to a Sentinel\n";
   const auto steps = std::max(f.dials_of_the_master.size(), f.questions_to_a_sentinel.size());
   for (std::size_t i = 0; i * per_second < steps; ++i)
      text += fmt::format("   {:>22}    {:>35}    {:>23}\n", i + 1, sum(f.dials_of_the_master, i),
                          sum(f.questions_to_a_sentinel, i));
   return text;
}

nlohmann::ordered_json json_of(const sim::fleet_figures& f) {
   return {{"clients", f.clients},
           {"outage_ms", in_ms(f.outage)},
           {"half_back_ms", in_ms(f.half_back)},
           {"last_back_ms", in_ms(f.last_back)},
           {"most_dials_in_a_second_at_a_sentinel", f.sentinel_peak},
           {"most_dials_in_a_second_at_the_new_master", f.master_peak},
           {"most_questions_in_a_second_to_a_sentinel", f.question_peak},
           {"connections_at_a_sentinel", f.at_a_sentinel},
           {"step_ms", in_ms(f.step)},
           {"dials_of_the_new_master", f.dials_of_the_master},
           {"questions_to_a_sentinel", f.questions_to_a_sentinel}};
}

}  // namespace

std::string describe(const std::vector<sim::violation>& violations) {
   std::string text;
   for (const auto& v : violations) {
      const auto at = v.at - (time_point{} + std::chrono::hours(1));
      text += fmt::format("   {:>12.3f} ms  {}\n", std::chrono::duration<double, std::milli>(at).count(), v.what);
   }
   return text;
}

std::string as_json(const sim::sweep_result& r, std::uint64_t seed, const std::vector<sim::fault_kind>& faults,
                    sim::calling how, double seconds) {
   nlohmann::ordered_json j{{"seed", seed},
                            {"worlds", r.worlds},
                            {"failovers", r.failovers},
                            {"promotions", r.promotions},
                            {"failovers_per_second", static_cast<double>(r.failovers) / seconds},
                            {"seconds", seconds},
                            {"events", r.events},
                            {"stuck", r.stuck},
                            {"commands", r.calls.calls},
                            {"acknowledged", r.calls.acknowledged},
                            {"unknown", r.calls.unknown},
                            {"not_executed", r.calls.not_executed},
                            {"lost", r.calls.lost},
                            {"lost_though_another_was_selected", r.calls.lost_selected},
                            {"failed_worlds", r.failed.size()},
                            {"failed_seeds", r.failed},
                            {"first_failure", nullptr}};
   if (!r.first) return j.dump(2);
   auto violations = nlohmann::ordered_json::array();
   for (const auto& v : r.first->violations) violations.push_back(v.what);
   j["first_failure"] = {{"seed", r.first->seed},
                         {"violations", violations},
                         {"replay", sim::replay_command(r.first->seed, faults, {}, how)}};
   return j.dump(2);
}

std::string as_text(const sim::sweep_result& r, double seconds) {
   std::string text = fmt::format("{} worlds, {} failovers that count, {} promotions: {} violated a promise\n",
                                  r.worlds, r.failovers, r.promotions, r.failed.size());
   text += fmt::format(
      "{} commands: {} acknowledged, {} not executed, {} of unknown outcome; {} acknowledged writes "
      "lost by replication\n",
      r.calls.calls, r.calls.acknowledged, r.calls.not_executed, r.calls.unknown, r.calls.lost);
   if (r.stuck != 0) text += fmt::format("{} worlds whose servers themselves never recovered\n", r.stuck);
   text +=
      fmt::format("{:.1f} s: {:.0f} failovers per second, {:.1f} million events per second, {:.1f} simulated days\n",
                  seconds, static_cast<double>(r.failovers) / seconds, static_cast<double>(r.events) / seconds / 1e6,
                  std::chrono::duration<double>(r.virtual_time).count() / 86400);
   return text;
}

std::string as_json(const std::vector<fleet_run>& runs, duration spread) {
   auto worlds = nlohmann::ordered_json::array();
   for (const auto& [seed, v] : runs) {
      auto j = json_of(*v.fleet);
      j["seed"] = seed;
      j["spread_ms"] = in_ms(spread);
      j["violations"] = v.violations.size();
      worlds.push_back(std::move(j));
   }
   return worlds.dump(2);
}

std::string as_text(const fleet_run& run) {
   const sim::fleet_figures& f = *run.found.fleet;
   return fmt::format(
      "world {}: {} clients, {} commands; a new master after {:.0f} ms; from then on half of them "
      "were back after {:.0f} ms and the last after {:.0f} ms\n"
      "   at most {} connections asked of a Sentinel in one second, {} of the new master; {} questions to "
      "a Sentinel; in the end {} connections to it; {} violations\n{}{}",
      run.seed, f.clients, run.found.calls.calls, in_ms(f.outage), in_ms(f.half_back), in_ms(f.last_back),
      f.sentinel_peak, f.master_peak, f.question_peak, f.at_a_sentinel, run.found.violations.size(),
      describe(run.found.violations), seconds_of(f));
}

}  // namespace holdfast::cli

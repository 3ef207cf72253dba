// `holdfast sim`: many failovers in simulated worlds.
#include "config/parse.hpp"
#include "exit_status.hpp"
#include "help.hpp"
#include "interrupt.hpp"
#include "sim/seed_sweep.hpp"
#include "subcommands.hpp"
#include "terminal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <numeric>
#include <thread>

namespace holdfast::cli {
namespace {

struct sim_settings {
   std::uint64_t seed = 1;
   std::uint64_t runs = 1000;
   double minutes = 0;
   unsigned clients = 0;
   duration spread = {};
   std::vector<std::string> faults = {};
   std::vector<unsigned> without = {};
   bool trace = false;
   std::string json = {};
   bool runs_given = false;
};

std::vector<sim::fault_kind> kinds_of(const sim_settings& s) {
   std::vector<sim::fault_kind> kinds;
   for (const auto& name : s.faults) {
      sim::fault_kind k{};
      if (sim::fault_named(name, k)) kinds.push_back(k);
   }
   return kinds;
}

std::string describe(const std::vector<sim::violation>& violations) {
   std::string text;
   for (const auto& v : violations) {
      const auto at = v.at - (time_point{} + std::chrono::hours(1));
      text += fmt::format("   {:>12.3f} ms  {}\n", std::chrono::duration<double, std::milli>(at).count(), v.what);
   }
   return text;
}

// One world, watched.
exit_status trace_world(const sim_settings& s) {
   const auto kinds = kinds_of(s);
   const sim::scenario p = sim::draw_plan(s.seed, kinds, s.without);
   for (const auto& f : p.faults) print("planned: " + to_string(f) + "\n");
   bool good = true;
   const auto v =
      sim::run_world(s.seed, kinds, s.without, [&](const std::string& line) { good = good && print(line + "\n"); });
   good = good && print(describe(v.violations));
   good = good && print(fmt::format("world {}: {} violations; {} failovers that count, {} promotions; {} commands\n",
                                    s.seed, v.violations.size(), v.failovers, v.promotions, v.calls.calls));
   return good && v.violations.empty() ? exit_status::done : exit_status::failed;
}

nlohmann::ordered_json as_json(const sim::sweep_result& r, const sim_settings& s, double seconds) {
   nlohmann::ordered_json j{{"seed", s.seed},
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
   if (!r.first) return j;
   auto violations = nlohmann::ordered_json::array();
   for (const auto& v : r.first->violations) violations.push_back(v.what);
   j["first_failure"] = {{"seed", r.first->seed},
                         {"violations", violations},
                         {"replay", sim::replay_command(r.first->seed, kinds_of(s), {})}};
   return j;
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

bool save(const std::string& file, const std::string& text) {
   if (file == "-") return print(text + "\n");
   std::ofstream out(file);
   out << text << '\n';
   if (out.flush()) return true;
   complain("cannot write " + file);
   return false;
}

exit_status run_worlds(const sim_settings& s) {
   const interrupt signals;
   sim::sweep_settings c;
   c.seed = s.seed;
   c.runs = s.runs;
   c.faults = kinds_of(s);
   c.threads =
      static_cast<unsigned>(std::clamp<std::uint64_t>(s.runs, 1, std::max(1U, std::thread::hardware_concurrency())));
   if (s.minutes > 0)
      c.real_time = std::chrono::duration_cast<duration>(std::chrono::duration<double, std::ratio<60>>(s.minutes));
   const bool live = ::isatty(STDERR_FILENO) == 1;
   using real_clock = std::chrono::steady_clock;
   const auto began = real_clock::now();
   auto shown = began;
   const auto seconds = [&] { return std::chrono::duration<double>(real_clock::now() - began).count(); };
   auto r = sim::run_seed_sweep(c, [&](const sim::sweep_result& so_far) {
      if (live && real_clock::now() - shown > std::chrono::milliseconds(200)) {
         shown = real_clock::now();
         fmt::print(stderr, "\r{} worlds, {} failovers, {:.0f} per second ", so_far.worlds, so_far.failovers,
                    static_cast<double>(so_far.failovers) / seconds());
      }
      return signals.token().stop_requested() || so_far.failed.size() >= 10;
   });
   if (live) fmt::print(stderr, "\r\033[K");
   const double took = seconds();
   std::sort(r.failed.begin(), r.failed.end());
   bool good = true;
   if (s.json != "-") good = print(as_text(r, took));
   if (r.first && s.json != "-") {
      const auto without = sim::shrink(r.first->seed, c.faults);
      good = print(fmt::format("the first that failed is world {}:\n{}replay it:\n   {}\n", r.first->seed,
                               describe(r.first->violations), sim::replay_command(r.first->seed, c.faults, without))) &&
             good;
      if (r.failed.size() > 1) good = print(fmt::format("all that failed: {}\n", fmt::join(r.failed, ", "))) && good;
   }
   if (!s.json.empty()) good = save(s.json, as_json(r, s, took).dump(2)) && good;
   return good && r.failed.empty() ? exit_status::done : exit_status::failed;
}

double in_ms(duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

nlohmann::ordered_json as_json(const sim::fleet_figures& f) {
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

// What each second asks of the new master and of a Sentinel.
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

// Worlds of many clients that lose their master all at once.
exit_status run_fleets(const sim_settings& s) {
   const auto kinds = kinds_of(s);
   auto worlds = nlohmann::ordered_json::array();
   bool good = true;
   bool kept = true;
   for (std::uint64_t i = 0; i < (s.runs_given ? s.runs : 1); ++i) {
      const auto v =
         sim::run_fleet(s.seed + i, s.clients, kinds.empty() ? sim::fault_kind::kill : kinds.front(), s.spread);
      kept = kept && v.violations.empty() && !v.stuck;
      auto j = as_json(*v.fleet);
      j["seed"] = s.seed + i;
      j["spread_ms"] = in_ms(s.spread);
      j["violations"] = v.violations.size();
      worlds.push_back(std::move(j));
      if (s.json == "-") continue;
      const auto& f = *v.fleet;
      good = print(fmt::format(
                "world {}: {} clients, {} commands; a new master after {:.0f} ms; from then on half of them "
                "were back after {:.0f} ms and the last after {:.0f} ms\n"
                "   at most {} connections asked of a Sentinel in one second, {} of the new master; {} questions to "
                "a Sentinel; in the end {} connections to it; {} violations\n{}{}",
                s.seed + i, f.clients, v.calls.calls, in_ms(f.outage), in_ms(f.half_back), in_ms(f.last_back),
                f.sentinel_peak, f.master_peak, f.question_peak, f.at_a_sentinel, v.violations.size(),
                describe(v.violations), seconds_of(f))) &&
             good;
   }
   if (!s.json.empty()) good = save(s.json, worlds.dump(2)) && good;
   return good && kept ? exit_status::done : exit_status::failed;
}

std::string fault_help() {
   std::string text;
   for (std::size_t i = 0; i < sim::fault_kinds; ++i) {
      const auto k = static_cast<sim::fault_kind>(i);
      text += fmt::format("{}\n   {}.\n", sim::to_string(k), sim::describe(k));
   }
   return text;
}

std::string check_fault(const std::string& name) {
   sim::fault_kind k{};
   if (name == "help" || sim::fault_named(name, k)) return {};
   return "there is no fault \"" + name + "\"; holdfast sim --fault help lists them";
}

std::string check_seed(const std::string& text) {
   if (parse_number<std::uint64_t>(text)) return {};
   return "write a whole number from 0 to 18446744073709551615, not " + text;
}

std::string check_minutes(const std::string& text) {
   const bool is_plain = !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
   return is_plain ? "" : "write a number of minutes, e.g. 30 or 0.5, not " + text;
}

}  // namespace

void add_sim(CLI::App& app, int& status) {
   auto s = std::make_shared<sim_settings>();
   CLI::App* sim_app = app.add_subcommand("sim", "Many failovers in simulated worlds");
   sim_app->formatter(std::make_shared<help_layout>("holdfast sim [OPTIONS]"));
   sim_app->footer(help_of_sim());
   sim_app->add_option("--seed", s->seed, "The first world")->check(check_seed)->capture_default_str();
   auto* const runs = sim_app->add_option("--runs", s->runs, "How many worlds: this seed and those that follow");
   runs->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))->capture_default_str();
   sim_app->add_option("--minutes", s->minutes, "No world begins later than this")
      ->check(check_minutes)
      ->check(CLI::Range(0.001, 100000.0));
   sim_app->add_option("--fault", s->faults, "Only these faults, comma separated; \"help\" tells what each does")
      ->delimiter(',')
      ->check(check_fault);
   sim_app
      ->add_option("--clients", s->clients,
                   "One world with so many clients (and --runs of them), and what their coming back costs")
      ->check(CLI::Range(1U, 50'000U));
   sim_app
      ->add_option_function<std::string>(
         "--spread",
         [s](const std::string& text) {
            const auto d = parse_duration(text);
            if (!d)
               throw CLI::ValidationError("--spread", "write a number and its unit, e.g. 100ms or 1s, not " + text);
            s->spread = *d;
         },
         "Each of these clients waits a random part of this\nbefore it goes to a new master (reconnect_spread)")
      ->type_name("TIME");
   sim_app->add_option("--without", s->without, "Leave out these faults of the scenario, by their place, from 0")
      ->delimiter(',');
   sim_app->add_flag("--trace", s->trace, "Print all that happens in the first world, and run no other");
   sim_app->add_option("--json", s->json, "Write the figures as JSON to FILE, or to stdout (-) instead of the text")
      ->type_name("FILE");
   sim_app->callback([s, runs, &status] {
      s->runs_given = runs->count() != 0;
      if (std::find(s->faults.begin(), s->faults.end(), "help") != s->faults.end())
         status = static_cast<int>(print(fault_help()) ? exit_status::done : exit_status::failed);
      else if (s->clients != 0)
         status = static_cast<int>(run_fleets(*s));
      else if (s->trace || !s->without.empty())
         status = static_cast<int>(trace_world(*s));
      else
         status = static_cast<int>(run_worlds(*s));
   });
}

}  // namespace holdfast::cli

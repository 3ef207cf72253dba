// `holdfast sim`: many failovers in simulated worlds.
#include "config/parse.hpp"
#include "exit_status.hpp"
#include "help.hpp"
#include "interrupt.hpp"
#include "sim/world/seed_sweep.hpp"
#include "sim_report.hpp"
#include "subcommands.hpp"
#include "terminal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
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
   bool posted = false;
   bool trace = false;
   std::string json = {};
   bool runs_given = false;
};

sim::calling calling_of(const sim_settings& s) { return s.posted ? sim::calling::posted : sim::calling::drawn; }

std::vector<sim::fault_kind> kinds_of(const sim_settings& s) {
   std::vector<sim::fault_kind> kinds;
   for (const auto& name : s.faults) {
      sim::fault_kind k{};
      if (sim::fault_named(name, k)) kinds.push_back(k);
   }
   return kinds;
}

// One world, watched.
exit_status trace_world(const sim_settings& s) {
   const auto kinds = kinds_of(s);
   const sim::scenario p = sim::draw_plan(s.seed, kinds, s.without, calling_of(s));
   for (const auto& f : p.faults) print("planned: " + to_string(f) + "\n");
   bool good = true;
   const auto v = sim::run_world(
      s.seed, kinds, s.without, [&](const std::string& line) { good = good && print(line + "\n"); }, calling_of(s));
   good = good && print(describe(v.violations));
   good = good && print(fmt::format("world {}: {} violations; {} failovers that count, {} promotions; {} commands\n",
                                    s.seed, v.violations.size(), v.failovers, v.promotions, v.calls.calls));
   return good && v.violations.empty() ? exit_status::done : exit_status::failed;
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
   c.how = calling_of(s);
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
      const auto without = sim::shrink(r.first->seed, c.faults, c.how);
      good = print(fmt::format("the first that failed is world {}:\n{}replay it:\n   {}\n", r.first->seed,
                               describe(r.first->violations),
                               sim::replay_command(r.first->seed, c.faults, without, c.how))) &&
             good;
      if (r.failed.size() > 1) good = print(fmt::format("all that failed: {}\n", fmt::join(r.failed, ", "))) && good;
   }
   if (!s.json.empty()) good = save(s.json, as_json(r, s.seed, c.faults, c.how, took)) && good;
   return good && r.failed.empty() ? exit_status::done : exit_status::failed;
}

// Worlds of many clients that lose their master all at once.
exit_status run_fleets(const sim_settings& s) {
   const auto kinds = kinds_of(s);
   std::vector<fleet_run> runs;
   bool good = true;
   bool kept = true;
   for (std::uint64_t i = 0; i < (s.runs_given ? s.runs : 1); ++i) {
      const auto fault = kinds.empty() ? sim::fault_kind::kill : kinds.front();
      runs.push_back({s.seed + i, sim::run_fleet(s.seed + i, s.clients, fault, s.spread)});
      const auto& found = runs.back().found;
      kept = kept && found.violations.empty() && !found.stuck;
      if (s.json != "-") good = print(as_text(runs.back())) && good;
   }
   if (!s.json.empty()) good = save(s.json, as_json(runs, s.spread)) && good;
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

std::string read_seed(const std::string& word, std::uint64_t& into) {
   const auto seed = parse_number<std::uint64_t>(word);
   into = seed.value_or(into);
   return seed ? "" : "write a whole number from 0 to 18446744073709551615, not " + word;
}

std::string read_minutes(const std::string& word, double& into) {
   constexpr double most = 100'000;
   const bool is_plain = !word.empty() && word.find_first_not_of("0123456789.") == std::string::npos;
   char* end = nullptr;
   into = std::strtod(word.c_str(), &end);
   if (is_plain && *end == '\0' && into > 0 && into <= most) return {};
   return fmt::format("write a number of minutes above 0 and up to {:.0f}, e.g. 30 or 0.5, not {}", most, word);
}

std::string read_spread(const std::string& word, duration& into) {
   const auto spread = parse_duration(word);
   into = spread.value_or(into);
   return spread ? "" : "write a number and its unit, e.g. 100ms or 1s, not " + word;
}

exit_status run(const sim_settings& s) {
   if (std::find(s.faults.begin(), s.faults.end(), "help") != s.faults.end())
      return print(fault_help()) ? exit_status::done : exit_status::failed;
   if (s.clients != 0) return run_fleets(s);
   return s.trace || !s.without.empty() ? trace_world(s) : run_worlds(s);
}

}  // namespace

void add_sim(command_line& line) {
   auto s = std::make_shared<sim_settings>();
   subcommand sim_line = line.add("sim", "Many failovers in simulated worlds", "[OPTIONS]", help_of_sim());
   sim_line.add_read(
      "--seed", [s](const std::string& word) { return read_seed(word, s->seed); }, "The first world", "UINT", "1");
   sim_line.add_number("--runs", s->runs, 1, 1'000'000'000, "How many worlds: this seed and those that follow");
   sim_line.add_read(
      "--minutes", [s](const std::string& word) { return read_minutes(word, s->minutes); },
      "No world begins later than this", "FLOAT");
   sim_line.add_words("--fault", s->faults, check_fault,
                      "Only these faults, comma separated; \"help\" tells what each does");
   sim_line.add_number("--clients", s->clients, 1, 50'000,
                       "One world with so many clients (and --runs of them), and what their coming back costs");
   sim_line.add_read(
      "--spread", [s](const std::string& word) { return read_spread(word, s->spread); },
      "Each of these clients waits a random part of this\nbefore it goes to a new master (reconnect_spread)", "TIME");
   sim_line.add_numbers("--without", s->without, "Leave out these faults of the scenario, by their place, from 0");
   sim_line.add_flag("--posted", s->posted,
                     "All clients are of many threads: calls come through\ntheir mailbox (shared_client)");
   sim_line.add_flag("--trace", s->trace, "Print all that happens in the first world, and run no other");
   sim_line.add_text("--json", s->json, "Write the figures as JSON to FILE, or to stdout (-) instead of the text",
                     "FILE");
   sim_line.when_chosen([s, sim_line] {
      s->runs_given = sim_line.was_given("--runs");
      return run(*s);
   });
}

}  // namespace holdfast::cli

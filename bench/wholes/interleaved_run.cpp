#include "bench/wholes/interleaved_run.hpp"

#include "bench/wholes/callgrind_file.hpp"
#include "bench/wholes/one_core.hpp"
#include "bench/wholes/system_call_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>

namespace holdfast::bench {
namespace {

constexpr double sample_ns = 30e6;  // a sample is to take about so long

constexpr unsigned windows = 5;  // in which is counted

// What a thread in the background does now and then belongs to no operation.
void take_least(std::optional<counts>& into, const counts& c) {
   if (!into) into = c;
   into->instructions = std::min(into->instructions, c.instructions);
   into->allocations = std::min(into->allocations, c.allocations);
   into->system_calls = std::min(into->system_calls, c.system_calls);
}

std::vector<std::string> worker_line(const client_kind& who, const server_addresses& real,
                                     const server_addresses& canned) {
   return {std::filesystem::read_symlink("/proc/self/exe").string(),
           "--worker",
           std::string(who.name),
           to_string(real.node),
           real.uri,
           to_string(canned.node)};
}

}  // namespace

std::vector<const workload*> workloads_with(const std::string& word) {
   std::vector<const workload*> chosen;
   for (const workload& w : all_workloads())
      if (w.name.find(word) != std::string::npos) chosen.push_back(&w);
   return chosen;
}

interleaved_run::interleaved_run(run_settings s, servers& all)
   : settings_(std::move(s)), servers_(all), workloads_(workloads_with(settings_.only)) {
   for (const workload* w : workloads_)
      for (const client_kind& who : all_clients())
         if (who.takes_part_in(*w)) series_.push_back({&results_.add(*w, who)});
}

const results& interleaved_run::go() {
   start_workers();
   grow();
   fmt::print(stderr, "bench: {} workloads, finding out how long each takes\n", workloads_.size());
   find_lengths();
   for (unsigned i = 0; i < settings_.rounds; ++i) {
      fmt::print(stderr, "bench: round {} of {}\n", i + 1, settings_.rounds);
      measure(i);
   }
   workers_.clear();
   if (settings_.counts) {
      for (const client_kind& who : all_clients()) {
         fmt::print(stderr, "bench: counting the instructions of {}\n", who.title);
         count(who);
      }
   }
   return results_;
}

void interleaved_run::start_workers() {
   for (const client_kind& who : all_clients()) {
      workers_[&who] = std::make_unique<worker_process>(worker_line(who, servers_.real(), servers_.canned()));
   }
}

// With more and more callers, before a worker has done anything else.
void interleaved_run::grow() {
   for (const auto& [who, worker] : workers_) {
      for (const workload* w : workloads_) {
         if (!w->is_growth || (!who->grows && w->callers > 4)) continue;
         const auto held = worker->ask(fmt::format("grow {}", w->callers));
         results_.add(holding{who, w->callers, held.at(0), held.at(1)});
      }
   }
}

sample interleaved_run::take(const series& s) {
   worker_process& worker = *workers_.at(s.into->who);
   std::optional<one_core> held;
   if (s.into->what->on_one_core) held.emplace(std::vector<pid_t>{servers_.master(), worker.pid()});
   const auto taken = worker.ask(fmt::format("run {} {}", s.into->what->name, s.rounds));
   const double operations = static_cast<double>(s.rounds) * static_cast<double>(s.into->what->operations);
   return {taken.at(0) / operations, taken.at(1) / operations};
}

void interleaved_run::find_lengths() {
   for (series& s : series_) {
      const double operations = static_cast<double>(s.into->what->operations);
      for (double ns = 0; ns < sample_ns / 8; ns = take(s).time * operations * static_cast<double>(s.rounds))
         if (ns != 0) s.rounds *= 4;
      const double one = take(s).time * operations;
      s.rounds = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(sample_ns / one)));
   }
}

// Each round another client begins.
void interleaved_run::measure(unsigned round) {
   for (std::size_t first = 0, end = 0; first < series_.size(); first = end) {
      while (end < series_.size() && series_[end].into->what == series_[first].into->what) ++end;
      for (std::size_t i = 0; i < end - first; ++i) {
         const series& s = series_[first + (i + round) % (end - first)];
         s.into->samples.push_back(take(s));
      }
   }
}

void interleaved_run::count(const client_kind& who) {
   const auto costs = servers_.folder() / ("callgrind." + std::string(who.name));
   const auto log = servers_.folder() / ("valgrind." + std::string(who.name));
   std::vector<std::string> line{"valgrind", "--tool=callgrind", "--callgrind-out-file=" + costs.string(),
                                 "--trace-syscalls=yes", "--log-file=" + log.string()};
   for (std::string& word : worker_line(who, servers_.real(), servers_.canned())) line.push_back(std::move(word));
   worker_process worker(line);
   system_call_log calls(log);
   unsigned written = 0;
   for (const series& s : series_) {
      const workload& w = *s.into->what;
      if (s.into->who != &who || w.counted == 0) continue;
      const auto operations = static_cast<double>(w.counted * w.operations);
      for (unsigned i = 0; i < windows; ++i) {
         const double allocations = worker.ask(fmt::format("count {} {}", w.name, w.counted)).at(0);
         const callgrind_file found(fmt::format("{}.{}", costs.string(), ++written));
         take_least(s.into->counted, {found.total("Ir") / operations, allocations / operations,
                                      static_cast<double>(calls.next()) / operations});
      }
   }
}

}  // namespace holdfast::bench

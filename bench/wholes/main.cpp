// `make bench`, the wholes: raw, hiredis and Holdfast side by side, in one interleaved run against the same servers.
#include "bench/wholes/interleaved_run.hpp"
#include "bench/wholes/machine.hpp"
#include "bench/wholes/report_json.hpp"
#include "bench/wholes/report_text.hpp"
#include "bench/wholes/worker.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>

namespace holdfast::bench {
namespace {

struct options {
   run_settings run = {};
   std::string json = {};
   bool lists = false;
};

std::string names_of_workloads() {
   std::string names;
   for (const workload& w : all_workloads()) names += (names.empty() ? "" : " ") + w.name;
   return names;
}

// Empty: go on. Else the exit status.
std::optional<int> read(int count, char** words, options& o) {
   CLI::App line("Measures raw, hiredis and Holdfast side by side, in one interleaved run against the same servers.");
   line.add_option("--only", o.run.only, "Only the workloads whose name contains WORD")->type_name("WORD");
   line.add_option("--rounds", o.run.rounds, "Samples of each workload and client")->check(CLI::Range(1, 1000));
   line.add_option("--json", o.json, "Write the results to FILE, too")->type_name("FILE");
   line.add_flag("!--no-counts", o.run.counts, "Do not count instructions, allocations and system calls");
   line.add_flag("--list", o.lists, "Print the names of the workloads, and measure nothing");
   try {
      line.parse(count, words);
   } catch (const CLI::Success& e) {
      return line.exit(e);
   } catch (const CLI::ParseError& e) {
      fmt::print(stderr, "wholes: {}; --help lists the options\n", e.what());
      return 2;
   }
   if (workloads_with(o.run.only).empty()) {
      fmt::print(stderr, "wholes: no workload's name contains \"{}\"; there are: {}\n", o.run.only,
                 names_of_workloads());
      return 2;
   }
   return std::nullopt;
}

int measure(const options& o) {
   machine where = this_machine();
   where.rounds = o.run.rounds;
   fmt::print(stderr, "bench: starting a Sentinel deployment\n");
   servers all;
   where.server = all.version();
   interleaved_run run(o.run, all);
   const results& found = run.go();
   where.load_after = load_now();
   std::fputs(text_of(found, where).c_str(), stdout);
   if (!o.json.empty() && !(std::ofstream(o.json) << json_of(found, where)).flush()) {
      fmt::print(stderr, "wholes: {} cannot be written\n", o.json);
      return 1;
   }
   return 0;
}

// --worker CLIENT HOST:PORT URI HOST:PORT
int work(char** words) {
   ::prctl(PR_SET_PDEATHSIG, SIGKILL);
   const auto address = [](std::string_view text) {
      const auto colon = text.rfind(':');
      return endpoint{std::string(text.substr(0, colon)),
                      static_cast<std::uint16_t>(std::stoul(std::string(text.substr(colon + 1))))};
   };
   worker(client_named(words[0]), {address(words[1]), words[2]}, {address(words[3]), {}}).serve(std::cin, std::cout);
   return 0;
}

}  // namespace
}  // namespace holdfast::bench

int main(int count, char** words) {
   using namespace holdfast::bench;
   try {
      if (count == 6 && std::string_view(words[1]) == "--worker") return work(words + 2);
      options o;
      if (const auto status = read(count, words, o)) return *status;
      if (o.lists) return std::puts(names_of_workloads().c_str()) < 0;
      return measure(o);
   } catch (const std::exception& e) {
      fmt::print(stderr, "wholes: {}\n", e.what());
      return 1;
   }
}

// Runs worlds until one breaks a promise: `until_failure MOST [FAULT...]`, with faults of these kinds alone. Prints a
// line: the number of worlds that it took (0 if none did), what was broken, and how to run that world again without the
// faults that it can do without. For test/sim/mutants.
#include "sim/world/seed_sweep.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

int main(int argc, char** argv) {
   using namespace holdfast::sim;
   sweep_settings s;
   s.runs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
   for (int i = 2; i < argc; ++i) {
      fault_kind kind{};
      if (!fault_named(argv[i], kind)) return EXIT_FAILURE;
      s.faults.push_back(kind);
   }
   s.threads = std::max(1U, std::thread::hardware_concurrency());
   const auto r = run_seed_sweep(s, [](const sweep_result& so_far) { return !so_far.failed.empty(); });
   if (!r.first) {
      const busiest_second& most = r.calls.most;
      std::printf(
         "0\t%llu failovers; within a second at most %u dials (%u of a server beside the master), %u questions to a "
         "Sentinel, %u to a server (%u to a candidate), %u wakes\t\n",
         static_cast<unsigned long long>(r.failovers), most.dials, most.dials_aside, most.questions,
         most.role_questions, most.candidate_polls, most.wakes);
      return 0;
   }
   const std::string again = replay_command(r.first->seed, s.faults, shrink(r.first->seed, s.faults));
   std::printf("%llu\t%s\t%s\n", static_cast<unsigned long long>(r.first->seed),
               r.first->violations.front().what.c_str(), again.c_str());
}

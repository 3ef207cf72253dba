// Runs worlds until one breaks a promise: `until_failure MOST`. Prints the number of worlds that it took, 0 if none
// did, and what was broken. For test/sim/planted_bugs.
#include "sim/campaign.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

int main(int argc, char** argv) {
   using namespace holdfast::sim;
   campaign_settings s;
   s.runs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
   s.threads = std::max(1U, std::thread::hardware_concurrency());
   const auto r = run_campaign(s, [](const campaign_result& so_far) { return so_far.failures != 0; });
   if (!r.first)
      std::printf("0 nothing\n");
   else
      std::printf("%llu %s\n", static_cast<unsigned long long>(r.first->seed),
                  r.first->violations.front().what.c_str());
}

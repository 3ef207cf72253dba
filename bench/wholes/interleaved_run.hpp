// One run: in each round every workload is done by every client in turn, so that what else the machine does hits all
// alike. Then what one operation costs is counted, which no other program disturbs.
#pragma once

#include "bench/wholes/results.hpp"
#include "bench/wholes/servers.hpp"
#include "bench/wholes/worker_process.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::bench {

struct run_settings {
   std::string only = {};  // workloads whose name contains it
   unsigned rounds = 25;
   bool counts = true;
};

class interleaved_run {
 public:
   interleaved_run(run_settings, servers&);

   // Progress is told on stderr.
   const results& go();

 private:
   struct series {
      measured* into;
      std::size_t rounds = 1;  // of the workload, in one sample
   };
   void start_workers();
   void grow();
   void find_lengths();
   void measure(unsigned round);
   sample take(const series&);
   void count(const client_kind&);

   run_settings settings_;
   servers& servers_;
   std::vector<const workload*> workloads_;
   std::map<const client_kind*, std::unique_ptr<worker_process>> workers_;
   std::vector<series> series_;  // of one workload side by side
   results results_;
};

// The workloads whose name contains `word`.
std::vector<const workload*> workloads_with(const std::string& word);

}  // namespace holdfast::bench

// The figures of many runs, fault by fault. Pure.
#pragma once

#include "drill/figures.hpp"

#include <string>
#include <vector>

namespace holdfast::drill {

struct spread {
   std::size_t count = 0;
   double median = 0;
   double max = 0;
};
// What is below zero counts as zero.
spread spread_of(std::vector<double> values);

struct fault_summary {
   std::string fault = {};
   std::size_t runs = 0;
   std::size_t skipped = 0;   // of those
   std::size_t ordinary = 0;  // the times below are of these alone
   std::size_t late = 0;
   std::size_t second_failovers = 0;
   std::size_t told_apart = 0;  // with either of the two, or both
   spread promoted_ms = {};
   spread sentinel_named_ms = {};
   spread first_ok_ms = {};
   spread client_added_ms = {};
   spread longest_gap_ms = {};
   spread after_named_ms = {};   // first_ok_ms - sentinel_named_ms; below zero counts as zero
   spread before_named_ms = {};  // the same the other way round, of the runs in which the client came first
   totals all = {};              // of all runs
   // Of the ordinary ones: those in which no acknowledged write is lost, and the most that are in one.
   std::size_t runs_without_loss = 0;
   std::uint64_t most_lost = 0;
   // Of all runs.
   std::uint64_t lost_out_of_time = 0;
   std::optional<std::uint64_t> old_master_writes = {};  // empty: nothing was watched in any of them
   std::size_t promises_broken = 0;

   // It was done, but always otherwise than it was meant: whether the promises are kept is not known.
   bool showed_nothing() const { return runs > skipped && told_apart == runs - skipped; }
};

// In the order in which the faults first occur.
std::vector<fault_summary> summarise(const std::vector<judged>&);

}  // namespace holdfast::drill

// What a run has measured, and what is computed of it.
#pragma once

#include "bench/wholes/client_kind.hpp"
#include "bench/wholes/workload.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::bench {

// Of one operation, in nanoseconds.
struct sample {
   double time = 0;
   double processor_time = 0;  // of all threads of the client's process
};

// Of one operation.
struct counts {
   double instructions = 0;  // in user space
   double allocations = 0;
   double system_calls = 0;
};

struct measured {
   const workload* what = nullptr;
   const client_kind* who = nullptr;
   std::vector<sample> samples = {};  // one for each round
   std::optional<counts> counted = {};
};

// What the process holds with so many callers.
struct holding {
   const client_kind* who = nullptr;
   std::size_t callers = 0;
   double resident = 0;  // KiB of memory
   double descriptors = 0;
};

struct spread {
   double median = 0, least = 0, most = 0;
};
spread spread_of(std::vector<double> values);  // at least one

class results {
 public:
   measured& add(const workload&, const client_kind&);
   void add(const holding& h) { holdings_.push_back(h); }

   const std::deque<measured>& all() const { return all_; }
   const std::vector<holding>& holdings() const { return holdings_; }
   // Null: it was not measured.
   const measured* find(std::string_view workload, std::string_view client) const;

   // Ratios of the samples of one round each: what disturbs the machine then, disturbs both.
   std::optional<spread> throughput_ratio(const measured&, std::string_view to) const;
   std::optional<spread> processor_ratio(const measured&, std::string_view to) const;
   // Of one caller more, the median of the steps; unset where it was not measured.
   std::optional<holding> of_one_caller(std::string_view client) const;

 private:
   template <class Ratio>
   std::optional<spread> ratio(const measured&, std::string_view to, Ratio) const;

   std::deque<measured> all_;
   std::vector<holding> holdings_;
};

// Operations in a second.
spread rate_of(const measured&);
double processor_time_of(const measured&);  // the median

}  // namespace holdfast::bench

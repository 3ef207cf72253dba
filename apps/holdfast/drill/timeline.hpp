// What happened when, as it is to be drawn: the moments worth a mark, and the stretch of time around them. Pure; drawn
// by report_text.cpp and report_html.cpp.
#pragma once

#include "drill/figures.hpp"

#include <string>
#include <vector>

namespace holdfast::drill {

// The subjects of a mark, in the order of their lines in a legend.
enum class mark_kind { fault, down, selected, promoted, client_back, named, breaker, budget };

struct mark {
   mark_kind kind = mark_kind::fault;
   double at_ms = 0;  // from the fault
   std::string text = {};
};

struct timeline {
   double from_ms = 0;  // from the fault; below zero
   double to_ms = 0;
   std::vector<mark> marks = {};  // in the order of time
   // Writes acknowledged, and writes that failed, in equal slices of the time.
   std::vector<unsigned> acked = {};
   std::vector<unsigned> failed = {};
   // The longest time without an acknowledged write.
   double gap_from_ms = 0;
   double gap_to_ms = 0;
};

timeline timeline_of(const judged&, std::size_t slices);

}  // namespace holdfast::drill

#include "drill/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::drill {
namespace {

using lab::ms_between;

// What the client's own policies did. Of many commands that the budget held back, the first.
void add_policies(const record& r, timeline& t) {
   bool exhausted = false;
   for (const told& e : r.events) {
      const double at = ms_between(r.fault_at, e.at);
      if (std::holds_alternative<event::breaker_changed>(e.what))
         t.marks.push_back({mark_kind::breaker, at, to_string(e.what)});
      if (std::holds_alternative<event::budget_exhausted>(e.what) && !std::exchange(exhausted, true))
         t.marks.push_back({mark_kind::budget, at, "the retry budget is spent"});
   }
}

void add_marks(const judged& j, timeline& t) {
   const record& r = j.seen;
   const figures& f = j.found;
   t.marks.push_back({mark_kind::fault, 0, "the fault: " + r.fault});
   bool down = false;
   bool selected = false;
   for (const told& e : r.events) {
      const auto* said = std::get_if<event::sentinel_said>(&e.what);
      if (said == nullptr || e.at < r.fault_at) continue;
      const double at = ms_between(r.fault_at, e.at);
      if (said->channel == "+odown" && !std::exchange(down, true))
         t.marks.push_back({mark_kind::down, at, "the Sentinels agree that the master is down"});
      if (said->channel == "+selected-slave" && !std::exchange(selected, true))
         t.marks.push_back({mark_kind::selected, at, "a replica is selected"});
   }
   add_policies(r, t);
   if (f.promoted_ms) t.marks.push_back({mark_kind::promoted, *f.promoted_ms, "promoted: " + to_string(r.promoted)});
   if (f.first_ok_ms) {
      std::string text = "the client's first write acknowledged";
      if (f.client_added_ms) text += fmt::format(" ({:+.1f} ms)", *f.client_added_ms);
      t.marks.push_back({mark_kind::client_back, *f.first_ok_ms, text});
   }
   if (f.sentinel_named_ms)
      t.marks.push_back({mark_kind::named, *f.sentinel_named_ms, "the first Sentinel names the new master"});
   std::stable_sort(t.marks.begin(), t.marks.end(), [](auto& a, auto& b) { return a.at_ms < b.at_ms; });
}

void find_gap(const record& r, timeline& t) {
   clock::time_point last = r.start;
   clock::duration longest = {};
   const auto look = [&](clock::time_point at) {
      if (at - last > longest) {
         longest = at - last;
         t.gap_from_ms = ms_between(r.fault_at, last);
         t.gap_to_ms = ms_between(r.fault_at, at);
      }
      last = at;
   };
   bool first = true;
   for (const operation& o : r.operations) {
      if (!o.acked) continue;
      if (std::exchange(first, false))
         last = o.end;
      else
         look(o.end);
   }
   look(r.end);
}

}  // namespace

timeline timeline_of(const judged& j, std::size_t slices) {
   timeline t;
   const record& r = j.seen;
   add_marks(j, t);
   find_gap(r, t);
   const double last_mark = std::max(t.marks.back().at_ms, t.gap_to_ms);
   const double margin = std::clamp(last_mark * 0.15, 300.0, 500.0);
   t.from_ms = std::max(-margin, ms_between(r.fault_at, r.start));
   t.to_ms = std::max(std::min(last_mark + margin, ms_between(r.fault_at, r.end)), t.from_ms + 1);
   t.acked.resize(slices);
   t.failed.resize(slices);
   for (const operation& o : r.operations) {
      const double share = (ms_between(r.fault_at, o.end) - t.from_ms) / (t.to_ms - t.from_ms);
      if (share < 0 || share >= 1 || o.cancelled) continue;
      ++(o.acked ? t.acked : t.failed)[static_cast<std::size_t>(share * static_cast<double>(slices))];
   }
   return t;
}

}  // namespace holdfast::drill

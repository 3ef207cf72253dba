// What a watch says at one moment, for lanes that have no watch of their own: all that lane::guide answers, and the
// deployment's timing. A plain value; published, it never changes.
#pragma once

#include "lane/guide.hpp"

#include <holdfast/time.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::engine {

struct snapshot {
   using ticket = std::uint64_t;

   ticket finished = 0;  // what was asked with this ticket, or an earlier one, is answered
   std::optional<lane::named_node> target = {};
   std::optional<lane::trouble> why_none = {};
   std::string objection = {};
   bool roles_matter = true;
   bool in_doubt = false;
   time_point hold_writes_until = time_point::min();
   bool failover_in_progress = false;
   bool objectively_down = false;
   std::optional<duration> down_after = {};

   friend bool operator==(const snapshot&, const snapshot&) = default;
};

// The one place where it is made: whatever else a lane comes to ask of its guide is another line here.
inline snapshot look(const lane::guide& g, std::optional<duration> down_after) {
   return {.target = g.target(),
           .why_none = g.why_none(),
           .objection = g.objection(),
           .roles_matter = g.roles_matter(),
           .in_doubt = g.in_doubt(),
           .hold_writes_until = g.hold_writes_until(),
           .failover_in_progress = g.failover_in_progress(),
           .objectively_down = g.objectively_down(),
           .down_after = down_after};
}

// Whether `b` says more than that questions are answered: then it concerns every lane, not only those that asked.
inline bool is_news(const snapshot& a, snapshot b) {
   b.finished = a.finished;
   return a != b;
}

}  // namespace holdfast::engine

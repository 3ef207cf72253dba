// The rounds of questions that are under way. A round is over when what its askers wait for is known; one that began
// later also answers all that began before.
#pragma once

#include <holdfast/time.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace holdfast::topology {

class rounds {
 public:
   using id = std::uint64_t;
   struct open_round {
      id number = 0;
      time_point began = {};
      time_point until = never;  // from the first answer on: no longer waited for the rest
   };

   // The round that a question asked `now` belongs to: the one that began at this very instant, or a new one.
   bool fresh(time_point now) const { return !open_.empty() && open_.back().began >= now; }
   id begin(time_point now) {
      // Bounded: the newest takes the place of the one before it, whose askers are answered by the newest.
      if (open_.size() == most_open) open_.pop_back();
      open_.push_back({++last_, now, never});
      return last_;
   }
   // This round, and all before it.
   void finish(id number) {
      std::erase_if(open_, [&](const open_round& r) { return r.number <= number; });
      finished_ = std::max(finished_, number);
   }

   bool finished(id number) const { return number <= finished_; }
   id last() const { return last_; }
   id last_finished() const { return finished_; }
   bool idle() const { return open_.empty(); }
   std::vector<open_round>& open() { return open_; }
   time_point deadline() const {
      time_point soonest = never;
      for (const auto& r : open_) soonest = std::min(soonest, r.until);
      return soonest;
   }

 private:
   static constexpr std::size_t most_open = 8;
   std::vector<open_round> open_;  // oldest first
   id last_ = 0;
   id finished_ = 0;
};

}  // namespace holdfast::topology

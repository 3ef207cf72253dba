// The rounds of questions that are under way. A round is over when what its askers wait for is known; one that began
// later also answers all that began before.
#pragma once

#include <holdfast/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::impl {

class rounds {
 public:
   using id = std::uint64_t;
   struct open_round {
      id number = 0;
      time_point began = {};
      time_point until = never;  // from the first answer on: no longer waited for the rest
   };

   // How far one has come.
   struct progress {
      std::size_t answered = 0;
      std::size_t confirming = 0;        // what is believed
      std::size_t waiting = 0;           // for an answer
      std::size_t waiting_for_down = 0;  // the same, for those that were down when it began and are dialled
      bool hinting = false;              // among those that are waited for, somebody had hinted at a change
   };

   // The round that a question asked `now` belongs to: the one that began at this very instant, or a new one.
   bool is_current(time_point now) const { return !open_.empty() && open_.back().began >= now; }
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
   bool idle() const { return open_.empty(); }
   std::vector<open_round>& open() { return open_; }
   // `known`: how many Sentinels there are; `timeout`: how long an answer in hand waits for the others.
   static bool is_over(open_round& r, const progress& so_far, std::size_t known, duration timeout, time_point now) {
      if (so_far.waiting == 0 && (so_far.answered != 0 || so_far.waiting_for_down == 0)) return true;
      if (so_far.answered == 0) {
         r.until = never;  // who had answered is gone
         return false;
      }
      if (2 * so_far.confirming > known && !so_far.hinting) return true;
      if (r.until == never) r.until = after(now, timeout);
      return now >= r.until;
   }
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

}  // namespace holdfast::impl

// The doubt: a Sentinel has announced a switch to another master, and until the question that follows is answered
// commands are held, at most for as long as that Sentinel may take. A Sentinel that raised it in vain cannot do so
// again for `doubt_pause`.
#pragma once

#include "topology/sentinel/rounds.hpp"
#include "topology/sentinel/sentinel_settings.hpp"

#include <holdfast/time.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::impl {

class doubt {
 public:
   enum class state : std::uint8_t { none, raised };

   explicit doubt(const sentinel_settings& s) : settings_(&s) {}

   bool is_raised() const { return state_ == state::raised; }
   time_point deadline() const { return is_raised() ? until_ : never; }

   // By the Sentinel of this number, about the target of this generation, until `answer` is finished. False where it
   // has a part in the doubt already, or may raise none.
   bool raise(std::size_t by, rounds::id answer, std::uint64_t generation, duration patience, time_point now) {
      sentinels_.resize(std::max(sentinels_.size(), by + 1));
      if (sentinels_[by].has_part || now < sentinels_[by].quiet_until) return false;
      sentinels_[by].has_part = true;
      answer_ = answer;
      if (is_raised()) return true;
      set_state(state::raised);
      until_ = after(now, patience);
      generation_ = generation;
      return true;
   }
   // Ends it where the answer is there, or the target has changed, or it has lasted too long.
   void review(const rounds& asked, std::uint64_t generation, time_point now) {
      const bool in_vain = generation == generation_;
      if (!is_raised() || (in_vain && !asked.finished(answer_) && now < until_)) return;
      set_state(state::none);
      for (sentinel& s : sentinels_) {
         if (s.has_part && in_vain) s.quiet_until = after(now, settings_->doubt_pause);
         s.has_part = false;
      }
   }

 private:
   struct sentinel {
      bool has_part = false;
      time_point quiet_until = time_point::min();  // raises none before
   };
   void set_state(state s) { state_ = s; }

   const sentinel_settings* settings_;
   std::vector<sentinel> sentinels_;  // by number
   state state_ = state::none;
   rounds::id answer_ = 0;
   time_point until_ = never;
   std::uint64_t generation_ = 0;
};

}  // namespace holdfast::impl

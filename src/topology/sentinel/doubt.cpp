#include "topology/sentinel/doubt.hpp"

#include <algorithm>

namespace holdfast::impl {

bool doubt::raise(std::size_t by, rounds::id answer, std::uint64_t generation, duration patience, time_point now) {
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

void doubt::review(const rounds& asked, std::uint64_t generation, time_point now) {
   const bool in_vain = generation == generation_;
   if (!is_raised() || (in_vain && !asked.finished(answer_) && now < until_)) return;
   set_state(state::none);
   for (sentinel& s : sentinels_) {
      if (s.has_part && in_vain) s.quiet_until = after(now, settings_->doubt_pause);
      s.has_part = false;
   }
}

}  // namespace holdfast::impl

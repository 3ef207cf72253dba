#include "topology/sentinel/published_target.hpp"

#include <utility>

namespace holdfast::impl {

void published_target::name(const master_node& m, std::string run_id, bool is_provisional, event_queue& events) {
   const bool returns = state_ == state::lost;
   const bool moved = last_.where != m.where;
   if (moved || returns)
      events.tell([&] { return event::master_named{last_.where, m.where, m.epoch, is_provisional}; });
   if (moved || last_.epoch != m.epoch || last_.generation == 0)
      last_ = master_node{m.where, m.epoch, last_.generation + 1};
   target_ = last_;
   target_->run_id = std::move(run_id);
   set_state(state::named);
}

void published_target::withhold() {
   target_.reset();
   if (state_ == state::named) set_state(state::none);
}

bool published_target::lose() {
   if (state_ == state::lost) return false;
   set_state(state::lost);
   return true;
}

}  // namespace holdfast::impl

// The master that the tracker names to the world. Each change of its address or epoch has a number, its generation; the
// change of its address, and its loss, are told as events.
#pragma once

#include "topology/sentinel/belief.hpp"

#include <holdfast/event.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace holdfast::impl {

class published_target {
 public:
   enum class state : std::uint8_t {
      none,  // not yet, or no longer; nothing is told
      named,
      lost,  // and that was told
   };

   const std::optional<master_node>& now() const { return target_; }
   const master_node& last() const { return last_; }  // that was named

   void name(const master_node& m, std::string run_id, bool is_provisional, event_queue& events) {
      const bool moved = last_.where != m.where;
      if (moved || state_ == state::lost)
         events.tell([&] { return event::master_named{last_.where, m.where, m.epoch, is_provisional}; });
      if (moved || last_.epoch != m.epoch || last_.generation == 0)
         last_ = master_node{m.where, m.epoch, last_.generation + 1};
      target_ = last_;
      target_->run_id = std::move(run_id);
      set_state(state::named);
   }
   void withhold() {
      target_.reset();
      if (state_ == state::named) set_state(state::none);
   }
   // After `withhold`: true where it is to be told.
   bool lose() {
      if (state_ == state::lost) return false;
      set_state(state::lost);
      return true;
   }

 private:
   void set_state(state s) { state_ = s; }

   state state_ = state::none;
   std::optional<master_node> target_;
   master_node last_ = {};
};

}  // namespace holdfast::impl

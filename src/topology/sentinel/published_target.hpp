// The master that the tracker names to the world. Each change of its address or epoch has a number, its generation; the
// change of its address, and its loss, are told as events.
#pragma once

#include "topology/sentinel/belief.hpp"

#include <holdfast/event.hpp>

#include <cstdint>
#include <optional>
#include <string>

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

   void name(const master_node&, std::string run_id, bool is_provisional, event_queue&);
   void withhold();
   bool lose();  // after `withhold`: true where it is to be told

 private:
   void set_state(state s) { state_ = s; }

   state state_ = state::none;
   std::optional<master_node> target_;
   master_node last_ = {};
};

}  // namespace holdfast::impl

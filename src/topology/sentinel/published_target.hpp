// The master that the tracker names to the world. Each change of its address or epoch has a number, its generation; the
// change of its address, and its loss, are told as events.
#pragma once

#include "topology/sentinel/belief.hpp"

#include <holdfast/event.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::topology {

class published_target {
 public:
   enum class state : std::uint8_t {
      none,  // not yet, or no longer; nothing is told
      named,
      lost,  // and that was told
   };

   const std::optional<named_master>& now() const { return target_; }
   const named_master& last() const { return last_; }  // that was named

   void name(const named_master&, std::string run_id, bool is_provisional, event_queue&);
   void name_fixed(const endpoint& server);  // without Sentinels: nothing is told
   void withhold();
   bool lose();  // after `withhold`: true where it is to be told

 private:
   void set_state(state s) { state_ = s; }

   state state_ = state::none;
   std::optional<named_master> target_;
   named_master last_ = {};
};

}  // namespace holdfast::topology

// What a lane asks of a watch that is not its own, but runs elsewhere, on another thread perhaps. Nothing comes back
// from here but tickets: the answers are in the snapshots, which the runtime hands to engine::heard.
#pragma once

#include "engine/snapshot.hpp"

#include <holdfast/endpoint.hpp>

#include <cstdint>
#include <string_view>

namespace holdfast::engine {

class shared_watch {
 public:
   // Starts to find out. Answered by the first snapshot whose `finished` is not below this ticket.
   virtual snapshot::ticket ask() = 0;
   virtual void need(bool commands_wait) = 0;
   virtual void role_verified(const endpoint&, std::uint64_t epoch) = 0;
   // `generation` of the target that the lane followed: the same node may be named anew before this arrives.
   virtual void role_refused(const endpoint&, std::uint64_t generation, std::string_view role) = 0;

 protected:
   ~shared_watch() = default;
};

}  // namespace holdfast::engine

// The role hint (settings.follow_role_hint): where the master that the Sentinels name says that it is a slave, it is
// asked whose. If that node says that it is a master, it is the target, until the Sentinels change their mind, or it
// says otherwise, or it cannot be reached. The tracker asks the nodes, and reports what they say.
#pragma once

#include <holdfast/endpoint.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace holdfast::impl {

class role_hint {
 public:
   enum class state : std::uint8_t {
      off,
      asking,     // the master that the Sentinels name: whom does it follow?
      verifying,  // the node that it follows: is that a master?
      following,  // that node is the target
   };

   state now() const { return state_; }
   bool concerns(const endpoint& where) const { return state_ != state::off && where_ == where; }
   bool follows(const endpoint& where) const { return state_ == state::following && where_ == where; }
   const endpoint* target() const { return state_ == state::following ? &where_ : nullptr; }
   // The node whose role is to be asked. One that is followed is looked after where commands wait for a connection.
   const endpoint* pursued(bool commands_wait) const {
      return state_ == state::off || (state_ == state::following && !commands_wait) ? nullptr : &where_;
   }

   void ask(const endpoint& master) {
      if (state_ == state::off) set_state(state::asking, master);
   }
   void stop() { set_state(state::off, {}); }
   void on_failed(const endpoint& where) {
      if (concerns(where)) stop();
   }
   void on_role(const endpoint& where, std::string_view role, const endpoint& whose) {
      if (!concerns(where)) return;
      if (state_ == state::asking && role == "slave" && !whose.empty())
         set_state(state::verifying, whose);
      else if (state_ == state::asking || role != "master")
         stop();
      else
         set_state(state::following, where);
   }

 private:
   void set_state(state s, endpoint where) {
      state_ = s;
      where_ = std::move(where);
   }

   state state_ = state::off;
   endpoint where_ = {};
};

}  // namespace holdfast::impl

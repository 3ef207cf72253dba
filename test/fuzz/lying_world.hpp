// An engine_world in which anybody says anything: a Sentinel names any master under any epoch, a server has any role,
// bytes arrive that nobody has sent, and callers give commands that the checkers do not know. What the client believes
// of the master is compared with all that it has read.
#pragma once

#include "fuzz/engine_world.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace holdfast::fuzz {

class lying_world final : public engine_world {
 public:
   explicit lying_world(input&);

 private:
   void step() override;
   void look() override;
   void calm() override;
   bool can_recover() const override;
   void give_anything();
   void claim();
   void change_role();
   void promote();
   // What is said
   void publish(const std::string&);
   std::string event();
   std::string announcement(const endpoint& selected);
   std::string reply();
   endpoint some_node();
   // What was read
   void note(sim::host_id from, value_view);
   void note_answer(value_view);
   void note_event(value_view);
   void note_role(const std::string& host, value_view);
   void look_at_target();

   bool ends_as_before_ = false;  // the Sentinels go on naming the master before a provisional one
   std::set<endpoint> named_;
   std::set<endpoint> selected_;
   // By host, as a server answers at each of its ports.
   std::set<std::string> said_master_;
   std::map<std::string, std::set<std::string>> said_to_follow_;  // by whom it is followed
   std::set<std::uint64_t> epochs_{0};
   std::optional<impl::master_node> before_;  // the last target that was not provisional
   std::uint64_t last_epoch_ = 0;             // of the last target
};

}  // namespace holdfast::fuzz

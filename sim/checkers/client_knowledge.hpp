// What one client has read of who is the master, and so where its commands may go: what Sentinels answered and
// published, what servers said of themselves. The checkers hold the client to it; they know nothing more than it has
// read.
#pragma once

#include "sim/world/observation.hpp"

#include <holdfast/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::sim {

// A connection of a client.
struct line {
   std::uint32_t number = 0;  // among all of this client, from 1
   host_id to = nowhere;
   bool configured = true;      // it leads to a Sentinel that the client was given, not to one that it has learned of
   bool listed = true;          // else none of those that it was given and is connected to lists this one
   std::uint64_t commands = 0;  // that the client's kernel has taken whole
   std::uint64_t replies = 0;   // that the client has read
};

class client_knowledge {
 public:
   duration hold = {};  // how long it holds writes back, at most

   // An answer of a learned Sentinel obliges to nothing under an epoch that is newer than what the configured ones
   // said.
   void read(const line&, const told&, time_point now);
   void ended(const line&);

   // Why no command may go there; empty if it may. It may to the node that the newest answer names, or another one of
   // the same epoch; to one that a Sentinel has selected, or published as promoted, under a newer epoch (that of the
   // +new-epoch before its +try-failover, on the same subscription), as long as that failover was not given up; and by
   // a hint, to the node that the named one says it follows.
   std::string objection(host_id to, bool follows_hints, time_point now) const;
   // A command went there, or a lane's handshake. After one to a candidate the superseded node gets none, but for a
   // reason that was read: the failover was given up; the candidate says that it is a replica and Sentinels name the
   // old master; they have named it, and nobody else, for `agree_for`; a newer epoch; or an answer under the same one.
   // One that goes there although that was denied has taken the denial back, once it says again that it is a master.
   // `handed_over`: the command had been let go of before the news that were read last.
   void went(host_id to, bool handed_over, time_point now);
   bool is_candidate(host_id) const;

   // New writes are held back from all but the node that was selected, from then on, until it says that it is a master,
   // or the failover has ended otherwise, or the Sentinel that leads it can't be heard any more. Not for a Sentinel
   // whose last selection, within some seconds, came to nothing, nor for a learned one that is not listed.
   void release() { held_for_ = {}; }
   bool holds_back(host_id from, duration for_so_long, time_point now) const;

   bool any() const { return any_; }
   host_id master() const { return master_; }

 private:
   static constexpr duration agree_for = std::chrono::seconds(10);
   static constexpr duration hold_pause = std::chrono::seconds(5);  // from the end of a hold

   struct candidate {
      host_id node = nowhere;
      host_id by = nowhere;  // the Sentinel
      std::uint64_t epoch = 0;
      bool promoted = false;
      time_point at = {};
   };
   struct subscription {
      line on;
      std::uint64_t epoch = 0;
      std::uint64_t failover_epoch = 0;
   };
   struct self {
      host_id node = nowhere;
      bool is_master = false;
      host_id follows = nowhere;
      time_point at = {};
   };

   void answered(const told&, time_point now);
   void suggested(const told&, time_point now);
   void nominate(const line&, const told&, time_point now);
   void give_up(host_id by, std::uint64_t epoch);
   void forget_disappointments(std::uint64_t followed_epoch);  // selections that led nowhere before it
   void look_for_denial();
   subscription& subscription_of(const line&);
   self& self_of(host_id);
   const self* find_self(host_id) const;
   const candidate* find(host_id) const;
   bool may_return(host_id to, time_point now) const;
   bool is_named(host_id) const;
   bool is_suggested(host_id) const;
   std::string named() const;

   bool any_ = false;
   std::uint64_t epoch_ = 0;
   host_id master_ = nowhere;
   std::vector<host_id> others_;  // named under the same epoch: Sentinels can differ for good
   time_point named_at_ = {};     // the last time that an answer named it
   std::vector<candidate> candidates_;
   std::vector<candidate> suggestions_;  // named under a newer epoch by learned Sentinels alone: it may be followed
   std::vector<subscription> subscriptions_;
   std::vector<self> selves_;
   candidate held_for_ = {};
   std::uint64_t held_epoch_ = 0;
   struct disappointment {
      host_id by = nowhere;
      std::uint64_t epoch = 0;
      time_point until = {};
   };
   std::vector<disappointment> disappointments_;  // of Sentinels that have selected a node
   host_id at_ = nowhere;                         // where they went last
   candidate gone_to_ = {};                       // where commands went before the Sentinels' answers named it
   time_point gone_at_ = {};
   bool denied_ = false;  // since `gone_at_` it said that it is a replica, and Sentinels named another one
};

}  // namespace holdfast::sim

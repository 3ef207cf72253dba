// News of who is the master, in the order in which one client has read them: what Sentinels answered and
// published, what servers said of themselves. The checkers hold the client to the promises of docs/guarantees.md by
// plain questions to this list. It knows the numbers of that page, and which selected node commands went to.
#pragma once

#include "sim/world/observation.hpp"

#include <holdfast/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
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

class news {
 public:
   struct settings {
      bool eager = true;           // a selection and the node's own word suffice
      bool follows_hints = false;  // a demoted master is asked for the node that it follows
      duration hold = {};          // of new writes, after a selection
      bool has_one_name = true;    // else a client can't tell that the node selected is the one that it is connected to
   };

   // `has_master`: the client has published one.
   void read(const line&, const told&, bool has_master, time_point now);
   void ended(const line&, time_point now);
   // A command went there.
   void went(host_id to);
   // Events of the client: it goes back from a node that it had followed; it takes the Sentinels for rebuilt.
   void withdrawn(host_id from, std::uint64_t epoch);
   void begins_anew(host_id master, std::uint64_t epoch, time_point now);

   // A configured Sentinel has answered.
   bool any() const { return newest_.has_value(); }
   // A Sentinel has selected it under an epoch newer than all answers, which the client knows.
   bool is_selected(host_id) const;
   // Why no command may go there; empty if it may.
   std::string objection(host_id to, const settings&) const;
   // Why the client may not go back to `to` from a node that it had followed; empty if it may.
   std::string objection_to_return(host_id from, std::uint64_t epoch, host_id to, time_point now) const;
   // The node that was selected to replace this master, if new writes to it are to be held for so long; or `nowhere`.
   host_id heir_of(host_id master, duration held, const settings&, time_point now) const;

 private:
   struct item : told {
      host_id from = nowhere;
      std::uint32_t on = 0;  // the connection
      bool binds = false;    // a listed Sentinel told it to a client that had a master
      time_point at = {};
   };
   struct followed_node {
      host_id node = nowhere;
      std::uint64_t epoch = 0;
   };
   const item* selection_of(host_id) const;   // the newest that stands
   bool stands(const item& selection) const;  // under a newer epoch than all answers, and its failover goes on
   bool is_known(const item& selection) const;
   bool is_heard(const item& selection) const;
   bool is_in_a_pause(const item& selection, duration hold) const;
   bool has_risen(const item& selection) const;
   host_id master_of(host_id) const;

   std::vector<item> items_;
   std::optional<told> newest_;  // of the answers of configured Sentinels
   followed_node followed_;      // commands went there before an answer named it
};

}  // namespace holdfast::sim

// What tells a lane where the master is: the watch, as the lane sees it. (Lane and watch have the same rank and do not
// know each other; the engine connects them, a test plays the part by script.)
#pragma once

#include <holdfast/endpoint.hpp>
#include <holdfast/error.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::lane {

struct named_node {
   endpoint where;
   std::uint64_t epoch = 0;
   std::uint64_t generation = 0;  // counts the changes
   // Of its process, where a Sentinel tells it: one that the lane is connected to is not left for another name of it.
   std::string run_id = {};

   friend bool operator==(const named_node&, const named_node&) = default;
};

// Why no master can be named.
struct trouble {
   errc code = errc::no_sentinel;
   text_list causes;
   bool final = false;  // waiting can't help, as far as can be known

   friend bool operator==(const trouble&, const trouble&) = default;
};

class guide {
 public:
   using round = std::uint64_t;

   // Starts to find out, unless that is under way since `now`. Every reconnection asks.
   virtual round ask(time_point now) = 0;
   virtual bool answered(round) const = 0;
   // The node to talk to. Its role is still to be verified, if `roles_matter`.
   virtual std::optional<named_node> target() const = 0;
   virtual std::optional<trouble> why_none() const = 0;
   // What Sentinels say against that node, for an error's causes; empty where they say nothing.
   virtual std::string objection() const { return {}; }
   virtual bool roles_matter() const = 0;  // false: one fixed server, whatever it is
   virtual bool in_doubt() const = 0;      // a switch was announced and is being asked about: hold new commands
   // A node is about to be promoted: new writes wait until then, where nothing of it happens sooner.
   virtual time_point hold_writes_until() const = 0;
   virtual bool failover_in_progress() const = 0;  // look more often
   virtual bool objectively_down() const = 0;      // enough Sentinels say that the master does not answer

   virtual void role_verified(const endpoint&, std::uint64_t epoch, time_point now) = 0;
   virtual void role_refused(const endpoint&, std::string_view role, time_point now) = 0;
   virtual void need(bool commands_wait, time_point now) = 0;  // commands wait, and there is no connection

 protected:
   ~guide() = default;
};

}  // namespace holdfast::lane

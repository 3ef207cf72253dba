// State of a topology source at one moment: where the master is, and all that a lane needs to know beside it. A plain
// value, which never changes once it is published; the other one is a lane's requests (topology_requests.hpp). Nothing
// else passes between them, in one engine and between threads.
#pragma once

#include <holdfast/endpoint.hpp>
#include <holdfast/error.hpp>
#include <holdfast/text_list.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace holdfast::impl {

struct master_node {
   endpoint where = {};
   std::uint64_t epoch = 0;       // the config-epoch under which the Sentinels know it
   std::uint64_t generation = 0;  // counts the changes of `where` or `epoch`, from 1
   // Of its process, where the Sentinels that name it tell it and agree. A node that a lane is connected to is not left
   // for another name of it.
   std::string run_id = {};

   friend bool operator==(const master_node&, const master_node&) = default;
};

// Why no master is named.
struct unavailable {
   errc code = errc::no_sentinel;  // no_sentinel, unknown_master or authentication_failed
   text_list causes = {};          // one for each Sentinel
   // Waiting can't help as far as can be known: every seed was reached, each either refuses our password or does not
   // know the name, and none ever did.
   bool final = false;

   friend bool operator==(const unavailable&, const unavailable&) = default;
};

struct topology_view {
   std::uint64_t version = 0;  // another one for each change of what follows
   std::optional<master_node> master = {};
   std::optional<unavailable> why_none = {};
   std::string objection = {};         // what Sentinels say against the master, for an error's causes; mostly empty
   bool verify_role = true;            // by whoever connects; false: one fixed server, whatever it is
   bool in_doubt = false;              // a switch was announced and is being asked about: hold new commands
   bool failover_in_progress = false;  // look more often
   bool objectively_down = false;      // enough Sentinels say that the master does not answer
   // A node is about to be promoted: new writes wait until then, where nothing of it happens sooner.
   time_point hold_writes_until = time_point::min();
   std::optional<duration> down_after = {};  // the longest that a Sentinel has configured

   friend bool operator==(const topology_view&, const topology_view&) = default;
};

// A view as one subscriber gets it.
struct topology_update {
   std::shared_ptr<const topology_view> view = std::make_shared<const topology_view>();
   std::uint64_t answered = 0;  // of the questions of this subscriber, counted as it counts them
};

}  // namespace holdfast::impl

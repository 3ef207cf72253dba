// Events that a Sentinel publishes about our master, as hints. A hint is never believed: it says when to ask.
#pragma once

#include <holdfast/endpoint.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::impl {

enum class hint_kind : std::uint8_t {
   switched,          // the master is another node from now on: ask, and hold new commands meanwhile
   down,              // the master does not answer this Sentinel
   up,                // it answers again
   objectively_down,  // enough Sentinels agree that it is down
   objectively_up,    // they no longer do
   new_epoch,         // `epoch` is the newest that it knows of: what is announced next belongs to it
   tries,             // it tries a failover, under the epoch announced before
   failing_over,      // a failover is under way
   selected,          // it has chosen the node to be promoted, and is about to promote it
   aborted,           // it was given up: the outage lasts
   finished,          // it is over
   configured,        // what the Sentinel knows of our master changed
   reset,             // it forgot what it knew of our master: no failover of it goes on
   sentinels,         // the set of Sentinels changed: ask for the list, too
   replicas,          // the set of replicas changed: the same
   told,              // worth telling; nothing to ask about
};

struct hint {
   hint_kind kind = hint_kind::told;
   // switched, selected: the new master; sentinels: the one that was met; of all else about the master itself: the
   // master as it was
   endpoint about = {};
   std::uint64_t epoch = 0;  // of new_epoch
   endpoint of = {};         // selected: the master that is to be replaced
   std::string id = {};      // sentinels: the run id

   friend bool operator==(const hint&, const hint&) = default;
};

// The channels worth a subscription. They are listed, instead of a pattern that matches all, so that a Sentinel with
// many masters does not send us every step of theirs, and because a user's ACL can allow them one by one.
std::span<const std::string_view> event_channels();

// Meaning of `payload`, published on `channel`, for the master called `name`; nothing if it is about another master,
// or makes no sense.
std::optional<hint> read_hint(std::string_view channel, std::string_view payload, std::string_view name);

}  // namespace holdfast::impl

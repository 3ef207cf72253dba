// The rules of belief: what the Sentinels' answers in hand amount to. Pure functions, so that the rules can be read,
// and tested, as a table.
#pragma once

#include "view/topology_view.hpp"

#include <holdfast/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::impl {

// The latest answer of one reachable Sentinel that knows the name.
struct sentinel_vote {
   endpoint where = {};
   std::uint64_t epoch = 0;
   bool repeated = false;    // the same as its answer before: not the two halves of a change
   bool configured = false;  // by the user, and not learned from another Sentinel
   bool proven = false;      // it has shown its run id
};

enum class belief_change : std::uint8_t {
   nothing,    // nobody says anything
   keep,       // what is believed stands
   adopt,      // believe `where` at `epoch` from now on
   ask_again,  // as `keep`, but somebody names another node under the same epoch: a second sentinel_vote is needed
};

struct master_choice {
   belief_change what = belief_change::nothing;
   endpoint where = {};
   std::uint64_t epoch = 0;

   friend bool operator==(const master_choice&, const master_choice&) = default;
};

// - The newest epoch in hand wins. If it is newer than what is believed, or nothing is believed yet, the address that
//   most of those with this epoch name is adopted (the first of them, where two are named as often).
// - Under the epoch that is believed, another address is adopted if more than half of those with this epoch name it,
//   and each of these said so twice. One who says so for the first time may have been asked for the epoch before, and
//   for the address after, a change; or its master was configured anew by hand.
// - An epoch older than what is believed changes nothing.
master_choice choose_master(const master_node* believed, std::span<const sentinel_vote> in_hand);

// Leaves out the epochs that are newer than what any configured Sentinel in hand says, unless more than half of the
// `known` Sentinels, each proven, have one: a learned Sentinel, or the address that it had, may have passed to another
// deployment. Whether anything was left out.
bool leave_out_unsupported(std::vector<sentinel_vote>& in_hand, std::size_t known);

// Agreement of all of `in_hand`, if it is older than what is believed, and if they are more than half of the `known`
// Sentinels: they may have been rebuilt from nothing. Where it lasts, and the role agrees, it is a new lineage.
std::optional<sentinel_vote> agreed_older(const master_node& believed, std::span<const sentinel_vote> in_hand,
                                          std::size_t known);

}  // namespace holdfast::impl

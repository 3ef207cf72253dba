// Reports of the Sentinels, taken together, on all but who the master is. Functions of what is known of each.
#pragma once

#include "topology/sentinel/rounds.hpp"
#include "topology/sentinel/sentinel_peer.hpp"
#include "view/topology_view.hpp"

#include <holdfast/error.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::impl {

std::string in_short(const unavailable&);

bool anyone(const sentinel_peers&, bool (sentinel_peer::*does)() const);

// Another place leads to the same Sentinel, and was answered later.
bool is_repeated_elsewhere(const sentinel_peers&, const sentinel_peer&);
// How far a round has come. Who confirms `believed` is counted where something is believed.
rounds::progress progress_of(const sentinel_peers&, const rounds::open_round&, const master_node* believed);

// The run id of the node at this address, where those that name it as the master show it, and agree.
std::string run_id_of(const sentinel_peers&, const endpoint& master);
// The replicas of this master that any Sentinel lists: one that is cut off may know an old list, and the newest may not
// have reached all. Nothing where no Sentinel answers.
std::optional<std::vector<listed_node>> listed_replicas(const sentinel_peers&, const endpoint& master);

// The word of the first Sentinel that names another node, in a sentence; empty where none does.
std::string objection_to(const master_node& target, const sentinel_peers&, duration agree_for);
// `order`: the numbers of those that are told about.
unavailable why_no_master(const sentinel_peers&, std::span<const std::size_t> order, const std::string& name,
                          bool ever_named);

}  // namespace holdfast::impl

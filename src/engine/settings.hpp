// The public configuration, cut into what each part needs.
#pragma once

#include "engine/callers.hpp"
#include "lane/command_lane.hpp"
#include "resp/reader.hpp"
#include "topology/sentinel/sentinel_tracker.hpp"
#include "view/topology_view.hpp"

#include <holdfast/config.hpp>

#include <cstddef>
#include <optional>

namespace holdfast::impl {

settings lane_settings(const config&, callers);
settings own_lane_settings(const config&);  // of one that one caller has alone
std::size_t parked_commands(const config&, callers);
sentinel_settings sentinel_settings_of(const config&);
topology_view fixed_view(const config&);  // of the one server, where there are no Sentinels
limits reply_limits(const config&);
limits probe_limits();  // of an answer to PING

// For a command without one of its own: long enough to ride out a failover that begins with `down_after` of silence.
duration default_deadline(std::optional<duration> down_after);

}  // namespace holdfast::impl

#include "engine/settings.hpp"

#include <algorithm>

namespace holdfast::impl {

std::size_t parked_commands(const config& c, callers who) {
   return c.limits.parked_commands.value_or(who == callers::many ? 1'000'000 : 10'000);
}

settings lane_settings(const config& c, callers who) {
   settings s;
   s.initial = {.username = c.username, .password = c.password, .name = c.client_name, .database = c.db};
   s.connecting.connect_timeout = c.connect_timeout;
   s.connecting.backoff = c.resend.backoff;
   s.connecting.reconnect_spread = c.reconnect_spread;
   s.attempt_timeout = c.attempt_timeout;
   s.max_resends = c.resend.max_resends;
   s.queued_commands = parked_commands(c, who);
   if (who == callers::many) s.use = lane_use::shared;
   s.queued_bytes = c.limits.parked_bytes;
   s.in_flight = c.limits.in_flight;
   s.in_flight_before_first_reply = std::min(c.limits.in_flight, c.limits.in_flight_before_first_reply);
   s.tests_multi = true;
   return s;
}

settings own_lane_settings(const config& c) {
   settings s = lane_settings(c, callers::one);
   s.use = lane_use::own;
   return s;
}

sentinel_settings sentinel_settings_of(const config& c) {
   sentinel_settings s;
   s.sentinels = c.sentinels;
   s.master = c.master;
   s.username = c.sentinel_username;
   s.password = c.sentinel_password;
   s.timeout = c.sentinel_timeout;
   s.node_username = c.username;
   s.node_password = c.password;
   s.client_name = c.client_name;
   s.node_timeout = c.connect_timeout;
   s.eager = c.cutover == cutover::eager;
   s.warm = c.warm_replicas;
   s.hold_on_selected = c.hold_on_selected;
   s.follow_role_hint = c.follow_role_hint;
   s.reconnect_spread = c.reconnect_spread;
   return s;
}

topology_view fixed_view(const config& c) {
   return {.master = master_node{.where = c.server, .generation = 1}, .verify_role = false};
}

limits reply_limits(const config& c) {
   return {.reply_bytes = c.limits.reply_bytes,
           .depth = static_cast<unsigned>(c.limits.reply_nesting),
           .elements = c.limits.reply_elements};
}

limits probe_limits() { return {.reply_bytes = 64 * 1024, .depth = 4, .elements = 64}; }

duration default_deadline(std::optional<duration> down_after) {
   using namespace std::chrono_literals;
   if (!down_after) return 10s;
   // A new lineage takes ten seconds of agreement, and a moment to be noticed and verified.
   return std::max<duration>(12s, *down_after + 8s);
}

}  // namespace holdfast::impl

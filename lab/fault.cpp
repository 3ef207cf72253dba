#include "lab/fault.hpp"

#include "lab/faults/all.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::lab {

deployment_options fault::shape(deployment_options wanted) const {
   wanted.replicas = needs.alone ? 0 : std::max(wanted.replicas, needs.replicas);
   wanted.sentinels = needs.alone ? 0 : std::max(wanted.sentinels, needs.sentinels);
   wanted.durable = wanted.durable || needs.durable;
   wanted.proxy = wanted.proxy || needs.proxy;
   wanted.down_after = std::max(wanted.down_after, needs.down_after);
   wanted.failover_timeout = needs.failover_timeout.value_or(wanted.failover_timeout);
   if (wanted.node_login.password.empty()) wanted.node_login.password = needs.password;
   wanted.node_config.insert(wanted.node_config.end(), needs.node_config.begin(), needs.node_config.end());
   return wanted;
}

void pass(milliseconds time, const std::stop_token& stop) {
   became_true([&] { return stop.stop_requested(); }, time);
}

std::vector<fault> every_fault() {
   using namespace faults;
   return {kill(),          stop(),          shutdown(),        failover(),    reply_loss(), connection_kill(),
           restart(),       partition(),     partition_reset(), blackout(),    slow(),       slower(),
           sentinel_loss(), sentinel_deaf(), sentinel_stale(),  two(),         noquorum(),   max_clients(),
           loading(),       out_of_memory(), misconf(),         no_replicas(), busy(),       pause(),
           auth(),          revive(),        rogue(),           takeover()};
}

std::optional<fault> fault_named(std::string_view name) {
   for (fault& candidate : every_fault())
      if (candidate.name == name) return std::move(candidate);
   return std::nullopt;
}

}  // namespace holdfast::lab

#include "lab/fault.hpp"

#include "lab/faults/all.hpp"

namespace holdfast::lab {

std::vector<std::unique_ptr<fault>> every_fault() {
   std::vector<std::unique_ptr<fault>> all;
   all.push_back(make_kill());
   all.push_back(make_stop());
   all.push_back(make_shutdown());
   all.push_back(make_failover());
   all.push_back(make_reply_loss());
   all.push_back(make_connection_kill());
   all.push_back(make_restart());
   all.push_back(make_partition());
   all.push_back(make_partition_reset());
   all.push_back(make_blackout());
   all.push_back(make_slow());
   all.push_back(make_slower());
   all.push_back(make_sentinel_loss());
   all.push_back(make_sentinel_deaf());
   all.push_back(make_sentinel_stale());
   all.push_back(make_two());
   all.push_back(make_noquorum());
   all.push_back(make_max_clients());
   all.push_back(make_loading());
   all.push_back(make_out_of_memory());
   all.push_back(make_misconf());
   all.push_back(make_no_replicas());
   all.push_back(make_busy());
   all.push_back(make_pause());
   all.push_back(make_auth());
   all.push_back(make_revive());
   all.push_back(make_rogue());
   all.push_back(make_takeover());
   return all;
}

std::unique_ptr<fault> fault_named(std::string_view name) {
   for (auto& candidate : every_fault())
      if (candidate->name() == name) return std::move(candidate);
   return nullptr;
}

}  // namespace holdfast::lab

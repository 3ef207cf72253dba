// How a Sentinel describes what it watches: the fields of SENTINEL MASTER, REPLICAS and SENTINELS, in their order.
#include "sim/servers/sentinel_model.hpp"

#include <algorithm>

namespace holdfast::sim {

std::string sentinel_model::flags_of(const instance& i) const {
   const bool is_master = i.is == type::master;
   std::string flags;
   const auto say = [&](bool so, std::string_view flag) {
      if (!so) return;
      if (!flags.empty()) flags += ',';
      flags += flag;
   };
   say(i.down_since != 0, "s_down");
   say(is_master && objectively_down_, "o_down");
   say(true, is_master ? "master" : i.is == type::replica ? "slave" : "sentinel");
   say(!i.connected, "disconnected");
   say(i.says_down, "master_down");
   say(is_master && state_ != failover_state::none, "failover_in_progress");
   say(i.promoted, "promoted");
   say(i.reconfigured == reconf::sent, "reconf_sent");
   say(i.reconfigured == reconf::in_progress, "reconf_inprog");
   say(i.reconfigured == reconf::done, "reconf_done");
   say(is_master && forced_, "force_failover");
   return flags;
}

void sentinel_model::answer_instance(session& s, const instance& i) {
   const bool is_master = i.is == type::master;
   const bool is_sentinel = i.is == type::sentinel;
   const std::string address = address_of(i);
   const std::string port = is_sentinel ? "26379" : "6379";
   const std::string id = is_sentinel ? id_of(i.run) : run_id(i.host, i.run);
   std::string fields;
   std::size_t n = 0;
   const auto field = [&](std::string_view name, std::string_view text) {
      add_bulk(fields, name);
      add_bulk(fields, text);
      ++n;
   };
   const auto number = [&](std::string_view name, auto value) { field(name, std::to_string(value)); };
   field("name", is_master ? settings.master_name : is_sentinel ? id : address + ":" + port);
   field("ip", address);
   field("port", port);
   field("runid", is_sentinel || i.run != 0 ? id : "");
   field("flags", flags_of(i));
   field("link-pending-commands", "0");
   field("link-refcount", "1");
   if (is_master && state_ != failover_state::none) field("failover-state", to_string(state_));
   number("last-ping-sent", i.pinged_since == 0 ? 0 : now() - i.pinged_since);
   number("last-ok-ping-reply", now() - i.last_available);
   number("last-ping-reply", now() - i.last_pong);
   if (i.down_since != 0) number("s-down-time", now() - i.down_since);
   if (is_master && objectively_down_) number("o-down-time", now() - i.down_since);
   number("down-after-milliseconds", settings.down_after);
   if (!is_sentinel) {
      number("info-refresh", i.last_info <= 1 ? 0 : now() - i.last_info);
      field("role-reported", i.says_master ? "master" : "slave");
      number("role-reported-time", now() - i.role_since);
   }
   const auto count = [&](type t) {
      return std::count_if(instances_.begin(), instances_.end(), [&](const instance& x) { return x.is == t; });
   };
   if (is_master) {
      number("config-epoch", config_epoch_);
      number("num-slaves", count(type::replica));
      number("num-other-sentinels", count(type::sentinel));
      number("quorum", settings.quorum);
      number("failover-timeout", settings.failover_timeout);
      number("parallel-syncs", settings.parallel_syncs);
   } else if (is_sentinel) {
      number("last-hello-message", now() - i.heard_hello);
      field("voted-leader", i.leader == nobody ? "?" : id_of(i.leader));
      number("voted-leader-epoch", i.leader_epoch);
   } else {
      number("master-link-down-time", i.its_link_down);
      field("master-link-status", i.its_link_up ? "ok" : "err");
      field("master-host", i.its_master == nowhere ? "?" : node_at(i.its_master));
      field("master-port", i.its_master == nowhere ? "0" : "6379");
      number("slave-priority", i.priority);
      number("slave-repl-offset", i.offset);
      number("replica-announced", 1);
   }
   add_number(s.out, s.resp3 ? '%' : '*', static_cast<long long>(s.resp3 ? n : 2 * n));
   s.out += fields;
}

void sentinel_model::answer_all(session& s, type t) {
   const auto n = std::count_if(instances_.begin(), instances_.end(), [&](const instance& i) { return i.is == t; });
   add_array(s.out, static_cast<std::size_t>(n));
   for (const instance& i : instances_) {
      if (i.is == t) answer_instance(s, i);
   }
}

}  // namespace holdfast::sim

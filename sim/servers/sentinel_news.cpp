// What comes to a Sentinel from servers and from other Sentinels, and what it makes of it.
#include "sim/servers/sentinel_model.hpp"

#include <algorithm>

namespace holdfast::sim {

void sentinel_model::on(const event& e) {
   const auto kind = static_cast<message>(e.sub);
   switch (kind) {
      // It serves others, whether or not it knows them.
      case message::open_link: return shared_.post(host_, e.a, message::link_opened, 0, 0, e.e);
      case message::ping: return shared_.post(host_, e.a, message::pong, 0, 0, e.e);
      case message::is_master_down: return on_ask(e);
      case message::publish_hello: return on_hello(e);
      default: break;
   }
   instance* const i = find(e.a, e.e);
   if (i == nullptr) return;
   switch (kind) {
      case message::link_opened:
         i->connected = true;
         i->connecting = false;
         i->connected_at = now();
         return send_ping(*i);
      case message::link_lost: i->connected = i->connecting = false; return;
      case message::pong:
         i->last_pong = i->last_available = now();
         i->pinged_since = 0;
         return;
      case message::info: return on_info(*i, read_info(e.c, e.d));
      case message::hear_hello: return on_hello(e);
      case message::master_is_down:
         i->said_at = now();
         i->says_down = e.c >> 32 != 0;
         if (static_cast<std::uint32_t>(e.c) != nobody) {
            i->leader = static_cast<std::uint32_t>(e.c);
            i->leader_epoch = e.d;
         }
         return;
      default: return;
   }
}

void sentinel_model::on_hello(const event& e) {
   const auto from = static_cast<host_id>(e.d);
   const auto who = static_cast<std::uint32_t>(e.d >> 32);
   const auto named_master = static_cast<host_id>(e.c & 0xff);
   const std::uint64_t current = e.c >> 8 & 0xfffffff;
   const std::uint64_t config = e.c >> 36;
   if (who == identity_ || from == host_) return;
   meet(from, who);
   find(from)->heard_hello = now();
   if (current > current_epoch_) {
      current_epoch_ = current;
      tell_epoch();
   }
   if (config <= config_epoch_) return;
   config_epoch_ = config;
   if (master().host != named_master) {
      publish("+config-update-from", *find(from));
      change_master(named_master);
   }
}

// One that is known elsewhere has moved. Another one at a known address takes the place of who was there. (That one
// stays listed without an address until the next reset: a client reads nothing from that.)
void sentinel_model::meet(host_id at, std::uint32_t who) {
   instance* const there = find(at);
   if (there != nullptr && there->is == type::sentinel && there->run == who) return;
   const std::size_t before = instances_.size();
   const auto moved = [&](const instance& i) { return i.is == type::sentinel && i.run == who; };
   instances_.erase(std::remove_if(instances_.begin(), instances_.end(), moved), instances_.end());
   const bool has_moved = instances_.size() != before;
   std::erase_if(instances_, [&](const instance& i) { return i.is == type::sentinel && i.host == at; });
   instance& met = add(at, type::sentinel);
   met.run = who;
   if (!has_moved) return publish("+sentinel", met);
   publish("+sentinel-address-switch", master(), " ip " + address_of_host(at) + " port 26379 for " + id_of(who));
}

void sentinel_model::on_info(instance& i, const info_of& said) {
   i.last_info = now();
   if (i.run != 0 && i.run != said.run) publish("+reboot", i);
   i.run = said.run;
   if (said.is_master && i.is == type::master) {
      for (host_id h = 0; h < 8; ++h) {
         if ((said.replicas >> h & 1) == 0 || find(h) != nullptr) continue;
         instance& met = add(h, type::replica);
         met.its_master = i.host;
         publish("+slave", met);
      }
   }
   if (i.says_master != said.is_master) {
      i.says_master = said.is_master;
      i.role_since = now();
      if (!said.is_master) i.master_since = now();
      const bool as_configured = said.is_master == (i.is == type::master);
      publish(as_configured ? "+role-change" : "-role-change", i,
              said.is_master ? " new reported role is master" : " new reported role is slave");
   }
   i.its_link_down = said.link_down_ms / 1000 * 1000;  // INFO says it in seconds
   if (!said.is_master) {
      if (i.its_master != said.master) {
         i.its_master = said.master;
         i.master_since = now();
      }
      i.its_link_up = said.link_up;
      i.offset = said.offset;
      i.priority = said.priority;
   }
   if (!tilt_ && i.is == type::replica) on_replica_info(i, said);
}

void sentinel_model::on_replica_info(instance& i, const info_of& said) {
   const ms t = now();
   constexpr ms wait = publish_period * 4;
   if (said.is_master) {
      if (i.promoted && state_ == failover_state::wait_promotion) {
         config_epoch_ = failover_epoch_;
         set_state(failover_state::reconf_slaves);
         publish("+promoted-slave", i);
         publish("+failover-state-reconf-slaves", master());
         force_hello();
      } else if (!i.promoted && is_sane(master()) && fine_for(i, wait) && t - i.role_since > wait) {
         publish("+convert-to-slave", i);
         order(i, master().host);
      }
      return;
   }
   if (i.its_master != master().host && is_sane(master()) && fine_for(i, settings.failover_timeout) &&
       t - i.master_since > settings.failover_timeout) {
      publish("+fix-slave-config", i);
      order(i, master().host);
   }
   if (i.reconfigured == reconf::sent && promoted_ != nowhere && i.its_master == promoted_) {
      i.reconfigured = reconf::in_progress;
      publish("+slave-reconf-inprog", i);
   }
   if (i.reconfigured == reconf::in_progress && i.its_link_up) {
      i.reconfigured = reconf::done;
      publish("+slave-reconf-done", i);
   }
}

void sentinel_model::order(instance& i, host_id new_master) {
   if (i.connected) shared_.post(host_, i.host, message::reconfigure, new_master, 0, i.link);
}

bool sentinel_model::is_sane(const instance& m) const {
   return m.says_master && m.down_since == 0 && !objectively_down_ && now() - m.last_info < info_period * 2;
}

bool sentinel_model::fine_for(const instance& i, ms how_long) const {
   return i.went_down == 0 || now() - i.went_down > how_long;
}

}  // namespace holdfast::sim

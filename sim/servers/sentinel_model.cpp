#include "sim/servers/sentinel_model.hpp"

#include <algorithm>

namespace holdfast::sim {

namespace {

using ms = sentinel_model::ms;

constexpr ms ping_period = 1'000;
constexpr ms ask_period = 1'000;
constexpr ms reconnect_period = 15'000;
constexpr ms tilt_trigger = 2'000;
constexpr ms tilt_period = 30'000;

std::uint64_t pack_hello(host_id master, std::uint64_t current, std::uint64_t config) {
   return std::uint64_t{master} | current << 8 | config << 36;
}

}  // namespace

std::string_view to_string(failover_state s) {
   switch (s) {
      case failover_state::none: return "none";
      case failover_state::wait_start: return "wait_start";
      case failover_state::select_slave: return "select_slave";
      case failover_state::send_slaveof_noone: return "send_slaveof_noone";
      case failover_state::wait_promotion: return "wait_promotion";
      case failover_state::reconf_slaves: return "reconf_slaves";
      case failover_state::update_config: return "update_config";
   }
   return "?";
}

sentinel_model::sentinel_model(shared_state& f, host_id h, sentinel_settings s)
   : settings(std::move(s)), shared_(f), host_(h), identity_(h) {}

sentinel_model::ms sentinel_model::now() const {
   return std::chrono::duration_cast<std::chrono::milliseconds>(shared_.time.now().time_since_epoch()).count() +
          clock_offset_;
}

// ---- to begin -----------------------------------------------------------------------------------------------------

void sentinel_model::begin(host_id m, const std::vector<host_id>& replicas, const std::vector<host_id>& others,
                           std::uint64_t epoch, bool fresh) {
   instances_.clear();
   add(m, type::master).says_master = true;
   if (!fresh) {
      for (const host_id r : replicas) add(r, type::replica).its_master = m;
      for (const host_id o : others) {
         if (o != host_) add(o, type::sentinel);
      }
   }
   config_epoch_ = current_epoch_ = epoch;
   state_ = failover_state::none;
   promoted_ = nowhere;
   leader_ = nobody;
   leader_epoch_ = 0;
   failover_started_ = state_changed_ = 0;
   forced_ = objectively_down_ = false;
   started_ = true;
   last_timer_ = now();
   arm_timer();
}

void sentinel_model::arm_timer() {
   if (timer_armed_) return;
   timer_armed_ = true;
   // 10 to 19 times a second, never the same, so that no two Sentinels stay in step.
   const auto period = std::chrono::milliseconds(1000 / shared_.chance.from_to(10, 19));
   shared_.time.in(period, {.c = process_, .a = host_, .kind = what::sentinel_timer});
}

sentinel_model::instance& sentinel_model::add(host_id h, type t) {
   instance i;
   i.host = h;
   i.is = t;
   // As if pinged right now: one that never answers is noticed as well.
   i.pinged_since = i.last_available = i.last_pong = i.role_since = i.master_since = now();
   i.last_publish = i.said_at = i.heard_hello = now();
   i.says_master = t == type::master;
   if (t == type::sentinel && shared_.sentinels[h] != nullptr) i.run = shared_.sentinels[h]->identity_;
   instances_.push_back(i);
   return instances_.back();
}

sentinel_model::instance* sentinel_model::find(host_id h) {
   const auto found =
      std::find_if(instances_.begin(), instances_.end(), [&](const instance& i) { return i.host == h; });
   return found == instances_.end() ? nullptr : &*found;
}

bool sentinel_model::lists(host_id other_sentinel) const {
   return std::any_of(instances_.begin(), instances_.end(),
                      [&](const instance& i) { return i.is == type::sentinel && i.host == other_sentinel; });
}

sentinel_model::instance* sentinel_model::find(host_id h, std::uint32_t link) {
   instance* const i = find(h);
   return i != nullptr && i->link == link && (i->connected || i->connecting) ? i : nullptr;
}

void sentinel_model::crash() {
   for (instance& i : instances_) {
      if (i.connected) shared_.post(host_, i.host, message::link_lost, 0, 0, i.link);
      i.connected = i.connecting = false;
   }
   sessions_.clear();
   readable_.clear();
   shared_.forget(host_);
}

void sentinel_model::start() {
   ++process_;
   timer_armed_ = turn_wanted_ = false;
   const std::deque<instance> known = std::move(instances_);
   take_up(state_ >= failover_state::reconf_slaves && promoted_ != nowhere ? promoted_ : known.front().host, known);
}

// What its configuration holds: the master, and whom it knew.
void sentinel_model::take_up(host_id m, const std::deque<instance>& known) {
   std::vector<host_id> replicas;
   for (const instance& i : known) {
      if (i.is != type::sentinel && i.host != m) replicas.push_back(i.host);
   }
   const std::uint64_t current = current_epoch_;
   const std::uint64_t voted = leader_epoch_;
   const std::uint32_t leader = leader_;
   begin(m, replicas, {}, config_epoch_, false);
   for (const instance& i : known) {
      if (i.is == type::sentinel) add(i.host, type::sentinel).run = i.run;
   }
   current_epoch_ = current;
   leader_epoch_ = voted;
   leader_ = leader;
}

void sentinel_model::moves_to(host_id h) { host_ = h; }

void sentinel_model::becomes_another(std::uint32_t identity) {
   identity_ = identity;
   clock_offset_ = 0;
   instances_.resize(1);
   current_epoch_ = config_epoch_ = leader_epoch_ = 0;
   leader_ = nobody;
   state_ = failover_state::none;
}

void sentinel_model::copies(const sentinel_model& other) {
   identity_ = other.identity_;
   instances_ = other.instances_;
   current_epoch_ = other.current_epoch_;
   config_epoch_ = other.config_epoch_;
   leader_epoch_ = other.leader_epoch_;
   leader_ = other.leader_;
}

void sentinel_model::forget_others() {
   if (!started_) return;
   publish("+reset-master", master());
   const std::uint64_t current = current_epoch_;
   const std::uint64_t voted = leader_epoch_;
   begin(named(), {}, {}, config_epoch_, true);
   current_epoch_ = current;
   leader_epoch_ = voted;
}

void sentinel_model::wake() {
   if (!readable_.empty()) want_turn();
   arm_timer();
}

// ---- the timer ----------------------------------------------------------------------------------------------------

void sentinel_model::on_timer(std::uint64_t process) {
   if (process != process_) return;
   timer_armed_ = false;
   if (!shared_.net.works(host_) || !started_) return;
   const ms delta = now() - last_timer_;
   last_timer_ = now();
   if (delta < 0 || delta > tilt_trigger) {
      tilt_ = true;
      tilt_since_ = now();
      publish_text("+tilt", "#tilt mode entered");
   }
   for (std::size_t i = 0; i < instances_.size(); ++i) look_after(instances_[i]);
   if (state_ == failover_state::update_config && promoted_ != nowhere) change_master(promoted_);
   arm_timer();
}

void sentinel_model::look_after(instance& i) {
   connect(i);
   send_periodic(i);
   if (tilt_) {
      if (now() - tilt_since_ < tilt_period) return;
      tilt_ = false;
      publish_text("-tilt", "#tilt mode exited");
   }
   check_down(i);
   if (i.is != type::master) return;
   check_objectively_down();
   const bool before = state_ != failover_state::none;
   start_failover_if_needed();
   if (!before && state_ != failover_state::none) ask_others(true);
   step();
   ask_others(false);
}

void sentinel_model::connect(instance& i) {
   if (i.connected) return;
   if (i.tried != 0 && now() - i.tried < ping_period && i.connecting) return;
   i.tried = now();
   i.connecting = true;
   i.link = next_link_++;
   shared_.post(host_, i.host, message::open_link, 0, 0, i.link);
}

void sentinel_model::send_periodic(instance& i) {
   if (!i.connected) return;
   const ms t = now();
   if (i.is != type::sentinel) {
      const bool hurry =
         i.is == type::replica && (objectively_down_ || state_ != failover_state::none || i.its_link_down != 0);
      if (i.last_info == 0 || t - i.last_info > (hurry ? 1000 : info_period)) {
         // Asked again each time until it answers: the links of the model are cheap.
         shared_.post(host_, i.host, message::info_ask, 0, 0, i.link);
         if (i.last_info == 0) i.last_info = 1;
      }
   }
   const ms period = std::min(settings.down_after, ping_period);
   if (t - i.last_pong > period && t - i.last_ping > period / 2) send_ping(i);
   if (t - i.last_publish > publish_period) {
      // A server hands it on to its subscribers; a Sentinel takes it as said to itself.
      i.last_publish = t;
      shared_.post(host_, i.host, message::publish_hello, pack_hello(named(), current_epoch_, config_epoch_),
                   host_ | std::uint64_t{identity_} << 32, i.link);
   }
}

void sentinel_model::send_ping(instance& i) {
   i.last_ping = now();
   if (i.pinged_since == 0) i.pinged_since = i.last_ping;
   shared_.post(host_, i.host, message::ping, 0, 0, i.link);
}

// ---- down? --------------------------------------------------------------------------------------------------------

void sentinel_model::check_down(instance& i) {
   const ms t = now();
   ms elapsed = 0;
   if (i.pinged_since != 0)
      elapsed = t - i.pinged_since;
   else if (!i.connected)
      elapsed = t - i.last_available;
   if (i.connected && t - i.connected_at > reconnect_period && i.pinged_since != 0 &&
       t - i.pinged_since > settings.down_after / 2 && t - i.last_pong > settings.down_after / 2) {
      i.connected = false;
   }
   const bool down = elapsed > settings.down_after || (i.is == type::master && !i.says_master &&
                                                       t - i.role_since > settings.down_after + info_period * 2);
   if (down == (i.down_since != 0)) return;
   i.down_since = down ? t : 0;
   if (down) i.went_down = t;
   publish(down ? "+sdown" : "-sdown", i);
}

void sentinel_model::check_objectively_down() {
   unsigned votes = 0;
   if (master().down_since != 0) {
      votes = 1;
      for (const instance& i : instances_) votes += i.is == type::sentinel && i.says_down;
   }
   const bool down = votes != 0 && votes >= settings.quorum;
   if (down == objectively_down_) return;
   objectively_down_ = down;
   if (down)
      publish("+odown", master(), " #quorum " + std::to_string(votes) + "/" + std::to_string(settings.quorum));
   else
      publish("-odown", master());
}

void sentinel_model::ask_others(bool at_once) {
   const ms t = now();
   for (instance& i : instances_) {
      if (i.is != type::sentinel) continue;
      if (t - i.said_at > ask_period * 5) {
         i.says_down = false;
         i.leader = nobody;
      }
      if (master().down_since == 0 || !i.connected) continue;
      if (!at_once && t - i.said_at < ask_period) continue;
      const std::uint32_t candidate = state_ != failover_state::none ? identity_ : nobody;
      shared_.post(host_, i.host, message::is_master_down, std::uint64_t{master().host} << 32 | candidate,
                   current_epoch_, i.link);
   }
}

void sentinel_model::on_ask(const event& e) {
   const auto about = static_cast<host_id>(e.c >> 32);
   const auto candidate = static_cast<std::uint32_t>(e.c);
   const bool down = !tilt_ && about == master().host && master().down_since != 0;
   std::uint32_t voted = nobody;
   std::uint64_t epoch = 0;
   if (about == master().host && candidate != nobody) voted = vote_for(e.d, candidate, epoch);
   shared_.post(host_, e.a, message::master_is_down, std::uint64_t{down} << 32 | voted, epoch, e.e);
}

}  // namespace holdfast::sim

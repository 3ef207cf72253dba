// How Sentinels agree that one of them shall promote a replica, and how it does.
#include "sim/servers/sentinel_model.hpp"

#include <algorithm>
#include <tuple>

namespace holdfast::sim {

namespace {

using ms = sentinel_model::ms;

constexpr ms election_timeout = 10'000;
constexpr std::uint32_t desync = 1'000;
constexpr ms reconf_timeout = 10'000;

}  // namespace

void sentinel_model::set_state(failover_state s) {
   state_ = s;
   state_changed_ = now();
   shared_.note(host_, [&] { return "failover state " + std::string(to_string(s)); });
}

void sentinel_model::start_failover_if_needed() {
   if (!objectively_down_ || state_ != failover_state::none) return;
   if (failover_started_ != 0 && now() - failover_started_ < settings.failover_timeout * 2) return;
   start_failover();
}

void sentinel_model::start_failover() {
   set_state(failover_state::wait_start);
   failover_epoch_ = ++current_epoch_;
   tell_epoch();
   publish("+try-failover", master());
   failover_started_ = now() + shared_.chance.below(desync);
}

bool sentinel_model::fail_over() {
   if (state_ != failover_state::none || fittest() == nullptr) return false;
   start_failover();
   forced_ = true;
   return true;
}

std::uint32_t sentinel_model::vote_for(std::uint64_t epoch, std::uint32_t who, std::uint64_t& leader_epoch) {
   if (epoch > current_epoch_) {
      current_epoch_ = epoch;
      tell_epoch();
   }
   if (leader_epoch_ < epoch && current_epoch_ <= epoch) {
      leader_ = who;
      leader_epoch_ = current_epoch_;
      publish_text("+vote-for-leader", id_of(who) + " " + std::to_string(leader_epoch_));
      if (who != identity_) failover_started_ = now() + shared_.chance.below(desync);
   }
   leader_epoch = leader_epoch_;
   return leader_;
}

std::uint32_t sentinel_model::elected() {
   struct votes_for {
      std::uint32_t who = nobody;
      unsigned votes = 0;
   };
   std::vector<votes_for> all;
   const auto count = [&](std::uint32_t who) {
      auto found = std::find_if(all.begin(), all.end(), [&](const votes_for& v) { return v.who == who; });
      if (found == all.end()) found = all.insert(all.end(), {who, 0});
      ++found->votes;
   };
   // The first of those with the most.
   const auto best = [&] {
      const auto most = std::max_element(all.begin(), all.end(),
                                         [](const votes_for& a, const votes_for& b) { return a.votes < b.votes; });
      return most == all.end() ? votes_for{} : *most;
   };
   unsigned voters = 1;
   for (const instance& i : instances_) {
      if (i.is != type::sentinel) continue;
      ++voters;
      if (i.leader != nobody && i.leader_epoch == current_epoch_) count(i.leader);
   }
   std::uint64_t epoch = 0;
   const std::uint32_t mine = vote_for(failover_epoch_, all.empty() ? identity_ : best().who, epoch);
   if (mine != nobody && epoch == failover_epoch_) count(mine);
   const votes_for winner = best();
   return winner.votes >= voters / 2 + 1 && winner.votes >= settings.quorum ? winner.who : nobody;
}

void sentinel_model::step() {
   switch (state_) {
      case failover_state::none:
      case failover_state::update_config: return;
      case failover_state::wait_start: return wait_start();
      case failover_state::select_slave: return select_replica();
      case failover_state::send_slaveof_noone: {
         instance* const chosen = find(promoted_);
         if (!chosen->connected) {
            if (now() - state_changed_ <= settings.failover_timeout) return;
            publish("-failover-abort-slave-timeout", master());
            return abort_failover();
         }
         order(*chosen, nowhere);
         publish("+failover-state-wait-promotion", *chosen);
         return set_state(failover_state::wait_promotion);
      }
      case failover_state::wait_promotion:
         if (now() - state_changed_ <= settings.failover_timeout) return;
         publish("-failover-abort-slave-timeout", master());
         return abort_failover();
      case failover_state::reconf_slaves: return reconfigure_replicas();
   }
}

void sentinel_model::wait_start() {
   if (elected() != identity_ && !forced_) {
      if (now() - failover_started_ <= std::min(election_timeout, settings.failover_timeout)) return;
      publish("-failover-abort-not-elected", master());
      return abort_failover();
   }
   publish("+elected-leader", master());
   set_state(failover_state::select_slave);
   publish("+failover-state-select-slave", master());
}

// By priority, then by offset, then by the id of its run.
sentinel_model::instance* sentinel_model::fittest() {
   const ms t = now();
   const bool down = master().down_since != 0;
   const ms longest_down = (down ? t - master().down_since : 0) + settings.down_after * 10;
   const ms validity = down ? 5'000 : 30'000;
   instance* best = nullptr;
   for (instance& i : instances_) {
      const bool fit = i.is == type::replica && i.down_since == 0 && i.connected && t - i.last_available <= 5'000 &&
                       i.priority != 0 && t - i.last_info <= validity && i.its_link_down <= longest_down;
      if (!fit) continue;
      const auto rank = [](const instance& x) { return std::tuple(x.priority, ~x.offset, run_id(x.host, x.run)); };
      if (best == nullptr || rank(i) < rank(*best)) best = &i;
   }
   return best;
}

void sentinel_model::select_replica() {
   instance* const best = fittest();
   if (best == nullptr) {
      publish("-failover-abort-no-good-slave", master());
      return abort_failover();
   }
   best->promoted = true;
   promoted_ = best->host;
   publish("+selected-slave", *best);
   shared_.user.selected(best->host);
   set_state(failover_state::send_slaveof_noone);
   publish("+failover-state-send-slaveof-noone", *best);
}

void sentinel_model::abort_failover() {
   forced_ = false;
   if (instance* const chosen = find(promoted_)) chosen->promoted = false;
   promoted_ = nowhere;
   set_state(failover_state::none);
}

void sentinel_model::reconfigure_replicas() {
   const ms t = now();
   unsigned in_progress = 0;
   for (const instance& i : instances_)
      in_progress += i.reconfigured == reconf::sent || i.reconfigured == reconf::in_progress;
   for (instance& i : instances_) {
      if (i.is != type::replica || i.promoted || i.reconfigured == reconf::done) continue;
      if (i.reconfigured == reconf::sent && t - i.reconfigured_at > reconf_timeout) {
         publish("-slave-reconf-sent-timeout", i);
         i.reconfigured = reconf::done;
      }
      if (i.reconfigured != reconf::none || !i.connected || in_progress >= settings.parallel_syncs) continue;
      order(i, promoted_);
      i.reconfigured = reconf::sent;
      i.reconfigured_at = t;
      publish("+slave-reconf-sent", i);
      ++in_progress;
   }
   detect_end();
}

void sentinel_model::detect_end() {
   const instance* const chosen = find(promoted_);
   if (chosen == nullptr || chosen->down_since != 0) return;
   bool left = false;
   for (const instance& i : instances_)
      left = left || (i.is == type::replica && !i.promoted && i.reconfigured != reconf::done && i.down_since == 0);
   const bool timeout = now() - state_changed_ > settings.failover_timeout;
   if (left && !timeout) return;
   if (timeout) publish("+failover-end-for-timeout", master());
   publish("+failover-end", master());
   set_state(failover_state::update_config);
   if (timeout) {
      for (instance& i : instances_) {
         const bool left_out = i.reconfigured == reconf::none || i.reconfigured == reconf::in_progress;
         if (i.is != type::replica || i.promoted || !left_out || !i.connected) continue;
         order(i, promoted_);
         publish("+slave-reconf-sent-be", i);
      }
   }
}

// All that was known of the others begins anew, but for who they are.
void sentinel_model::change_master(host_id to) {
   const host_id from = master().host;
   publish_text("+switch-master", settings.master_name + " " + node_at(from) + " 6379 " + node_at(to) + " 6379",
                {observation::switched, config_epoch_, to});
   std::deque<instance> before;
   before.swap(instances_);
   // When it last asked, and told, its master: that stays, though the master is another.
   add(to, type::master).last_info = before.front().last_info;
   master().last_publish = before.front().last_publish;
   for (const instance& i : before) {
      if (i.is == type::sentinel)
         instances_.push_back(i);
      else if (i.host != to)
         publish("+slave", add(i.host, type::replica));
   }
   state_ = failover_state::none;
   promoted_ = nowhere;
   leader_ = nobody;
   failover_started_ = state_changed_ = 0;
   forced_ = objectively_down_ = false;
}

void sentinel_model::force_hello() {
   for (instance& i : instances_) i.last_publish -= publish_period + 1;
}

host_id sentinel_model::named() const {
   const bool switched = state_ >= failover_state::reconf_slaves && promoted_ != nowhere;
   return switched ? promoted_ : instances_.front().host;
}

}  // namespace holdfast::sim

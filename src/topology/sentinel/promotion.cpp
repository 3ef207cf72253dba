#include "topology/sentinel/promotion.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::impl {

promotion::sentinel& promotion::of(std::size_t number) {
   sentinels_.resize(std::max(sentinels_.size(), number + 1));
   return sentinels_[number];
}

// ---- what Sentinels publish ---------------------------------------------------------------------------------------

// Without the epoch the selection can't be placed: then the Sentinels' answers will tell.
void promotion::on_selected(std::size_t by, const std::string& id, const endpoint& node, std::uint64_t believed,
                            time_point now) {
   sentinel& s = of(by);
   if (!settings_->eager || node.empty() || s.failover <= believed) return;
   s.candidate = selection{node, s.failover, id};
   if (settings_->hold_on_selected <= duration::zero() || now < s.no_hold_until) return;
   s.candidate->hold_until = after(now, settings_->hold_on_selected);
   s.candidate->may_extend = true;
   s.no_hold_until = after(s.candidate->hold_until, settings_->hold_pause);
}

// Whatever it had selected, its own failover is over with this one (sentinelResetMaster in Redis' sentinel.c).
void promotion::on_switched(std::size_t by, const endpoint& to) {
   auto& c = of(by).candidate;
   if (c && c->where != to) c.reset();
}

bool promotion::on_aborted(std::size_t by, const std::string& id, std::uint64_t believed) {
   sentinel& s = of(by);
   s.candidate.reset();
   // Its events may come by two addresses, and by the same one another's later.
   const bool is_that_one = id.empty() || by_id_.empty() ? by_ == by : by_id_ == id;
   const bool of_what_is_believed = is_provisional() && is_that_one;
   // Where its subscription is new, which failover it gave up is unknown, and that it leads one at all says enough.
   return of_what_is_believed && (s.failover == 0 || s.failover == believed);
}

// ---- what becomes of their connections ----------------------------------------------------------------------------

void promotion::on_unsubscribed(std::size_t by) {
   sentinel& s = of(by);
   s.announced = s.failover = 0;
   s.candidate.reset();
}

// Perhaps all connections to this Sentinel end, and the news of another one's end is still under way (a lost packet
// takes 200 ms).
void promotion::on_disconnected(std::size_t by, const std::string& id) {
   for (std::size_t i = 0; i != sentinels_.size(); ++i) {
      auto& c = sentinels_[i].candidate;
      const bool unknown = id.empty() || (c && c->id.empty());
      if (unknown ? i == by : c && c->id == id) c.reset();
   }
}

void promotion::on_forgotten(std::size_t by) {
   on_unsubscribed(by);
   if (by_ == by) by_ = nobody;
}

// ---- what nodes say -----------------------------------------------------------------------------------------------

std::optional<promotion::claim> promotion::claim_of(const endpoint& master, std::uint64_t believed) const {
   std::optional<claim> newest;
   for (std::size_t i = 0; i != sentinels_.size(); ++i) {
      const auto& c = sentinels_[i].candidate;
      if (!c || c->where != master || c->epoch <= believed) continue;
      if (!newest || c->epoch > newest->epoch) newest = claim{i, c->id, c->epoch};
   }
   return newest;
}

void promotion::extend_holds(const endpoint& node, time_point now) {
   for (sentinel& s : sentinels_) {
      auto& c = s.candidate;
      if (!c || c->where != node || !std::exchange(c->may_extend, false)) continue;
      c->hold_until = std::max(c->hold_until, after(now, settings_->hold_extension));
   }
}

void promotion::on_verified() {
   if (state_ == state::denied) set_state(state::provisional);
}

void promotion::on_denied(rounds::id question) {
   if (!is_provisional()) return;
   question_ = question;
   set_state(state::denied);
}

bool promotion::denial_is_answered(const rounds& asked) {
   if (state_ != state::denied || !asked.finished(question_)) return false;
   set_state(state::provisional);
   return true;
}

// ---- what is believed ---------------------------------------------------------------------------------------------

void promotion::believe(const master_node& master, const master_node& before, const claim& c) {
   before_ = before;
   by_ = c.by;
   by_id_ = c.id;
   set_state(state::provisional);
   drop_up_to(master.epoch, master.where);
}

void promotion::believe_named(const master_node& master) {
   set_state(state::named);
   drop_up_to(master.epoch, master.where);
}

void promotion::drop_up_to(std::uint64_t epoch, const endpoint& believed) {
   for (sentinel& s : sentinels_) {
      if (!s.candidate || s.candidate->epoch > epoch) continue;
      if (s.candidate->where == believed) s.no_hold_until = time_point::min();  // not in vain
      s.candidate.reset();
   }
}

std::optional<std::uint64_t> promotion::confirm(const endpoint& believed, std::span<const sentinel_vote> in_hand) {
   if (!is_provisional()) return std::nullopt;
   std::uint64_t newest = before_.epoch;
   for (const auto& vote : in_hand) {
      if (vote.where == believed) newest = std::max(newest, vote.epoch);
   }
   if (newest == before_.epoch) return std::nullopt;
   believe_named({believed, newest});
   return newest;
}

std::vector<endpoint> promotion::candidates(const std::optional<master_node>& believed, time_point now) {
   std::vector<endpoint> all;
   hold_until_ = time_point::min();
   for (const sentinel& s : sentinels_) {
      // One that is believed already matters again if that belief is withdrawn.
      if (!s.candidate || (believed && s.candidate->where == believed->where)) continue;
      all.push_back(s.candidate->where);
      if (now < s.candidate->hold_until) hold_until_ = std::max(hold_until_, s.candidate->hold_until);
   }
   return all;
}

}  // namespace holdfast::impl

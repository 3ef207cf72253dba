#include "topology/sentinel/promotion.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::impl {

promotion::sentinel& promotion::of(std::size_t number) {
   sentinels_.resize(std::max(sentinels_.size(), number + 1));
   return sentinels_[number];
}

// ---- what Sentinels publish ---------------------------------------------------------------------------------------

void promotion::on_announced(std::size_t by, const hint& h) {
   if (h.kind == hint_kind::new_epoch) of(by).announced = h.epoch;
   if (h.kind == hint_kind::tries) of(by).failover = of(by).announced;
}

// Without the epoch the selection can't be placed: then the Sentinels' answers will tell.
void promotion::on_selected(std::size_t by, const std::string& id, const endpoint& node, std::uint64_t believed,
                            time_point now) {
   sentinel& s = of(by);
   if (!settings_->eager || node.empty() || s.failover <= believed) return;
   selection made{node, s.failover, id};
   if (const selection* same = heard_elsewhere(by, made))
      made = *same;
   else if (settings_->hold_on_selected > duration::zero() && take_hold(by, made, now))
      made.hold_until = after(now, settings_->hold_on_selected);
   s.candidate = made;
}

// One Sentinel may be reached by two addresses, and each of them tells of the same selection.
const promotion::selection* promotion::heard_elsewhere(std::size_t by, const selection& made) const {
   for (std::size_t i = 0; i != sentinels_.size(); ++i) {
      const auto& c = sentinels_[i].candidate;
      if (i != by && c && !made.id.empty() && c->id == made.id && c->where == made.where && c->epoch == made.epoch)
         return &*c;
   }
   return nullptr;
}

// Whether it may hold writes; then its Sentinel pauses.
bool promotion::take_hold(std::size_t by, selection& made, time_point now) {
   std::erase_if(pauses_, [&](const pause& p) { return p.until <= now; });
   const bool pauses = std::any_of(pauses_.begin(), pauses_.end(), [&](const pause& p) {
      return made.id.empty() || p.id.empty() ? p.by == by : p.id == made.id;
   });
   if (pauses || pauses_.size() == most_pauses) return false;
   pauses_.push_back({by, made.id, made.epoch, after(now, settings_->hold_on_selected + settings_->hold_pause)});
   made.may_extend = true;
   return true;
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
   drop_up_to(master.epoch);
}

void promotion::believe_named(const master_node& master) {
   set_state(state::named);
   drop_up_to(master.epoch);
}

void promotion::drop_up_to(std::uint64_t epoch) {
   for (sentinel& s : sentinels_) {
      if (s.candidate && s.candidate->epoch <= epoch) s.candidate.reset();
   }
   std::erase_if(pauses_, [&](const pause& p) { return p.epoch <= epoch; });
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

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
   s.candidate = selection{node, s.failover, id};
   hold_for(by, *s.candidate, now);
}

// One Sentinel may be reached by two addresses, and several ones by the same. Who shows another id each time holds
// writes for two selections in a pause, as more can't be told from one that never pauses.
void promotion::hold_for(std::size_t by, const selection& made, time_point now) {
   if (settings_->hold_on_selected <= duration::zero()) return;
   std::erase_if(holds_, [&](const hold& h) { return h.pause_until <= now; });
   const auto is_its = [&](const hold& h) { return is_by(h, by, made.id); };
   const auto by_this_place = std::count_if(holds_.begin(), holds_.end(), [&](const hold& h) { return h.by == by; });
   if (std::any_of(holds_.begin(), holds_.end(), is_its) || by_this_place == 2 || holds_.size() == most_holds) return;
   const time_point until = after(now, settings_->hold_on_selected);
   holds_.push_back({by, made, until, after(until, settings_->hold_pause)});
}

bool promotion::is_by(const hold& h, std::size_t by, const std::string& id) {
   return id.empty() || h.of.id.empty() ? h.by == by : h.of.id == id;
}

// Its selection stands.
bool promotion::goes_on(const hold& h) const {
   for (std::size_t i = 0; i != sentinels_.size(); ++i) {
      const auto& c = sentinels_[i].candidate;
      if (c && is_by(h, i, c->id) && c->where == h.of.where && c->epoch == h.of.epoch) return true;
   }
   return false;
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
   std::erase_if(holds_, [&](const hold& h) { return h.of.id.empty() && h.by == by; });
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
   for (hold& h : holds_) {
      if (h.of.where == node && goes_on(h) && std::exchange(h.may_extend, false))
         h.until = std::max(h.until, after(now, settings_->hold_extension));
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
   std::erase_if(holds_, [&](const hold& h) { return h.of.epoch <= epoch; });
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
   // One that is believed already matters again if that belief is withdrawn.
   const auto matters = [&](const endpoint& node) { return !believed || node != believed->where; };
   for (const sentinel& s : sentinels_) {
      if (s.candidate && matters(s.candidate->where)) all.push_back(s.candidate->where);
   }
   for (const hold& h : holds_) {
      if (now < h.until && matters(h.of.where) && goes_on(h)) hold_until_ = std::max(hold_until_, h.until);
   }
   return all;
}

}  // namespace holdfast::impl

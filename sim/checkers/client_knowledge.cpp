#include "sim/checkers/client_knowledge.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::sim {

// ---- what is read -------------------------------------------------------------------------------------------------

void client_knowledge::read(const line& on, const told& t, time_point now) {
   switch (t.is) {
      case observation::nothing: return;
      case observation::address:
         if (!on.configured && (!any_ || t.epoch > epoch_)) return suggested(t, now);
         answered(t, now);
         return look_for_denial();
      case observation::epoch: subscription_of(on).epoch = t.epoch; return;
      case observation::tried: subscription_of(on).failover_epoch = subscription_of(on).epoch; return;
      case observation::selected:
      case observation::promoted: return nominate(on, t, now);
      case observation::aborted: return give_up(on.to, subscription_of(on).failover_epoch);
      case observation::master:
      case observation::replica: {
         self& s = self_of(on.to);
         const bool keeps_whom = t.is == observation::replica && t.node == nowhere && !s.is_master;
         s = {on.to, t.is == observation::master, keeps_whom ? s.follows : t.node, now};
         if (s.is_master && held_for_.node == on.to) held_for_ = {};
         return look_for_denial();
      }
   }
}

// Whose process may be gone has its word no longer, whichever connection to it was the first to end.
void client_knowledge::ended(const line& l) {
   if (held_for_.by == l.to) held_for_ = {};
   const auto was = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                 [&](const auto& s) { return s.on.number == l.number && s.on.to == l.to; });
   if (was != subscriptions_.end()) subscriptions_.erase(was);
}

void client_knowledge::answered(const told& t, time_point now) {
   if (any_ && t.epoch < epoch_) return;
   if (any_ && t.epoch == epoch_) {
      if (!is_named(t.node)) others_.push_back(t.node);
      if (t.node == master_) named_at_ = now;
      return;
   }
   any_ = true;
   epoch_ = t.epoch;
   master_ = t.node;
   others_.clear();
   named_at_ = now;
   forget_disappointments(epoch_);
   std::erase_if(candidates_, [&](const candidate& c) { return c.epoch < epoch_; });
   std::erase_if(suggestions_, [&](const candidate& c) { return c.epoch < epoch_; });
   if (held_for_.epoch <= epoch_) held_for_ = {};
   if (gone_to_.epoch <= epoch_) gone_to_ = {};
}

void client_knowledge::suggested(const told& t, time_point now) {
   if (!is_suggested(t.node)) suggestions_.push_back({.node = t.node});
   for (candidate& s : suggestions_) {
      if (s.node == t.node && s.epoch <= t.epoch) s = {.node = t.node, .epoch = t.epoch, .at = now};
   }
}

void client_knowledge::nominate(const line& on, const told& t, time_point now) {
   const bool promoted = t.is == observation::promoted;
   const subscription& s = subscription_of(on);
   const std::uint64_t epoch = promoted ? s.epoch : s.failover_epoch;
   if (promoted) held_for_ = {};
   if (any_ && epoch <= epoch_) return;
   const candidate c{t.node, on.to, epoch, promoted, now};
   std::erase_if(candidates_,
                 [&](const candidate& x) { return x.by == c.by && x.node == c.node && x.epoch == c.epoch; });
   candidates_.push_back(c);
   if (promoted || !any_ || !on.listed || epoch <= held_epoch_) return;  // once for each epoch
   const auto last = std::find_if(disappointments_.begin(), disappointments_.end(),
                                  [&](const disappointment& d) { return d.by == on.to; });
   if (last != disappointments_.end() && now < last->until) return;
   if (last != disappointments_.end()) disappointments_.erase(last);
   disappointments_.push_back({on.to, epoch, now + hold + hold_pause});
   held_for_ = c;
   held_epoch_ = epoch;
}

void client_knowledge::give_up(host_id by, std::uint64_t epoch) {
   const auto fails = [&](const candidate& c) { return c.by == by && c.epoch == epoch && !c.promoted; };
   if (fails(held_for_)) held_for_ = {};
   // It may stay there all the same, by an earlier failover that was not given up.
   const bool of_the_same = std::any_of(candidates_.begin(), candidates_.end(),
                                        [&](const candidate& c) { return fails(c) && c.node == gone_to_.node; });
   // Of which failover it was is unknown on a subscription that is new.
   if (of_the_same || (epoch == 0 && gone_to_.by == by)) {
      gone_to_ = {};
      at_ = nowhere;  // the next command there says by whose selection they stay
   }
   std::erase_if(candidates_, fails);
}

// Words of it that come later are no news for one who has left: the way back is under way.
void client_knowledge::look_for_denial() {
   const self* const gone = find_self(gone_to_.node);
   denied_ = denied_ || (gone != nullptr && !gone->is_master && gone->at >= gone_at_ && named_at_ > gone_at_);
}

// Two connections may reach one Sentinel; what was said on one is not known to belong to what is said on the other.
client_knowledge::subscription& client_knowledge::subscription_of(const line& on) {
   const auto found = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                   [&](const auto& s) { return s.on.number == on.number && s.on.to == on.to; });
   return found == subscriptions_.end() ? subscriptions_.emplace_back(subscription{on}) : *found;
}

client_knowledge::self& client_knowledge::self_of(host_id h) {
   const auto found = std::find_if(selves_.begin(), selves_.end(), [&](const self& s) { return s.node == h; });
   return found == selves_.end() ? selves_.emplace_back() : *found;
}

const client_knowledge::self* client_knowledge::find_self(host_id h) const {
   const auto found = std::find_if(selves_.begin(), selves_.end(), [&](const self& s) { return s.node == h; });
   return found == selves_.end() ? nullptr : &*found;
}

// ---- what follows -------------------------------------------------------------------------------------------------

// The one of the newest epoch, if it is there more than once.
const client_knowledge::candidate* client_knowledge::find(host_id h) const {
   const candidate* best = nullptr;
   for (const candidate& c : candidates_) {
      if (c.node == h && (best == nullptr || c.epoch > best->epoch)) best = &c;
   }
   return best;
}

bool client_knowledge::is_candidate(host_id h) const { return find(h) != nullptr; }

bool client_knowledge::is_suggested(host_id h) const {
   return std::any_of(suggestions_.begin(), suggestions_.end(), [&](const candidate& s) { return s.node == h; });
}

bool client_knowledge::is_named(host_id h) const {
   return h == master_ || std::find(others_.begin(), others_.end(), h) != others_.end();
}

std::string client_knowledge::named() const {
   return "host " + std::to_string(master_) + " (epoch " + std::to_string(epoch_) + ")";
}

std::string client_knowledge::objection(host_id to, bool follows_hints, time_point now) const {
   if (!any_) return {};
   if (gone_to_.node != nowhere && gone_to_.node != to && !may_return(to, now))
      return "has followed host " + std::to_string(gone_to_.node) + " (epoch " + std::to_string(gone_to_.epoch) +
             ") and goes back";
   if (is_named(to) || find(to) != nullptr || is_suggested(to)) return {};
   const self* const named_one = find_self(master_);
   if (follows_hints && named_one != nullptr && !named_one->is_master && named_one->follows == to) return {};
   return "was told that the master is " + named();
}

bool client_knowledge::may_return(host_id to, time_point now) const {
   const candidate* const newer = find(to);
   if (newer != nullptr && newer->epoch > gone_to_.epoch) return true;
   const auto settles = [&](const candidate& s) {
      return s.node == to && s.epoch >= gone_to_.epoch && s.at >= gone_at_;
   };
   if (std::any_of(suggestions_.begin(), suggestions_.end(), settles)) return true;
   if (to != master_ || named_at_ <= gone_at_) return false;
   return denied_ || now - gone_to_.at >= agree_for;
}

void client_knowledge::went(host_id to, bool handed_over, time_point now) {
   if (to == gone_to_.node && denied_ && !handed_over && find_self(to)->is_master) {
      denied_ = false;
      gone_at_ = now;
   }
   // To one that is selected while they go there already they go for another reason: a hint.
   if (std::exchange(at_, to) == to) return;
   gone_to_ = {};
   denied_ = false;
   const candidate* const c = find(to);
   if (is_named(to) || c == nullptr) return;
   gone_to_ = *c;
   gone_at_ = now;
   forget_disappointments(c->epoch);
}

void client_knowledge::forget_disappointments(std::uint64_t followed_epoch) {
   std::erase_if(disappointments_, [&](const disappointment& d) { return d.epoch <= followed_epoch; });
}

bool client_knowledge::holds_back(host_id from, duration for_so_long, time_point now) const {
   // Two Sentinels can lead a failover each under the same epoch (one by hand): which of the two wins is not known.
   const candidate* const as_new = find(from);
   if (as_new != nullptr && as_new->epoch >= held_for_.epoch) return false;
   return held_for_.node != nowhere && held_for_.node != from && now < held_for_.at + for_so_long;
}

}  // namespace holdfast::sim

// The tracker: which Sentinels there are, and whose word counts (roster.hpp).
#include "topology/sentinel/sentinel_tracker.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::topology {

// Who is there is looked at again when somebody answers for the first time, fails, or tells another list.
void sentinel_tracker::call_the_roll(time_point now) {
   if (!std::exchange(roll_due_, false) || peers_.empty()) return;
   count_places();
   bool changed = false;
   for (std::size_t i = 0; i != peers_.size(); ++i) {
      peer& p = *peers_[i];
      if (!p.in_use) continue;
      changed = changed || p.counts != tally_.counts[i];
      if (p.seed && p.counts != tally_.counts[i]) tell_if_stray(p, !tally_.counts[i]);
      p.counts = tally_.counts[i];
      p.unlisted_since = p.counts ? never : std::min(p.unlisted_since, now);
      if (!p.counts) {
         promotion_.on_over(p.number);
         p.objectively_down = p.failing_over = false;
         if (!p.seed && now >= after(p.unlisted_since, settings_.forget_after)) forget(p);
      }
   }
   pardon_strays(now);
   learn(now);
   if (changed) weigh(now);
}

// Where none that counts has answered for long, they are gone, and what is there may be the same deployment, rebuilt.
void sentinel_tracker::pardon_strays(time_point now) {
   const bool any = std::any_of(peers_.begin(), peers_.end(), [](const auto& p) { return p->votes(); });
   silent_since_ = any ? never : std::min(silent_since_, now);
   if (now < after(silent_since_, settings_.stray_for)) return;
   for (const auto& p : peers_) {
      if (!p->seed || p->counts) continue;
      p->counts = roll_due_ = true;
      tell_if_stray(*p, false);
   }
}

void sentinel_tracker::tell_if_stray(const peer& p, bool is_stray) {
   if (is_stray)
      events_->tell([&] { return event::sentinel_down{p.where, peer::stray_text}; });
   else if (p.up())
      events_->tell([&] { return event::sentinel_up{p.where}; });
}

void sentinel_tracker::count_places() {
   places_.clear();
   for (const auto& p : peers_) places_.push_back(p->seen());
   tally_ = count(places_);
   for (std::size_t i = 0; i != places_.size(); ++i) {
      for (std::size_t j = 0; j != places_.size(); ++j) {
         if (i != j && are_related(places_[i], places_[j])) peers_[i]->remember_kin(peers_[j]->id());
      }
   }
}

void sentinel_tracker::learn(time_point now) {
   // A seed that is given by name is listed by its address: its id, which it tells itself, shows that they are one.
   for (const auto& p : peers_) {
      if (p->seed && p->now == peer::status::untried) return;
   }
   for (const auto& p : peers_) {
      if (p->seed || !p->in_use) continue;
      if (has_moved_away(*p)) {
         p->questions.lost("is not proven to be the Sentinel that was listed there");
         question_failed(*p, now);
      }
      if (is_led_to_by_a_seed(*p))
         forget(*p);
      else if (std::exchange(p->look_elsewhere, false))
         follow_the_list(*p, now);
   }
   for (const auto& entry : std::exchange(tally_.unmet, {})) meet(entry, now);
   next_start_ = order_.size();
}

// Behind one configured address there is this Sentinel alone: it needs no second place.
bool sentinel_tracker::is_led_to_by_a_seed(const peer& p) const {
   return !p.listed_as.empty() && std::any_of(peers_.begin(), peers_.end(), [&](const auto& q) {
      return q->seed && q->up() && !q->several && q->id() == p.listed_as;
   });
}

// It shows no run id, and the one that was to be there is listed elsewhere.
bool sentinel_tracker::has_moved_away(const peer& p) const {
   if (p.counts || !p.up() || !p.id().empty() || p.listed_as.empty()) return false;
   return next_address(places_, tally_, p.listed_as, p.where) != p.where;
}

// It failed: perhaps it has moved.
void sentinel_tracker::follow_the_list(peer& p, time_point now) {
   if (p.up() || p.listed_as.empty()) return;
   const endpoint to = next_address(places_, tally_, p.listed_as, p.where);
   const bool taken =
      std::any_of(peers_.begin(), peers_.end(), [&](const auto& q) { return q->in_use && q->where == to; });
   if (taken) return;
   const bool listed_here = is_listed(places_, tally_, p.listed_as, p.where);
   const auto retry_at = p.questions.connection.retry_at();
   const auto failures = p.question_failures;
   p.become(to, std::string(p.listed_as));
   promotion_.on_unsubscribed(p.number);
   p.question_failures = failures;
   events_->tell([&] { return event::sentinel_learned{to}; });
   if (listed_here) return p.questions.connection.retry_from(retry_at);  // in turn with the other address
   p.questions.ask(rounds_.last(), now);
   p.questions.dial(to, now);
}

void sentinel_tracker::meet(const listed_node& who, time_point now) {
   for (const auto& p : peers_) {
      if (!p->in_use || p->where != who.where) continue;
      // Another one stands there now, or will as soon as the connection to the one before has ended.
      if (!p->counts) {
         p->listed_as = who.id;
         roll_due_ = true;
         if (p->id().empty() || p->id() == who.id) return;
         p->questions.lost("another Sentinel is listed there now");
         question_failed(*p, now);
      }
      return;
   }
   peer* place = nullptr;
   const auto free = std::find_if(peers_.begin(), peers_.end(), [](const auto& p) { return !p->in_use; });
   if (free != peers_.end()) {
      place = free->get();
      order_.push_back(static_cast<std::size_t>(free - peers_.begin()));
   } else if (peers_.size() < settings_.max_sentinels) {
      add_peer(who.where, false);
      place = peers_.back().get();
   } else {
      place = hopeless();
   }
   if (place == nullptr) return;
   place->become(who.where, who.id);
   promotion_.on_forgotten(place->number);
   place->questions.ask(rounds_.last(), now);
   place->questions.dial(who.where, now);
   events_->tell([&] { return event::sentinel_learned{who.where}; });
}

// The learned one that has failed most often. Where Sentinels come back under new addresses again and again, the old
// ones stay listed for long.
sentinel_tracker::peer* sentinel_tracker::hopeless() {
   const auto failures = [](const auto& p) { return p->seed || p->up() ? 0 : p->question_failures; };
   const auto worst = std::max_element(peers_.begin(), peers_.end(),
                                       [&](const auto& a, const auto& b) { return failures(a) < failures(b); });
   constexpr unsigned enough = 10;
   return worst == peers_.end() || failures(*worst) < enough ? nullptr : worst->get();
}

void sentinel_tracker::forget(peer& p) {
   const auto self = std::find_if(order_.begin(), order_.end(), [&](auto i) { return peers_[i].get() == &p; });
   if (static_cast<std::size_t>(self - order_.begin()) < next_start_) --next_start_;
   order_.erase(self);
   p.become({}, {});
   promotion_.on_forgotten(p.number);
   p.in_use = p.counts = false;
}

// ---- who is at the other end --------------------------------------------------------------------------------------

// A learned one has to be the one that was listed; at a configured address anybody may stand, and several may.
bool sentinel_tracker::is_welcome(peer& p, const std::string& id) {
   roll_due_ = true;
   if (p.seed || id.empty() || id == p.listed_as) return true;
   count_places();
   if (!p.listed_as.empty() && !is_listed(places_, tally_, id, p.where)) return false;
   p.listed_as = id;
   return true;
}

void sentinel_tracker::question_met(peer& p, time_point now) {
   if (!is_welcome(p, p.id())) {
      p.questions.lost("is another Sentinel than the one that is listed there");
      return question_failed(p, now);
   }
   p.waits_for_list = p.seed;
   note_if_several(p, now);
}

bool sentinel_tracker::event_source_is_welcome(peer& p, time_point now) {
   note_if_several(p, now);
   const auto& id = p.events.id();
   return p.seed || id.empty() || p.listed_as.empty() || id == p.listed_as;
}

// Questions and events reach different Sentinels. Where one was restarted as another one, the end of the connection to
// the process before may be still under way: only what both answer from now on shows that there are two.
void sentinel_tracker::note_if_several(peer& p, time_point now) {
   const auto& heard = p.events.id();
   if (!p.seed || !p.events.active() || heard.empty() || p.id().empty() || heard == p.id() || p.several) return;
   p.differ_since = now;
   p.events.probe(now);
   p.questions.ask(rounds_.last(), now);
}

void sentinel_tracker::find_several(peer& p) {
   if (p.differ_since == never) return;
   const auto& q = p.questions.connection;
   const auto& e = p.events.connection;
   const bool differ = q.is_open() && p.events.active() && !p.id().empty() && p.id() != p.events.id();
   if (differ && (q.heard_at() <= p.differ_since || e.heard_at() <= p.differ_since || e.unanswered() != 0)) return;
   p.differ_since = never;
   p.several = differ;
   roll_due_ = roll_due_ || differ;
}

// ---- whose word it is ---------------------------------------------------------------------------------------------

// Another place leads to the same Sentinel, and asked it later.
bool sentinel_tracker::is_repeated_elsewhere(const peer& p) const {
   if (p.id().empty()) return false;
   bool before = true;
   for (const auto& q : peers_) {
      if (q.get() == &p) {
         before = false;
      } else if (q->votes() && q->id() == p.id() &&
                 (q->answered_at > p.answered_at || (before && q->answered_at == p.answered_at))) {
         return true;
      }
   }
   return false;
}

const std::vector<sentinel_vote>& sentinel_tracker::voices() {
   votes_.clear();
   for (const auto& p : peers_) {
      if (!p->votes() || is_repeated_elsewhere(*p)) continue;
      votes_.push_back(p->view());
      const auto is_seed = [&](const auto& q) {
         return q->seed && q->votes() && !p->id().empty() && q->id() == p->id();
      };
      votes_.back().configured = p->seed || std::any_of(peers_.begin(), peers_.end(), is_seed);
   }
   return votes_;
}

const std::vector<sentinel_vote>& sentinel_tracker::supported() {
   voices();
   contradicted_ = leave_out_unsupported(votes_, tally_.known);
   return votes_;
}

}  // namespace holdfast::topology

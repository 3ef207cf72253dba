#include "topology/sentinel/sentinel_roll.hpp"

#include "topology/sentinel/sentinel_reports.hpp"

#include <algorithm>

namespace holdfast::impl {

sentinel_roll::sentinel_roll(const sentinel_settings& s, io_queue& io, const limits& l, event_queue& events,
                             link_owner& owner)
   : settings_(&s), io_(&io), limits_(l), events_(&events), link_owner_(&owner) {
   for (const auto& where : s.sentinels) {
      const auto same = [&](const auto& p) { return p->where == where; };
      if (std::none_of(peers_.begin(), peers_.end(), same)) add(where, true);
   }
}

void sentinel_roll::add(const endpoint& where, bool seed) {
   order_.add(peers_.size());
   peers_.push_back(std::make_unique<peer>(*settings_, *io_, limits_, peers_.size(), where, seed));
   peers_.back()->questions.connection.link.set_owner(*link_owner_);
   peers_.back()->events.connection.link.set_owner(*link_owner_);
}

std::vector<endpoint> sentinel_roll::addresses() const {
   std::vector<endpoint> all;
   for (const auto i : order_.all()) all.push_back(peers_[i]->where);
   return all;
}

sentinel_peer* sentinel_roll::owner(const link& l) {
   for (const auto& p : peers_) {
      if (&p->questions.connection.link == &l || &p->events.connection.link == &l) return p.get();
   }
   return nullptr;
}

link& sentinel_roll::link_at(std::size_t i) const {
   peer& p = *peers_[i / 2];
   return i % 2 == 0 ? p.questions.connection.link : p.events.connection.link;
}

time_point sentinel_roll::deadline() const {
   time_point soonest = order_.deadline();
   for (const auto& p : peers_)
      soonest =
         std::min({soonest, p->questions.connection.deadline(), p->events.connection.deadline(), p->others.deadline()});
   return soonest;
}

// ---- dialling -----------------------------------------------------------------------------------------------------

void sentinel_roll::dial_next(time_point now) {
   const auto next = order_.take(now, settings_->stagger);
   if (!next) return;
   peer& p = *peers_[*next];
   if (p.questions.connection.now() == checked_connection::phase::resting) p.questions.dial(p.where, now);
}

void sentinel_roll::dial_rest(time_point now) {
   while (!order_.is_done()) dial_next(now);
}

void sentinel_roll::redial_now(peer& p, time_point now) {
   auto& c = p.questions.connection;
   if (!p.is_down() || c.now() != checked_connection::phase::resting) return;
   c.retry_from(std::min(c.retry_at(), after(c.tried_at(), settings_->outage_poll)));
   if (c.retry_at() <= now) p.questions.dial(p.where, now);
}

// ---- the call -----------------------------------------------------------------------------------------------------

void sentinel_roll::prefer(peer& p, time_point now) {
   ever_named_ = ever_named_ || p.votes();
   dial_rest(now);
   if (!peers_[order_.front()]->up()) order_.move_to_front(p.number);
}

bool sentinel_roll::call(time_point now) {
   due_ = false;
   count_places();
   bool changed = false;
   for (const auto& p : peers_) {
      if (!p->member.in_use) continue;
      const bool counts = tally_.counts[p->number];
      if (p->member.counts != counts) {
         changed = true;
         if (counts) p->questions.want_list();  // that it has changed may have been ignored
         if (p->seed) tell_if_stray(*p, !counts);
      }
      p->member.counts = counts;
      p->member.unlisted_since = counts ? never : std::min(p->member.unlisted_since, now);
      if (counts) continue;
      p->clear_flags();
      if (!p->seed && now >= after(p->member.unlisted_since, settings_->forget_after)) forget(*p);
   }
   return pardon_strays(now) || changed;
}

// Strays alone have answered for long: the others are gone, and these may be the same deployment, rebuilt. A time in
// which nobody was asked, since the caller was away, is no silence.
bool sentinel_roll::pardon_strays(time_point now) {
   const bool was_away = now > after(std::exchange(called_at_, now), settings_->idle_poll);
   const bool is_alone = anyone(peers_, &peer::up) && std::none_of(peers_.begin(), peers_.end(), [](const auto& p) {
                            return p->member.counts && p->up();
                         });
   silent_since_ = !is_alone ? never : was_away ? now : std::min(silent_since_, now);
   if (now < after(silent_since_, settings_->stray_for)) return false;
   bool any = false;
   for (const auto& p : peers_) {
      if (!p->seed || p->member.counts || !p->up()) continue;
      p->member.counts = due_ = any = true;
      p->questions.want_list();
      tell_if_stray(*p, false);
   }
   for (const auto& p : peers_) {
      if (any) p->member.kin.clear();
   }
   return any;
}

void sentinel_roll::tell_if_stray(const peer& p, bool is_stray) {
   if (is_stray)
      events_->tell([&] { return event::sentinel_down{p.where, peer::stray_text}; });
   else if (p.up())
      events_->tell([&] { return event::sentinel_up{p.where}; });
}

void sentinel_roll::count_places() {
   places_.clear();
   for (const auto& p : peers_) places_.push_back(p->seen());
   tally_ = count(places_);
   for (const auto& p : peers_) {
      for (const auto& other : peers_) {
         if (p != other && are_related(places_[p->number], places_[other->number])) p->remember_kin(other->id());
      }
   }
}

// A seed that is given by name is listed by its address: its id, which it tells itself, shows that they are one.
bool sentinel_roll::may_learn() const {
   return std::none_of(peers_.begin(), peers_.end(),
                       [](const auto& p) { return p->seed && p->now() == peer::status::untried; });
}

// Behind one configured address there is this Sentinel alone: it needs no second place.
bool sentinel_roll::is_led_to_by_a_seed(const std::string& id) const {
   return !id.empty() && std::any_of(peers_.begin(), peers_.end(), [&](const auto& q) {
      return q->seed && q->up() && q->member.counts && !q->member.several && q->id() == id;
   });
}

bool sentinel_roll::has_moved_away(const peer& p) const {
   if (p.member.counts || !p.up() || !p.id().empty() || p.member.listed_as.empty()) return false;
   return next_address(places_, tally_, p.member.listed_as, p.where) != p.where;
}

sentinel_roll::move sentinel_roll::follow_the_list(peer& p, rounds::id round, time_point now) {
   if (is_led_to_by_a_seed(p.member.listed_as)) {
      forget(p);
      return move::forgotten;
   }
   // It failed: perhaps it has moved.
   const std::string id = p.member.listed_as;
   if (!std::exchange(p.member.look_elsewhere, false) || p.up() || id.empty()) return move::none;
   const endpoint to = next_address(places_, tally_, id, p.where);
   const bool taken =
      std::any_of(peers_.begin(), peers_.end(), [&](const auto& q) { return q->member.in_use && q->where == to; });
   if (taken) return move::none;
   const bool listed_here = is_listed(places_, tally_, id, p.where);
   auto& c = p.questions.connection;
   const auto retry_at = c.retry_at();
   const auto failures = c.failures;
   p.become(to, id);
   c.failures = failures;
   events_->tell([&] { return event::sentinel_learned{to}; });
   if (listed_here) {  // in turn with the other address
      c.retry_from(retry_at);
   } else {
      p.questions.ask(round, now);
      p.questions.dial(to, now);
   }
   return move::moved;
}

sentinel_roll::meeting sentinel_roll::add_learned(const listed_node& who, rounds::id round, time_point now) {
   for (const auto& p : peers_) {
      if (!p->member.in_use || p->where != who.where) continue;
      // Another one stands there now, or will as soon as the connection to the one before has ended.
      if (p->member.counts) return {};
      p->member.listed_as = who.id;
      due_ = true;
      const bool is_taken = !p->id().empty() && p->id() != who.id;
      return {is_taken ? p.get() : nullptr, is_taken};
   }
   peer* const p = place_for(who.where);
   if (p == nullptr) return {};
   p->become(who.where, who.id);
   p->questions.ask(round, now);
   p->questions.dial(who.where, now);
   events_->tell([&] { return event::sentinel_learned{who.where}; });
   return {p};
}

sentinel_peer* sentinel_roll::place_for(const endpoint& where) {
   const auto free = std::find_if(peers_.begin(), peers_.end(), [](const auto& p) { return !p->member.in_use; });
   if (free != peers_.end()) {
      order_.add((*free)->number);
      return free->get();
   }
   if (peers_.size() >= settings_->max_sentinels) return hopeless();
   add(where, false);
   return peers_.back().get();
}

// The learned one that has failed most often. Where Sentinels come back under new addresses again and again, the old
// ones stay listed for long.
sentinel_peer* sentinel_roll::hopeless() const {
   const auto failures = [](const auto& p) { return p->seed || p->up() ? 0 : p->questions.connection.failures; };
   const auto worst = std::max_element(peers_.begin(), peers_.end(),
                                       [&](const auto& a, const auto& b) { return failures(a) < failures(b); });
   constexpr unsigned enough = 10;
   return worst == peers_.end() || failures(*worst) < enough ? nullptr : worst->get();
}

void sentinel_roll::forget(peer& p) {
   order_.remove(p.number);
   p.become({}, {});
   p.member.in_use = p.member.counts = false;
}

// ---- who is at the other end --------------------------------------------------------------------------------------

// A learned one has to be the one that was listed; at a configured address anybody may stand, and several may.
bool sentinel_roll::welcomes_answers(peer& p) {
   const std::string& id = p.id();
   due_ = true;
   if (p.seed || id.empty() || id == p.member.listed_as) return true;
   count_places();
   const bool is_met = is_led_to_by_a_seed(id);  // then the one that was listed is gone, though some list it yet
   if (!p.member.listed_as.empty() && (is_met || !is_listed(places_, tally_, id, p.where))) return false;
   p.member.listed_as = id;
   return true;
}

bool sentinel_roll::welcomes_events(const peer& p) const {
   const auto& id = p.events.id();
   return p.seed || id.empty() || p.member.listed_as.empty() || id == p.member.listed_as;
}

// Questions and events reach different Sentinels. Where one was restarted as another one, the end of the connection to
// the process before may be still under way: only what both answer of what they are asked from now on shows that there
// are two.
void sentinel_roll::note_if_several(peer& p, rounds::id round, time_point now) {
   const auto& heard = p.events.id();
   if (!p.seed || !p.events.active() || heard.empty() || p.id().empty() || heard == p.id() || p.member.several) return;
   p.member.differ_since.emplace(p.questions.connection.asked(), p.events.connection.asked());
   p.events.probe(now);
   p.questions.ask(round, now);
}

void sentinel_roll::find_several(peer& p) {
   if (!p.member.differ_since) return;
   const auto& q = p.questions.connection;
   const auto& e = p.events.connection;
   const bool differ = q.is_open() && p.events.active() && !p.id().empty() && p.id() != p.events.id();
   const auto [questions, events] = *p.member.differ_since;
   if (differ && (q.answered() <= questions || e.answered() <= events)) return;
   p.member.differ_since.reset();
   p.member.several = differ;
   due_ = due_ || differ;
}

// ---- whose word it is ---------------------------------------------------------------------------------------------

const std::vector<sentinel_vote>& sentinel_roll::votes() {
   votes_.clear();
   for (const auto& p : peers_) {
      if (!p->votes() || is_repeated_elsewhere(peers_, *p)) continue;
      votes_.push_back(p->view());
      const auto is_seed = [&](const auto& q) {
         return q->seed && q->votes() && !p->id().empty() && q->id() == p->id();
      };
      votes_.back().configured = p->seed || std::any_of(peers_.begin(), peers_.end(), is_seed);
   }
   return votes_;
}

void sentinel_roll::compare_down_after() {
   down_after_.reset();
   for (const auto& p : peers_)
      if (p->votes()) down_after_ = std::max(down_after_, p->latest.state.down_after);
}

const std::vector<sentinel_vote>& sentinel_roll::supported_votes() {
   votes();
   contradicted_ = leave_out_unsupported(votes_, tally_.known);
   return votes_;
}

}  // namespace holdfast::impl

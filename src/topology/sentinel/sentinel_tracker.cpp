#include "topology/sentinel/sentinel_tracker.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::topology {
namespace {

// What a Sentinel says is small, whatever the master may answer: a list of a hundred Sentinels has some 200 KB.
resp::limits small(resp::limits l) {
   l.reply_bytes = std::min(l.reply_bytes, std::size_t{1} << 20);
   l.depth = std::min(l.depth, 8U);
   l.elements = std::min(l.elements, std::size_t{1} << 16);
   return l;
}

}  // namespace

sentinel_tracker::sentinel_tracker(sentinel_settings s, std::uint64_t seed, resp::wish_list& wishes,
                                   const resp::limits& l, event_queue& events)
   : settings_(std::move(s)),
     wishes_(&wishes),
     limits_(small(l)),
     events_(&events),
     schedule_(settings_, seed),
     lineage_(settings_),
     nodes_(settings_, seed ^ 2, wishes, limits_),
     promotion_(settings_),
     doubt_(settings_) {
   for (const auto& where : settings_.sentinels) {
      const auto same = [&](const auto& p) { return p->where == where; };
      if (std::none_of(peers_.begin(), peers_.end(), same)) add_peer(where, true);
   }
   if (!peers_.empty()) return;
   started_ = true;
   believed_ = named_master{settings_.server, 0, 0};
   target_ = last_target_ = named_master{settings_.server, 0, 1};
   deadline_ = never;
}

void sentinel_tracker::add_peer(const endpoint& where, bool seed) {
   order_.push_back(peers_.size());
   peers_.push_back(std::make_unique<peer>(settings_, *wishes_, limits_, peers_.size(), where, seed, std::string()));
}

resp::link& sentinel_tracker::link_at(std::size_t i) {
   if (i >= 2 * peers_.size()) return nodes_.link_at(i - 2 * peers_.size());
   peer& p = *peers_[i / 2];
   return i % 2 == 0 ? p.questions.connection.link : p.events.connection.link;
}

sentinel_tracker::peer* sentinel_tracker::owner(const resp::link& l) {
   for (const auto& p : peers_) {
      if (&p->questions.connection.link == &l || &p->events.connection.link == &l) return p.get();
   }
   return nullptr;
}

std::vector<endpoint> sentinel_tracker::sentinels() const {
   std::vector<endpoint> all;
   for (const auto i : order_) all.push_back(peers_[i]->where);
   return all;
}

// ---- dialling -----------------------------------------------------------------------------------------------------

void sentinel_tracker::start(time_point now) {
   started_ = true;
   rounds_.begin(now);
   plan_poll(now);
   dial_next(now);
}

void sentinel_tracker::dial_next(time_point now) {
   stagger_at_ = never;
   if (next_start_ == order_.size()) return;
   peer& p = *peers_[order_[next_start_++]];
   if (p.questions.connection.now() == checked_connection::phase::resting) p.questions.dial(p.where, now);
   if (next_start_ != order_.size()) stagger_at_ = after(now, settings_.stagger);
}

void sentinel_tracker::dial_all_untried(time_point now) {
   while (next_start_ != order_.size()) dial_next(now);
}

// A question waits for this one, which rests after a failure: it is dialled now, unless that was tried just before.
void sentinel_tracker::hurry(peer& p, time_point now) {
   auto& c = p.questions.connection;
   if (p.now != peer::status::down || c.now() != checked_connection::phase::resting) return;
   c.retry_from(std::min(c.retry_at(), after(c.tried_at(), settings_.outage_poll)));
   if (c.retry_at() <= now) p.questions.dial(p.where, now);
}

duration sentinel_tracker::retry_cap() const {
   return schedule_.commands_wait() || !reachable_ || failover_in_progress() ? settings_.outage_poll
                                                                             : settings_.idle_poll;
}

// ---- what the engine reports --------------------------------------------------------------------------------------

void sentinel_tracker::on_opened(resp::link& l, time_point now) {
   peer* p = owner(l);
   if (!p) {
      if (nodes_.on_opened(l, now)) finish_event(now);
      return;
   }
   if (&l == &p->questions.connection.link) {
      p->questions.ask(rounds_.last(), now);
      p->questions.opened(now);
   } else {
      p->events.opened(now);
   }
   finish_event(now);
}

void sentinel_tracker::on_lost(resp::link& l, const std::string& why, time_point now) {
   if (l.now() != resp::link::state::closed) l.lost();
   peer* p = owner(l);
   if (!p) {
      if (nodes_.on_lost(l, why, now)) finish_event(now);
      return;
   }
   if (&l == &p->questions.connection.link) {
      if (p->questions.connection.is_open()) promotion_.on_disconnected(p->number, p->id());
      p->questions.lost(why);
      question_failed(*p, now);
   } else {
      const bool was_active = p->events.active();
      p->events.lost(why);
      subscription_failed(*p, was_active, now);
   }
   finish_event(now);
}

void sentinel_tracker::on_received(resp::link& l, time_point now) {
   peer* p = owner(l);
   if (!p) {
      if (nodes_.on_received(l, now)) finish_event(now);
      return;
   }
   if (&l == &p->questions.connection.link)
      take_questions(*p, now);
   else
      take_events(*p, now);
   find_several(*p);
   finish_event(now);
}

// ---- the lane's wishes --------------------------------------------------------------------------------------------

sentinel_tracker::round sentinel_tracker::ask(time_point now) {
   if (peers_.empty()) {
      const auto r = rounds_.begin(now);
      rounds_.finish(r);
      return r;
   }
   if (!started_) {
      start(now);
      deadline_ = earliest_deadline();
      return rounds_.last();
   }
   if (rounds_.fresh(now)) return rounds_.last();
   const auto r = rounds_.begin(now);
   roll_due_ = true;
   for (const auto& p : peers_) {
      p->questions.ask(r, now);
      hurry(*p, now);
   }
   plan_poll(now);
   finish_event(now);
   return r;
}

void sentinel_tracker::need(bool waiting, time_point now) {
   if (peers_.empty() || !schedule_.on_need(waiting) || !started_) return;
   plan_poll(now);
   finish_event(now);
}

void sentinel_tracker::role_verified(const endpoint& where, std::uint64_t epoch, time_point now) {
   schedule_.forget_refusals();
   if (believed_ && believed_->where == where) promotion_.on_verified();
   if (lineage_.on_verified(where, epoch)) accept_lineage(sentinel_vote(lineage_.agreed()), now);
   if (started_ && !peers_.empty()) finish_event(now);
}

void sentinel_tracker::role_refused(const endpoint& where, std::string_view, time_point now) {
   lineage_.on_refused(where, now);
   if (peers_.empty()) return;
   if (role_hint_.follows(where)) role_hint_.stop();
   if (is_provisional() && believed_->where == where) denied(now);
   if (settings_.follow_role_hint && !is_provisional() && believed_ && believed_->where == where) role_hint_.ask(where);
   schedule_.on_refused(failover_in_progress() ? settings_.outage_poll : settings_.alert_poll, now);
   if (started_) finish_event(now);
}

// ---- time ---------------------------------------------------------------------------------------------------------

// What is going on is worth more questions than one in ten seconds.
bool sentinel_tracker::alert() const {
   const bool agreed = lineage_.now() != lineage::state::none;
   return !reachable_ || agreed || is_provisional() || contradicted_ || failover_in_progress();
}

void sentinel_tracker::tick(time_point now) {
   if (peers_.empty() || now < deadline_) return;
   if (!started_) {
      start(now);
      deadline_ = earliest_deadline();
      return;
   }
   const bool late = now > after(deadline_, settings_.timeout / 4);
   for (std::size_t i = 0; i < peers_.size(); ++i) check(*peers_[i], late, now);
   nodes_.tick(now, late);
   if (now >= stagger_at_) dial_next(now);
   if (now >= lineage_.deadline()) {
      lineage_.on_asked(next_round(now));
      ask(now);
   }
   if (schedule_.take_hint(now)) ask(now);
   if (schedule_.poll_is_due(now)) {
      ask(now);
      plan_poll(now);
   }
   finish_event(now);
}

void sentinel_tracker::check(peer& p, bool late, time_point now) {
   auto& question = p.questions.connection;
   if (question.now() == checked_connection::phase::resting) {
      if (now >= question.retry_at()) p.questions.dial(p.where, now);
   } else if (p.questions.check(now, late) == inquiry::event::failed) {
      question_failed(p, now);
   }
   auto& event = p.events.connection;
   if (event.now() == checked_connection::phase::resting) {
      if (now < event.retry_at()) return;
      event.retry_from(never);  // where the Sentinel is down, its next answer dials
      if (p.up()) p.events.dial(p.where, now);
      return;
   }
   const bool was_active = p.events.active();
   if (p.events.check(now, late) == subscription::event::failed) subscription_failed(p, was_active, now);
}

void sentinel_tracker::finish_event(time_point now) {
   take_observations(now);
   call_the_roll(now);
   settle(now);
   publish();
   pursue_those_that_matter(now);
   if (started_ && alert()) schedule_.poll_at_latest(after(now, settings_.alert_poll));
   deadline_ = earliest_deadline();
}

time_point sentinel_tracker::earliest_deadline() const {
   auto soonest = std::min({stagger_at_, schedule_.deadline(), lineage_.deadline(), rounds_.deadline(),
                            nodes_.deadline(), doubt_.deadline(), promotion_.deadline()});
   for (const auto& p : peers_) {
      soonest = std::min({soonest, p->questions.connection.deadline(), p->events.connection.deadline()});
   }
   return soonest;
}

}  // namespace holdfast::topology

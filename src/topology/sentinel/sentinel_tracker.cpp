#include "topology/sentinel/sentinel_tracker.hpp"

#include "commands/shown.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::impl {

sentinel_tracker::sentinel_tracker(sentinel_settings s, std::uint64_t seed, io_queue& io, const limits& l,
                                   event_queue& events)
   : settings_(std::move(s)),
     events_(&events),
     roll_(settings_, io, limits_of_answers(l), events, *this),
     schedule_(settings_, seed),
     doubt_(settings_),
     lineage_(settings_),
     promotion_(settings_),
     nodes_(settings_, seed ^ 2, io, limits_of_answers(l), *this) {}

link& sentinel_tracker::link_at(std::size_t i) {
   return i < sentinel_links() ? roll_.link_at(i) : nodes_.link_at(i - sentinel_links());
}

// ---- what the engine reports --------------------------------------------------------------------------------------

void sentinel_tracker::on_opened(link& l, time_point now) {
   peer* p = roll_.owner(l);
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

void sentinel_tracker::on_lost(link& l, std::string_view reason, time_point now) {
   const std::string why(reason);
   peer* p = roll_.owner(l);
   if (!p) {
      if (nodes_.on_lost(l, why, now)) finish_event(now);
      return;
   }
   if (&l == &p->questions.connection.link) {
      if (p->questions.connection.is_open()) promotion_.on_disconnected(p->number, p->id());
      refuse(*p, why, now);
   } else {
      const bool was_active = p->events.active();
      p->events.lost(why);
      subscription_failed(*p, was_active, now);
   }
   finish_event(now);
}

void sentinel_tracker::on_received(link& l, time_point now) {
   peer* p = roll_.owner(l);
   if (!p) {
      if (nodes_.on_received(l, now)) finish_event(now);
      return;
   }
   if (&l == &p->questions.connection.link)
      take_answers(*p, now);
   else
      take_events(*p, now);
   roll_.find_several(*p);
   finish_event(now);
}

// ---- the lane's requests --------------------------------------------------------------------------------------------

sentinel_tracker::round sentinel_tracker::ask(time_point now) {
   if (!is_started()) {
      start(now);
      return rounds_.last();
   }
   if (rounds_.is_current(now)) return rounds_.last();
   const auto r = rounds_.begin(now);
   roll_.note_change();
   for (const auto& p : roll_.all()) {
      p->questions.ask(r, now);
      roll_.redial_now(*p, now);
   }
   plan_poll(now);
   finish_event(now);
   return r;
}

void sentinel_tracker::need(bool waiting, time_point now) {
   if (!schedule_.on_need(waiting) || !is_started()) return;
   plan_poll(now);
   finish_event(now);
}

void sentinel_tracker::role_verified(const endpoint& where, std::uint64_t epoch, time_point now) {
   schedule_.forget_refusals();
   if (believed_ && believed_->where == where) promotion_.on_verified();
   if (lineage_.on_verified(where, epoch)) accept_lineage(sentinel_vote(lineage_.agreed()), now);
   if (is_started()) finish_event(now);
}

void sentinel_tracker::role_refused(const endpoint& where, std::string_view, time_point now) {
   lineage_.on_refused(where, now);
   if (role_hint_.follows(where)) role_hint_.stop();
   // Whether the Sentinels know better is to be asked first.
   if (is_provisional() && believed_->where == where && promotion_.now() != promotion::state::denied)
      promotion_.on_denied(ask(now));
   if (settings_.follow_role_hint && !is_provisional() && believed_ && believed_->where == where) role_hint_.ask(where);
   schedule_.on_refused(failover_in_progress() ? settings_.outage_poll : settings_.alert_poll, now);
   if (is_started()) finish_event(now);
}

// ---- time ---------------------------------------------------------------------------------------------------------

void sentinel_tracker::start(time_point now) {
   set_state(state::starting);
   rounds_.begin(now);
   plan_poll(now);
   roll_.dial_next(now);
   deadline_ = soonest_deadline();
}

// Trouble is worth more questions than one in ten seconds.
bool sentinel_tracker::alert() const {
   const bool agreed = lineage_.now() != lineage::state::none;
   return !reachable_ || agreed || is_provisional() || roll_.contradicted() || failover_in_progress();
}

duration sentinel_tracker::retry_cap() const {
   return schedule_.commands_wait() || !reachable_ || failover_in_progress() ? settings_.outage_poll
                                                                             : settings_.idle_poll;
}

void sentinel_tracker::tick(time_point now) {
   if (now < deadline_) return;
   if (!is_started()) return start(now);
   const bool late = now > after(deadline_, settings_.timeout / 4);
   for (std::size_t i = 0; i < roll_.all().size(); ++i) check(*roll_.all()[i], late, now);
   nodes_.tick(now, late);
   if (now >= roll_.order().deadline()) roll_.dial_next(now);
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
   if (!schedule_.take_hint(now)) return;
   ask(now);  // about what that came to: an entry has passed, and the votes that are left disagree
   deadline_ = soonest_deadline();
}

void sentinel_tracker::check(peer& p, bool late, time_point now) {
   if (p.others.expire(now)) {
      roll_.note_change();
      call_the_roll(now);
   }
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
   ++events_seen_;
   take_observations(now);
   call_the_roll(now);
   close_finished_rounds(now);
   publish();
   pursue_those_that_matter(now);
   if (is_started() && alert()) schedule_.poll_at_latest(after(now, settings_.alert_poll));
   deadline_ = soonest_deadline();
}

time_point sentinel_tracker::soonest_deadline() const {
   return std::min({roll_.deadline(), rounds_.deadline(), schedule_.deadline(), doubt_.deadline(), lineage_.deadline(),
                    promotion_.deadline(), nodes_.deadline()});
}

// ---- what Sentinels answer, and who they are ----------------------------------------------------------------------

void sentinel_tracker::take_answers(peer& p, time_point now) {
   for (;;) {
      switch (p.questions.take(now)) {
         case inquiry::event::nothing: return;
         case inquiry::event::answered:
            if (!p.waits_for_list) answer_came(p, now);
            break;
         case inquiry::event::told_id:
            if (roll_.welcomes_answers(p)) {
               p.waits_for_list = p.seed;
               roll_.note_if_several(p, rounds_.last(), now);
            } else {
               refuse(p, "is another Sentinel than the one that is listed there", now);
            }
            break;
         case inquiry::event::listed:
            p.others.tell(p.id(), p.questions.list(), now);
            roll_.note_change();
            if (p.waits_for_list) answer_came(p, now);
            break;
         case inquiry::event::replicas: keep_warm(now); break;
         case inquiry::event::failed: question_failed(p, now); return;
      }
   }
}

void sentinel_tracker::refuse(peer& p, const std::string& why, time_point now) {
   p.questions.lost(why);
   question_failed(p, now);
}

void sentinel_tracker::question_failed(peer& p, time_point now) {
   const bool was_down = p.is_down();
   p.fail(now);
   roll_.note_change();
   if (!was_down) events_->tell([&] { return event::sentinel_down{p.where, p.why}; });
   if (!anyone(roll_.all(), &peer::up)) schedule_.poll_at_latest(after(now, settings_.alert_poll));
   auto& c = p.questions.connection;
   c.retry_from(after(now, schedule_.backoff(c.failures++, retry_cap())));
   if (roll_.order().deadline() != never) roll_.dial_next(now);
   apply_answers(now);
}

void sentinel_tracker::answer_came(peer& p, time_point now) {
   if (!p.up()) events_->tell([&] { return event::sentinel_up{p.where}; });
   const bool named = p.names_a_master();
   p.take_answer(now);
   if (p.names_a_master() != named) roll_.note_change();
   if (p.waits_for_list) call_the_roll(now);
   p.waits_for_list = false;
   roll_.prefer(p, now);
   auto& e = p.events.connection;
   if (e.now() == checked_connection::phase::resting && e.retry_at() == never) p.events.dial(p.where, now);

   const auto before = published_.last().generation;
   apply_answers(now);
   if (believed_) tell_if_stale(p);
   p.note_flags(believed_ ? &believed_->where : nullptr);
   if (p.latest.state.down_after) roll_.compare_down_after();
   // A newer master is news for all who wait, whatever the other Sentinels are still about to say.
   if (state_ == state::following && published_.last().generation != before) {
      rounds_.finish(p.latest.round);
      finish_round(now);
   }
   // Nobody waits for this answer, but it may be the first since long.
   if (!reachable_ && rounds_.idle() && p.votes()) ask(now);
}

void sentinel_tracker::call_the_roll(time_point now) {
   if (!roll_.is_due()) return;
   const bool changed = roll_.call(now);
   for (const auto& p : roll_.all()) {
      if (!p->member.in_use)
         promotion_.on_forgotten(p->number);
      else if (!p->member.counts)
         promotion_.drop_candidate(p->number);
   }
   if (roll_.may_learn()) learn(now);
   if (!changed) return;
   schedule_.on_hint(now);
   apply_answers(now);
}

void sentinel_tracker::learn(time_point now) {
   for (const auto& p : roll_.all()) {
      if (p->seed || !p->member.in_use) continue;
      if (roll_.has_moved_away(*p)) refuse(*p, "is not proven to be the Sentinel that was listed there", now);
      switch (roll_.follow_the_list(*p, rounds_.last(), now)) {
         case sentinel_roll::move::none: break;
         case sentinel_roll::move::moved: promotion_.on_unsubscribed(p->number); break;
         case sentinel_roll::move::forgotten: promotion_.on_forgotten(p->number); break;
      }
   }
   for (const auto& entry : roll_.take_unmet()) {
      const auto m = roll_.add_learned(entry, rounds_.last(), now);
      if (m.is_taken)
         refuse(*m.place, "another Sentinel is listed there now", now);
      else if (m.place != nullptr)
         promotion_.on_forgotten(m.place->number);
   }
   roll_.finish_learning();
}

// ---- what Sentinels publish ---------------------------------------------------------------------------------------

void sentinel_tracker::take_events(peer& p, time_point now) {
   for (;;) {
      const bool was_active = p.events.active();
      switch (p.events.take(now)) {
         case subscription::event::nothing: return;
         case subscription::event::active:
            roll_.note_if_several(p, rounds_.last(), now);
            if (!roll_.welcomes_events(p)) {
               p.events.lost("is another Sentinel than the one that is listed there");
               return subscription_failed(p, false, now);
            }
            p.events.connection.failures = 0;
            p.questions.ask(rounds_.last(), now);  // for what happened since it was asked last
            break;
         case subscription::event::said: {
            const auto h = read_hint(p.events.channel(), p.events.payload(), settings_.master);
            if (!h) break;
            promotion_.on_announced(p.number, *h);  // of one that may count a moment later, too
            if (!p.member.counts) {
               stray_said(p, *h, now);
               break;
            }
            events_->tell([&] {
               return event::sentinel_said{p.where, kept_words(p.events.channel()), kept_words(p.events.payload())};
            });
            hint_came(p, *h, now);
            break;
         }
         case subscription::event::failed: return subscription_failed(p, was_active, now);
      }
   }
}

void sentinel_tracker::subscription_failed(peer& p, bool was_active, time_point now) {
   auto& e = p.events.connection;
   promotion_.on_unsubscribed(p.number);
   if (p.events.refused())
      e.retry_from(after(now, 3 * settings_.idle_poll));
   else if (p.up())
      e.retry_from(after(now, schedule_.backoff(e.failures++, retry_cap())));
   if (!was_active) return;
   promotion_.on_disconnected(p.number, p.events.id());
   if (p.member.counts && !anyone(roll_.all(), &peer::is_heard)) raise_doubt(p, now);
   ask_for_hint(p, now);
}

void sentinel_tracker::hint_came(peer& p, const hint& h, time_point now) {
   p.note_hint(h, believed_ && h.about == believed_->where);
   switch (h.kind) {
      case hint_kind::told:
      case hint_kind::new_epoch: return;
      case hint_kind::replicas: p.questions.want_replicas(now); return;
      case hint_kind::switched:
         promotion_.on_switched(p.number, h.about);
         if (target() && h.about != target()->where) raise_doubt(p, now);
         break;
      case hint_kind::selected:
         if (believed_ && is_of_our_failover(p, h))
            promotion_.on_selected(p.number, p.events.id(), h.about, believed_->epoch, now);
         break;
      case hint_kind::aborted:
         if (promotion_.on_aborted(p.number, p.events.id(), believed_ ? believed_->epoch : 0))
            withdraw(master_node(promotion_.before()), "the Sentinel " + to_string(p.where) + " gave its failover up",
                     now);
         break;
      case hint_kind::sentinels:
         if (p.events.id() == p.id()) p.others.announce({h.about, h.id}, now);
         roll_.note_change();
         p.questions.want_list();
         break;
      case hint_kind::reset:
         promotion_.drop_candidate(p.number);
         p.questions.want_list();
         break;
      default: break;
   }
   ask_for_hint(p, now);
}

// One that was built anew is no stray any more as soon as its list shows the others.
void sentinel_tracker::stray_said(peer& p, const hint& h, time_point now) {
   if (h.kind != hint_kind::sentinels) return;
   p.questions.want_list();
   p.questions.ask(rounds_.last(), now);
}

void sentinel_tracker::ask_for_hint(peer& p, time_point now) {
   p.asked_for_hint = next_round(now);
   schedule_.on_hint(now);
   if (schedule_.take_hint(now)) ask(now);
}

void sentinel_tracker::raise_doubt(peer& p, time_point now) {
   const duration patience = p.questions.connection.patience();
   if (target() && doubt_.raise(p.number, next_round(now), published_.last().generation, patience, now))
      schedule_.on_doubt(now);
}

// A learned Sentinel that does not prove its id may be another deployment's by now, and so may one that is heard at a
// configured address where another one answers: its failovers are of another master.
bool sentinel_tracker::is_of_our_failover(const peer& p, const hint& h) const {
   if (p.seed ? p.events.id() == p.id() : !p.events.id().empty()) return true;
   return h.of == believed_->where || (is_provisional() && h.of == promotion_.before().where);
}

// ---- what nodes say -----------------------------------------------------------------------------------------------

void sentinel_tracker::take_observations(time_point now) {
   while (const auto seen = nodes_.take()) {
      switch (seen->what) {
         case warm_replicas::role_observation::kind::role: role_seen(*seen, now); break;
         // The promotion, probably: nothing is to go to the old master while that is being found out.
         case warm_replicas::role_observation::kind::ended: promotion_.extend_holds(seen->where, now); break;
         case warm_replicas::role_observation::kind::failed:
            lineage_.on_no_master(seen->where, now);
            role_hint_.on_failed(seen->where);
            break;
      }
   }
}

void sentinel_tracker::role_seen(const warm_replicas::role_observation& s, time_point now) {
   const bool is_master = s.role == "master";
   role_hint_.on_role(s.where, s.role, s.follows);
   if (!is_master) lineage_.on_no_master(s.where, now);
   if (!is_master || !believed_) return;
   const bool is_agreed = lineage_.returns_to(s.where);
   // The master of before may be what is believed: it was selected while another one was believed by its own word.
   if (s.where == believed_->where) return is_agreed ? back_to_agreed(now) : void();
   if (const auto claim = promotion_.claim_of(s.where, believed_->epoch)) {
      const master_node before = is_provisional() ? promotion_.before() : *believed_;
      const master_node promoted{s.where, claim->epoch};
      promotion_.believe(promoted, before, *claim);
      return become_believed(promoted, now);
   }
   if (is_agreed) return back_to_agreed(now);
   if (!role_hint_.follows(s.where)) schedule_.on_hint(now);  // nobody has named it: a hint
}

// As long as no Sentinel answers, those that were listed last.
void sentinel_tracker::keep_warm(time_point now) {
   if (!settings_.keeps_replicas_warm() || !believed_) return;
   if (const auto listed = listed_replicas(roll_.all(), believed_->where)) nodes_.keep(*listed, now);
}

// All of them at once, so that none who needs a node can lose it because another one needs it no longer.
void sentinel_tracker::pursue_those_that_matter(time_point now) {
   auto pursued = promotion_.candidates(believed_, now);
   if (lineage_.now() == lineage::state::returning) pursued.push_back(lineage_.agreed().where);
   if (const endpoint* node = role_hint_.pursued(schedule_.commands_wait())) pursued.push_back(*node);
   nodes_.pursue(pursued, now);
}

// ---- what is believed ---------------------------------------------------------------------------------------------

// Every answer counts at once where something is believed already. The first belief is formed by `finish_round`.
void sentinel_tracker::apply_answers(time_point now) {
   if (!believed_) return;
   const auto& in_hand = roll_.supported_votes();
   confirm_by(in_hand);
   const auto choice = choose_master(&*believed_, in_hand);
   if (choice.what != belief_change::nothing) reachable_ = true;
   if (choice.what == belief_change::adopt) believe({choice.where, choice.epoch}, now);
   if (choice.what == belief_change::ask_again) schedule_.on_hint(now);
   if (lineage_.on_votes(agreed_older(*believed_, roll_.votes(), roll_.known()), now))
      schedule_.poll_at_latest(after(now, settings_.alert_poll));
   if (choice.what != belief_change::nothing) publish();
}

void sentinel_tracker::believe(const master_node& m, time_point now) {
   promotion_.believe_named(m);
   become_believed(m, now);
}

void sentinel_tracker::become_believed(const master_node& m, time_point now) {
   believed_ = master_node{m.where, m.epoch};
   lineage_.end();  // against what was believed before
   role_hint_.stop();
   schedule_.forget_refusals();
   for (const auto& p : roll_.all()) {
      p->clear_flags();
      p->stale_told.reset();
      p->questions.want_replicas(now);
   }
   reachable_ = true;
   keep_warm(now);
   plan_poll(now);
   publish();
}

void sentinel_tracker::confirm_by(const std::vector<sentinel_vote>& in_hand) {
   const auto epoch = promotion_.confirm(believed_->where, in_hand);
   if (!epoch) return;
   believed_->epoch = *epoch;
   lineage_.withdraw();
   events_->tell([&] { return event::master_confirmed{believed_->where, *epoch}; });
}

void sentinel_tracker::withdraw(const master_node& back, const std::string& why, time_point now) {
   const master_node gone = *believed_;
   events_->tell([&] { return event::master_withdrawn{gone.where, gone.epoch, back.where, why}; });
   believe(back, now);
   apply_answers(now);  // something newer may have been named meanwhile
}

void sentinel_tracker::accept_lineage(const sentinel_vote& o, time_point now) {
   const auto abandoned = believed_->epoch;
   believe({o.where, o.epoch}, now);
   events_->tell([&] { return event::new_lineage{o.where, o.epoch, abandoned}; });
}

// All Sentinels have agreed for long on a node that now says itself that it is a master.
void sentinel_tracker::back_to_agreed(time_point now) {
   const master_node before = promotion_.before();
   const master_node agreed{lineage_.agreed().where, lineage_.agreed().epoch};
   if (agreed.where != before.where && agreed.epoch < before.epoch)
      return accept_lineage(sentinel_vote(lineage_.agreed()), now);
   withdraw(agreed.epoch >= before.epoch ? agreed : before,
            "all Sentinels have gone on naming " + to_string(agreed.where) + ", which is a master", now);
}

void sentinel_tracker::tell_if_stale(peer& p) {
   if (!p.votes() || p.latest.state.epoch >= believed_->epoch) return;
   const auto said = p.view();
   if (is_provisional() && said.where == promotion_.before().where) return;  // no Sentinel can know better yet
   if (p.stale_told && p.stale_told->where == said.where && p.stale_told->epoch == said.epoch) return;
   p.stale_told = said;
   events_->tell([&] { return event::stale_answer{p.where, said.where, said.epoch, believed_->epoch}; });
}

// ---- rounds -------------------------------------------------------------------------------------------------------

void sentinel_tracker::close_finished_rounds(time_point now) {
   if (!is_started()) return;
   auto& open = rounds_.open();
   for (std::size_t i = open.size(); i-- > 0;) {
      const auto so_far = progress_of(roll_.all(), open[i], believed_ ? &*believed_ : nullptr);
      if (!rounds::is_over(open[i], so_far, roll_.known(), settings_.timeout, now)) continue;
      rounds_.finish(open[i].number);
      finish_round(now);
      break;
   }
   doubt_.review(rounds_, published_.last().generation, now);
}

void sentinel_tracker::finish_round(time_point now) {
   set_state(state::following);
   const auto& in_hand = roll_.supported_votes();
   const bool was_reachable = reachable_;
   reachable_ = !in_hand.empty();
   if (!believed_ && reachable_) {
      const auto choice = choose_master(nullptr, in_hand);
      believe({choice.where, choice.epoch}, now);
      for (const auto& p : roll_.all()) {
         tell_if_stale(*p);
         p->note_flags(&choice.where);
      }
   }
   if (believed_ && lineage_.on_answered(rounds_, believed_->where, is_provisional(), now))
      accept_lineage(sentinel_vote(lineage_.agreed()), now);
   if (promotion_.denial_is_answered(rounds_) && !roll_.votes().empty())
      withdraw(master_node(promotion_.before()), "it says that it is a slave, and no Sentinel names it", now);
   if (was_reachable != reachable_) plan_poll(now);
   publish();
}

// ---- what is told -------------------------------------------------------------------------------------------------

// The one door through which the target changes.
void sentinel_tracker::publish() {
   if (believed_ && reachable_) {
      master_node wanted = *believed_;
      if (const sentinel_vote* offered = lineage_.offered())
         wanted = master_node{offered->where, offered->epoch};
      else if (role_hint_.target() != nullptr && lineage_.offered() == nullptr)
         wanted.where = *role_hint_.target();
      return published_.name(wanted, run_id_of(roll_.all(), wanted.where), is_provisional(), *events_);
   }
   published_.withhold();
   if (state_ != state::following || !published_.lose()) return;
   events_->tell([&] { return event::master_lost{in_short(*why_none())}; });
}

std::string sentinel_tracker::objection() const {
   return target() && believed_ ? objection_to(*target(), roll_.all(), settings_.agree_for) : std::string();
}

std::optional<unavailable> sentinel_tracker::why_none() const {
   if (target() || state_ != state::following) return std::nullopt;
   return why_no_master(roll_.all(), roll_.order().all(), settings_.master, roll_.ever_named());
}

}  // namespace holdfast::impl

// The tracker: events, the doubt that they raise, and the older lineage that all Sentinels may agree on.
#include "commands/shown.hpp"
#include "topology/sentinel/sentinel_tracker.hpp"

#include <algorithm>

namespace holdfast::topology {

// ---- events -------------------------------------------------------------------------------------------------------

void sentinel_tracker::take_events(peer& p, time_point now) {
   for (;;) {
      const bool was_active = p.events.active();
      switch (p.events.take(now)) {
         case subscription::event::nothing: return;
         case subscription::event::active:
            if (!event_source_is_welcome(p, now)) {
               p.events.lost("is another Sentinel than the one that is listed there");
               return subscription_failed(p, false, now);
            }
            p.event_failures = 0;
            p.questions.ask(rounds_.last(), now);  // for what happened since it was asked last
            break;
         case subscription::event::said: {
            const auto h = read_hint(p.events.channel(), p.events.payload(), settings_.master);
            if (!h || !p.counts) break;
            events_->tell([&] {
               return event::sentinel_said{p.where, resp::kept_words(p.events.channel()),
                                           resp::kept_words(p.events.payload())};
            });
            hint_came(p, *h, now);
            break;
         }
         case subscription::event::failed: subscription_failed(p, was_active, now); return;
      }
   }
}

void sentinel_tracker::subscription_failed(peer& p, bool was_active, time_point now) {
   auto& e = p.events.connection;
   promotion_.on_unsubscribed(p.number);
   if (p.events.refused())
      e.retry_from(after(now, 3 * settings_.idle_poll));
   else if (p.up())
      e.retry_from(after(now, schedule_.backoff(p.event_failures++, retry_cap())));
   if (!was_active) return;
   promotion_.on_disconnected(p.number, p.events.id());
   const bool any = std::any_of(peers_.begin(), peers_.end(), [](const auto& q) { return q->events.active(); });
   if (!any) raise_doubt(p, now);
   ask_for_hint(p, now);
}

void sentinel_tracker::hint_came(peer& p, const hint& h, time_point now) {
   const bool of_ours = believed_ && h.about == believed_->where;
   switch (h.kind) {
      case hint_kind::told: return;
      case hint_kind::replicas: p.questions.want_replicas(now); return;
      case hint_kind::new_epoch: promotion_.on_new_epoch(p.number, h.epoch); return;
      case hint_kind::switched:
         promotion_.on_switched(p.number, h.about);
         if (target_ && h.about != target_->where) raise_doubt(p, now);
         break;
      case hint_kind::objectively_down: p.objectively_down = p.objectively_down || of_ours; break;
      case hint_kind::objectively_up: p.objectively_down = false; break;
      case hint_kind::tries:
         promotion_.on_try(p.number);
         p.failing_over = p.failing_over || of_ours;
         break;
      case hint_kind::selected:
         p.failing_over = true;
         if (believed_ && is_of_our_failover(p, h))
            promotion_.on_selected(p.number, p.events.id(), h.about, believed_->epoch, now);
         break;
      case hint_kind::failing_over: p.failing_over = p.failing_over || of_ours || h.about.empty(); break;
      case hint_kind::aborted:
         given_up(p, now);
         p.failing_over = false;
         break;
      case hint_kind::finished:
         p.failing_over = false;
         promotion_.on_over(p.number);
         break;
      case hint_kind::sentinels: p.questions.want_list(); break;
      case hint_kind::down:
      case hint_kind::up:
      case hint_kind::configured: break;
      case hint_kind::reset:
         promotion_.on_over(p.number);
         p.questions.want_list();
         break;
   }
   ask_for_hint(p, now);
}

void sentinel_tracker::ask_for_hint(peer& p, time_point now) {
   p.asked_for_hint = next_round(now);
   schedule_.on_hint(now);
   if (schedule_.take_hint(now)) ask(now);
}

void sentinel_tracker::raise_doubt(peer& p, time_point now) {
   const duration patience = p.questions.connection.patience();
   if (target_ && doubt_.raise(p.number, next_round(now), last_target_.generation, patience, now))
      schedule_.on_doubt(now);
}

// ---- a new lineage ------------------------------------------------------------------------------------------------

void sentinel_tracker::watch_agreement(time_point now) {
   if (lineage_.on_votes(agreed_older(*believed_, voices(), tally_.known), now))
      schedule_.poll_at_latest(after(now, settings_.alert_poll));
}

void sentinel_tracker::accept_lineage(const sentinel_vote& o, time_point now) {
   const auto abandoned = believed_->epoch;
   believe({o.where, o.epoch}, now);
   events_->tell([&] { return event::new_lineage{o.where, o.epoch, abandoned}; });
}

}  // namespace holdfast::topology

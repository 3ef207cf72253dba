// The tracker: what the Sentinels answered, and what it amounts to.
#include "topology/sentinel/sentinel_tracker.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace holdfast::topology {

// ---- what came ----------------------------------------------------------------------------------------------------

void sentinel_tracker::take_questions(peer& p, time_point now) {
   for (;;) {
      switch (p.questions.take(now)) {
         case inquiry::event::nothing: return;
         case inquiry::event::answered:
            if (!p.waits_for_list) answer_came(p, now);
            break;
         case inquiry::event::told_id: question_met(p, now); break;
         case inquiry::event::listed:
            roll_due_ = true;
            if (p.waits_for_list) answer_came(p, now);
            break;
         case inquiry::event::replicas: keep_warm(now); break;
         case inquiry::event::failed: question_failed(p, now); return;
      }
   }
}

void sentinel_tracker::question_failed(peer& p, time_point now) {
   const bool was_down = p.now == peer::status::down;
   p.now = peer::status::down;
   p.why = p.questions.problem();
   p.refuses = p.questions.refused();
   p.failed_at = now;
   p.look_elsewhere = roll_due_ = true;
   p.waits_for_list = false;
   p.latest = {};
   p.repeated = p.objectively_down = p.failing_over = false;
   if (!was_down) events_->tell([&] { return event::sentinel_down{p.where, p.why}; });
   const bool any_up = std::any_of(peers_.begin(), peers_.end(), [](const auto& q) { return q->up(); });
   if (!any_up) schedule_.poll_at_latest(after(now, settings_.alert_poll));
   p.questions.connection.retry_from(after(now, schedule_.backoff(p.question_failures++, retry_cap())));
   if (stagger_at_ != never) dial_next(now);
   weigh(now);
}

void sentinel_tracker::answer_came(peer& p, time_point now) {
   if (!p.up()) events_->tell([&] { return event::sentinel_up{p.where}; });
   p.now = peer::status::up;
   p.why.clear();
   p.refuses = false;
   p.question_failures = 0;
   const bool named = p.names_a_master();
   p.take_answer(p.questions.answer());
   p.answered_at = now;
   if (p.names_a_master() != named) roll_due_ = true;
   if (std::exchange(p.waits_for_list, false)) call_the_roll(now);
   ever_named_ = ever_named_ || p.votes();

   dial_all_untried(now);
   if (peers_[order_.front()]->now != peer::status::up) {
      const auto self = std::find_if(order_.begin(), order_.end(), [&](auto i) { return peers_[i].get() == &p; });
      std::rotate(order_.begin(), self, self + 1);
   }
   auto& e = p.events.connection;
   if (e.now() == checked_connection::phase::resting && e.retry_at() == never) p.events.dial(p.where, now);

   const auto before = last_target_.generation;
   weigh(now);
   if (believed_) tell_if_stale(p);
   const bool concerns = believed_ && p.votes() && p.latest.state.shown == believed_->where;
   p.objectively_down = concerns && p.latest.state.objectively_down;
   p.failing_over = concerns && p.latest.state.failover_in_progress;
   if (p.latest.state.down_after) {
      down_after_.reset();
      for (const auto& q : peers_) {
         if (q->votes()) down_after_ = std::max(down_after_, q->latest.state.down_after);
      }
   }
   // A newer master is news for all who wait, whatever the other Sentinels are still about to say.
   if (concluded_ && last_target_.generation != before) {
      rounds_.finish(p.latest.round);
      conclude(now);
   }
   // Nobody waits for this answer, but it may be the first since long.
   if (!reachable_ && rounds_.idle() && p.votes()) ask(now);
}

// ---- belief -------------------------------------------------------------------------------------------------------

// Where something is believed already, every answer counts at once. The first belief is formed by `conclude`.
void sentinel_tracker::weigh(time_point now) {
   if (!believed_) return;
   const auto& in_hand = supported();
   confirm_by(in_hand);
   const auto choice = choose_master(&*believed_, in_hand);
   if (choice.what == next_step::nothing) return watch_agreement(now);
   reachable_ = true;
   if (choice.what == next_step::adopt) believe({choice.where, choice.epoch}, now);
   if (choice.what == next_step::ask_again) schedule_.on_hint(now);
   watch_agreement(now);
   publish();
}

void sentinel_tracker::believe(const named_master& m, time_point now) {
   promotion_.believe_named(m);
   become_believed(m, now);
}

void sentinel_tracker::become_believed(const named_master& m, time_point now) {
   believed_ = named_master{m.where, m.epoch};
   lineage_.end();  // against what was believed before
   role_hint_.stop();
   schedule_.forget_refusals();
   for (const auto& p : peers_) {
      p->objectively_down = p->failing_over = false;
      p->stale_told.reset();
      p->questions.want_replicas(now);
   }
   reachable_ = true;
   keep_warm(now);
   plan_poll(now);
   publish();
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

bool sentinel_tracker::is_over(rounds::open_round& r, time_point now) const {
   std::size_t answered = 0;
   std::size_t confirming = 0;
   std::size_t waiting = 0;
   std::size_t waiting_for_down = 0;
   bool hinting = false;
   for (const auto& p : peers_) {
      if (!p->counts) continue;
      if (p->up() && p->latest.round >= r.number) {
         ++answered;
         // The first belief hears those, too, whom this one is about to name.
         if (!believed_ && p->questions.list_under_way()) ++waiting;
         if (believed_ && p->names_a_master() && p->latest.where == believed_->where &&
             p->latest.state.epoch == believed_->epoch && !is_repeated_elsewhere(*p))
            ++confirming;
      } else if (p->failed_at > r.began) {
         continue;
      } else if (p->now == peer::status::down) {
         if (p->questions.connection.now() != checked_connection::phase::resting) ++waiting_for_down;
      } else {
         ++waiting;
         hinting = hinting || p->asked_for_hint >= r.number;
      }
   }
   if (waiting == 0 && (answered != 0 || waiting_for_down == 0)) return true;
   if (answered == 0) {
      r.until = never;  // who had answered is gone
      return false;
   }
   if (2 * confirming > tally_.known && !hinting) return true;
   if (r.until == never) r.until = after(now, settings_.timeout);
   return now >= r.until;
}

void sentinel_tracker::settle(time_point now) {
   if (!started_) return;
   auto& open = rounds_.open();
   for (std::size_t i = open.size(); i-- > 0;) {
      if (!is_over(open[i], now)) continue;
      rounds_.finish(open[i].number);
      conclude(now);
      break;
   }
   doubt_.review(rounds_, last_target_.generation, now);
}

void sentinel_tracker::conclude(time_point now) {
   concluded_ = true;
   const auto& in_hand = supported();
   const bool was_reachable = reachable_;
   reachable_ = !in_hand.empty();
   if (!believed_ && reachable_) {
      const auto choice = choose_master(nullptr, in_hand);
      believe({choice.where, choice.epoch}, now);
      for (const auto& p : peers_) {
         tell_if_stale(*p);
         const bool concerns = p->votes() && p->latest.state.shown == choice.where;
         p->objectively_down = concerns && p->latest.state.objectively_down;
         p->failing_over = concerns && p->latest.state.failover_in_progress;
      }
   }
   if (believed_ && lineage_.on_answered(rounds_, believed_->where, is_provisional(), now))
      accept_lineage(sentinel_vote(lineage_.agreed()), now);
   weigh_denial(now);
   if (was_reachable != reachable_) plan_poll(now);
   publish();
}

// The one door through which the target changes.
void sentinel_tracker::publish() {
   std::optional<named_master> wanted;
   const sentinel_vote* const offered = lineage_.offered();
   if (reachable_ && offered)
      wanted = named_master{offered->where, offered->epoch, 0};
   else if (reachable_ || peers_.empty())
      wanted = believed_;
   if (wanted && role_hint_.target() && !offered) wanted->where = *role_hint_.target();
   if (!wanted) {
      target_.reset();
      if (!concluded_ || lost_told_) return;
      lost_told_ = true;
      events_->tell([&] {
         const auto why = why_none();
         return event::master_lost{why && why->code == errc::no_sentinel ? "no Sentinel can be reached"
                                   : why && why->code == errc::authentication_failed
                                      ? "the Sentinels refuse our password"
                                      : "no Sentinel knows a master of that name"};
      });
      return;
   }
   const bool moved = last_target_.where != wanted->where;
   const bool changed = moved || last_target_.epoch != wanted->epoch;
   if (changed || lost_told_ || last_target_.generation == 0) {
      if (moved || lost_told_)
         events_->tell(
            [&] { return event::master_named{last_target_.where, wanted->where, wanted->epoch, is_provisional()}; });
      lost_told_ = false;
      if (changed || last_target_.generation == 0) {
         wanted->generation = last_target_.generation + 1;
         last_target_ = *wanted;
      }
   }
   target_ = last_target_;
   target_->run_id = run_id_of(*target_);
}

// A Sentinel shows the run id with the address that it asks for INFO: of the target, if that is the same. What it saw
// last may be ten seconds old; where two saw different ones, none is known.
std::string sentinel_tracker::run_id_of(const named_master& m) const {
   std::string found;
   for (const auto& p : peers_) {
      if (!p->votes() || p->latest.where != m.where || p->latest.state.shown != m.where) continue;
      const std::string& one = p->latest.state.run_id;
      if (one.empty() || one == found) continue;
      if (!found.empty()) return {};
      found = one;
   }
   return found;
}

// ---- what else they say -------------------------------------------------------------------------------------------

bool sentinel_tracker::failover_in_progress() const {
   return std::any_of(peers_.begin(), peers_.end(),
                      [](const auto& p) { return p->failing_over || p->objectively_down; });
}

bool sentinel_tracker::objectively_down() const {
   return std::any_of(peers_.begin(), peers_.end(), [](const auto& p) { return p->objectively_down; });
}

std::string sentinel_tracker::objection() const {
   if (!target_ || !believed_) return {};
   const auto names_another = [&](const auto& p) { return p->votes() && p->latest.where != target_->where; };
   const auto found = std::find_if(peers_.begin(), peers_.end(), names_another);
   if (found == peers_.end()) return {};
   const auto said = (*found)->view();
   std::string text = "Sentinel " + to_string((*found)->where) + " names " + to_string(said.where) + " (epoch " +
                      std::to_string(said.epoch) + ") instead of " + to_string(target_->where) + " (epoch " +
                      std::to_string(target_->epoch) + ")";
   if (said.epoch < target_->epoch)
      text += "; an older epoch is followed when all have agreed on it for " +
              std::to_string(std::chrono::duration_cast<std::chrono::seconds>(settings_.agree_for).count()) + " s";
   return text;
}

std::optional<trouble> sentinel_tracker::why_none() const {
   if (target_ || !concluded_) return std::nullopt;
   trouble t;
   bool unknown = false;
   bool refused = false;
   bool each_seed_says_no = !ever_named_;
   for (const auto i : order_) {
      const peer& p = *peers_[i];
      const bool knows_no_such = p.up() && p.latest.what == sentinel_answer::kind::unknown;
      unknown = unknown || knows_no_such;
      refused = refused || p.refuses;
      if (p.seed && !knows_no_such && !p.refuses) each_seed_says_no = false;
      std::string cause = "Sentinel " + to_string(p.where) + ": ";
      if (knows_no_such)
         cause += "knows no master named '" + shown(settings_.master) + "'";
      else if (p.seed && !p.counts && p.up())
         cause += peer::stray_text;
      else
         cause += p.why.empty() ? "has not answered yet" : p.why;
      t.causes.push_back(std::move(cause));
   }
   t.code = unknown ? errc::unknown_master : refused ? errc::authentication_failed : errc::no_sentinel;
   t.final = each_seed_says_no;
   return t;
}

}  // namespace holdfast::topology

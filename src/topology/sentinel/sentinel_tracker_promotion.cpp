// The tracker: a node that is about to be promoted, what it says itself, and what becomes of believing it.
#include "topology/sentinel/sentinel_tracker.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace holdfast::topology {

// ---- selected -----------------------------------------------------------------------------------------------------

// Without the epoch the selection can't be placed: then the Sentinels' answers will tell.
void sentinel_tracker::selected(peer& p, const endpoint& where, time_point now) {
   if (!settings_.eager || where.empty() || !believed_ || p.failover_epoch <= believed_->epoch) return;
   p.candidate = peer::selection{where, p.failover_epoch};
   if (settings_.hold_on_selected <= duration::zero() || now < p.no_hold_until) return;
   p.candidate->hold_until = after(now, settings_.hold_on_selected);
   p.candidate->may_extend = true;
   p.no_hold_until = after(p.candidate->hold_until, settings_.hold_pause);
}

// A learned Sentinel that does not prove its id may be another deployment's by now: its failovers are of another
// master.
bool sentinel_tracker::is_of_our_failover(const peer& p, const hint& h) const {
   if (p.seed || !p.events.id().empty() || !believed_) return true;
   return h.of == believed_->where || (provisional_ && h.of == provisional_->before.where);
}

void sentinel_tracker::drop_candidates(std::uint64_t up_to_epoch) {
   for (const auto& p : peers_) {
      if (!p->candidate || p->candidate->epoch > up_to_epoch) continue;
      if (p->candidate->where == believed_->where) p->no_hold_until = time_point::min();  // not in vain
      p->candidate.reset();
   }
}

// A connection to this Sentinel has ended: perhaps all of them do, and the news of another one's end is still under way
// (a lost packet takes 200 ms).
void sentinel_tracker::drop_candidates_of(const peer& gone, const std::string& id) {
   for (const auto& p : peers_) {
      const auto& heard = p->events.id();
      const bool unknown = id.empty() || heard.empty();
      if (unknown ? p.get() == &gone : heard == id) p->candidate.reset();
   }
}

void sentinel_tracker::extend_holds(const endpoint& where, time_point now) {
   for (const auto& p : peers_) {
      auto& c = p->candidate;
      if (!c || c->where != where || !std::exchange(c->may_extend, false)) continue;
      c->hold_until = std::max(c->hold_until, after(now, settings_.hold_extension));
   }
}

void sentinel_tracker::given_up(peer& p, time_point now) {
   p.candidate.reset();
   // Its events may come by two addresses.
   const bool of_what_is_believed =
      provisional_ && (provisional_->by == &p || (!p.events.id().empty() && provisional_->by_id == p.events.id()));
   // Where its subscription is new, which failover it gave up is unknown, and that it leads one at all says enough.
   if (of_what_is_believed && (p.failover_epoch == 0 || p.failover_epoch == believed_->epoch))
      withdraw(named_master(provisional_->before), "the Sentinel " + to_string(p.where) + " gave its failover up", now);
}

// ---- provisional --------------------------------------------------------------------------------------------------

void sentinel_tracker::confirm_by(const std::vector<sentinel_vote>& in_hand) {
   if (!provisional_) return;
   std::uint64_t newest = provisional_->before.epoch;
   for (const auto& o : in_hand) {
      if (o.where == believed_->where) newest = std::max(newest, o.epoch);
   }
   if (newest == provisional_->before.epoch) return;
   believed_->epoch = newest;
   provisional_.reset();
   lineage_.withdraw();
   drop_candidates(newest);
   events_->tell([&] { return event::master_confirmed{believed_->where, newest}; });
}

// It is no master (any more). Whether the Sentinels know better is to be asked first.
void sentinel_tracker::denied(time_point now) {
   if (provisional_->denied != 0) return;
   const round r = ask(now);
   if (provisional_) provisional_->denied = r;
}

void sentinel_tracker::weigh_denial(time_point now) {
   if (!provisional_ || provisional_->denied == 0 || !rounds_.finished(provisional_->denied)) return;
   provisional_->denied = 0;
   if (!voices().empty())
      withdraw(named_master(provisional_->before), "it says that it is a slave, and no Sentinel names it", now);
}

void sentinel_tracker::withdraw(const named_master& back, const std::string& why, time_point now) {
   const named_master gone = *believed_;
   events_->tell([&] { return event::master_withdrawn{gone.where, gone.epoch, back.where, why}; });
   believe(back.where, back.epoch, {}, now);
   weigh(now);  // something newer may have been named meanwhile
}

// All Sentinels have agreed for long on a node that now says itself that it is a master.
void sentinel_tracker::back_to_agreed(time_point now) {
   const named_master before = provisional_->before;
   const named_master agreed{lineage_.agreed().where, lineage_.agreed().epoch, 0};
   if (agreed.where != before.where && agreed.epoch < before.epoch)
      return accept_lineage(sentinel_vote(lineage_.agreed()), now);
   withdraw(agreed.epoch >= before.epoch ? agreed : before,
            "all Sentinels have gone on naming " + to_string(agreed.where) + ", which is a master", now);
}

// ---- the connections to servers -----------------------------------------------------------------------------------

// Those that any Sentinel lists: one that is cut off may know an old list, and the newest may not have reached all. As
// long as none answers, those that were listed last.
void sentinel_tracker::keep_warm(time_point now) {
   if (!settings_.keeps_replicas_warm() || !believed_) return;
   if (std::none_of(peers_.begin(), peers_.end(), [](const auto& p) { return p->up() && p->counts; })) return;
   const std::string master_id = run_id_of(*believed_);
   std::vector<listed_node> listed;
   for (const auto& p : peers_) {
      if (!p->up() || !p->counts) continue;
      for (const auto& node : p->questions.replicas()) {
         const bool is_master = node.where == believed_->where || (!node.id.empty() && node.id == master_id);
         if (!is_master) listed.push_back(node);
      }
   }
   nodes_.keep(listed, now);
}

// All of them at once, so that none who needs a node can lose it because another one needs it no longer.
void sentinel_tracker::pursue_those_that_matter(time_point now) {
   pursued_.clear();
   hold_until_ = time_point::min();
   for (const auto& p : peers_) {
      // One that is believed already matters again if that belief is withdrawn.
      if (!p->candidate || (believed_ && p->candidate->where == believed_->where)) continue;
      pursued_.push_back(p->candidate->where);
      if (now < p->candidate->hold_until) hold_until_ = std::max(hold_until_, p->candidate->hold_until);
   }
   if (lineage_.now() == lineage::state::returning) pursued_.push_back(lineage_.agreed().where);
   if (const endpoint* node = role_hint_.pursued(schedule_.commands_wait())) pursued_.push_back(*node);
   nodes_.pursue(pursued_, now);
}

void sentinel_tracker::take_observations(time_point now) {
   while (const auto s = nodes_.take()) {
      switch (s->what) {
         case warm_replicas::role_observation::kind::role: role_seen(*s, now); break;
         // The promotion, probably: nothing is to go to the old master while that is being found out.
         case warm_replicas::role_observation::kind::ended: extend_holds(s->where, now); break;
         case warm_replicas::role_observation::kind::failed:
            lineage_.on_no_master(s->where, now);
            role_hint_.on_failed(s->where);
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
   peer* by = nullptr;
   for (const auto& p : peers_) {
      const bool newer = p->candidate && p->candidate->where == s.where && p->candidate->epoch > believed_->epoch;
      if (newer && (by == nullptr || p->candidate->epoch > by->candidate->epoch)) by = p.get();
   }
   if (by != nullptr) {
      const auto epoch = by->candidate->epoch;
      const named_master before = provisional_ ? provisional_->before : *believed_;
      return believe(s.where, epoch, provisional{before, by, by->events.id(), 0}, now);
   }
   if (is_agreed) return back_to_agreed(now);
   if (!role_hint_.follows(s.where)) schedule_.on_hint(now);  // nobody has named it: a hint
}

}  // namespace holdfast::topology

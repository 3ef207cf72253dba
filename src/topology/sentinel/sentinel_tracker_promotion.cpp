// The tracker: a node that is about to be promoted, what it says itself, and what becomes of believing it.
#include "topology/sentinel/sentinel_tracker.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace holdfast::topology {

// A learned Sentinel that does not prove its id may be another deployment's by now: its failovers are of another
// master.
bool sentinel_tracker::is_of_our_failover(const peer& p, const hint& h) const {
   if (p.seed || !p.events.id().empty() || !believed_) return true;
   return h.of == believed_->where || (is_provisional() && h.of == promotion_.before().where);
}

void sentinel_tracker::given_up(peer& p, time_point now) {
   if (believed_ && promotion_.on_aborted(p.number, p.events.id(), believed_->epoch))
      withdraw(named_master(promotion_.before()), "the Sentinel " + to_string(p.where) + " gave its failover up", now);
}

// ---- provisional --------------------------------------------------------------------------------------------------

void sentinel_tracker::confirm_by(const std::vector<sentinel_vote>& in_hand) {
   const auto epoch = promotion_.confirm(believed_->where, in_hand);
   if (!epoch) return;
   believed_->epoch = *epoch;
   lineage_.withdraw();
   events_->tell([&] { return event::master_confirmed{believed_->where, *epoch}; });
}

// It is no master (any more). Whether the Sentinels know better is to be asked first.
void sentinel_tracker::denied(time_point now) {
   if (promotion_.now() != promotion::state::denied) promotion_.on_denied(ask(now));
}

void sentinel_tracker::weigh_denial(time_point now) {
   if (promotion_.denial_is_answered(rounds_) && !voices().empty())
      withdraw(named_master(promotion_.before()), "it says that it is a slave, and no Sentinel names it", now);
}

void sentinel_tracker::withdraw(const named_master& back, const std::string& why, time_point now) {
   const named_master gone = *believed_;
   events_->tell([&] { return event::master_withdrawn{gone.where, gone.epoch, back.where, why}; });
   believe(back, now);
   weigh(now);  // something newer may have been named meanwhile
}

// All Sentinels have agreed for long on a node that now says itself that it is a master.
void sentinel_tracker::back_to_agreed(time_point now) {
   const named_master before = promotion_.before();
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
   auto pursued = promotion_.candidates(believed_, now);
   if (lineage_.now() == lineage::state::returning) pursued.push_back(lineage_.agreed().where);
   if (const endpoint* node = role_hint_.pursued(schedule_.commands_wait())) pursued.push_back(*node);
   nodes_.pursue(pursued, now);
}

void sentinel_tracker::take_observations(time_point now) {
   while (const auto s = nodes_.take()) {
      switch (s->what) {
         case warm_replicas::role_observation::kind::role: role_seen(*s, now); break;
         // The promotion, probably: nothing is to go to the old master while that is being found out.
         case warm_replicas::role_observation::kind::ended: promotion_.extend_holds(s->where, now); break;
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
   if (const auto claim = promotion_.claim_of(s.where, believed_->epoch)) {
      const named_master before = is_provisional() ? promotion_.before() : *believed_;
      const named_master promoted{s.where, claim->epoch};
      promotion_.believe(promoted, before, *claim);
      return become_believed(promoted, now);
   }
   if (is_agreed) return back_to_agreed(now);
   if (!role_hint_.follows(s.where)) schedule_.on_hint(now);  // nobody has named it: a hint
}

}  // namespace holdfast::topology

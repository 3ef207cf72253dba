// The watch: a node that is about to be promoted, what it says itself, and what becomes of believing it.
#include "topology/watch.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace holdfast::topology {

// ---- selected -----------------------------------------------------------------------------------------------------

// Without the epoch the selection can't be placed: then the Sentinels' answers will tell.
void watch::selected(peer& p, const endpoint& where, time_point now) {
   if (!settings_.eager || where.empty() || !believed_ || p.failover_epoch <= believed_->epoch) return;
   if (candidate_ && p.failover_epoch < candidate_->epoch) return;
   if (candidate_ && candidate_->where != where) drop_candidate();
   candidate_ = candidate{where, p.failover_epoch, &p};
   if (candidate_->epoch > held_epoch_ && where != believed_->where && settings_.hold_on_selected > duration::zero()) {
      held_epoch_ = candidate_->epoch;
      hold_extended_ = false;
      hold_until_ = after(now, settings_.hold_on_selected);
   }
   nodes_.pursue(where, now);
}

void watch::drop_candidate() {
   nodes_.release(candidate_->where);
   candidate_.reset();
   hold_until_ = time_point::min();
}

void watch::given_up(const peer& p, time_point now) {
   if (candidate_ && candidate_->by == &p) drop_candidate();
   if (provisional_ && provisional_->by == &p && p.failover_epoch == believed_->epoch)
      withdraw("the Sentinel " + to_string(p.where) + " gave its failover up", now);
}

// ---- provisional --------------------------------------------------------------------------------------------------

void watch::confirm_by(const std::vector<opinion>& in_hand) {
   if (!provisional_) return;
   for (const auto& o : in_hand) {
      if (o.where != believed_->where || o.epoch <= provisional_->before.epoch) continue;
      believed_->epoch = o.epoch;
      provisional_.reset();
      events_->tell([&] { return event::master_confirmed{o.where, o.epoch}; });
      return;
   }
}

// It is no master (any more). Whether the Sentinels know better is to be asked first.
void watch::denied(time_point now) {
   if (provisional_->denied == 0) provisional_->denied = ask(now);
}

void watch::weigh_denial(time_point now) {
   if (!provisional_ || provisional_->denied == 0 || !rounds_.finished(provisional_->denied)) return;
   provisional_->denied = 0;
   if (!opinions().empty()) withdraw("it says that it is a slave, and no Sentinel names it", now);
}

void watch::withdraw(const std::string& why, time_point now) {
   const named_master gone = *believed_;
   const named_master back = provisional_->before;
   events_->tell([&] { return event::master_withdrawn{gone.where, gone.epoch, back.where, why}; });
   believe(back.where, back.epoch, {}, now);
   weigh(now);  // something newer may have been named meanwhile
}

// ---- the connections to servers -----------------------------------------------------------------------------------

// Those that any Sentinel lists: one that is cut off may know an old list, and the newest may not have reached all. As
// long as none answers, those that were listed last.
void watch::keep_warm(time_point now) {
   if (!settings_.keeps_replicas_warm() || !believed_) return;
   if (std::none_of(peers_.begin(), peers_.end(), [](const auto& p) { return p->up(); })) return;
   std::vector<endpoint> listed;
   for (const auto& p : peers_) {
      if (!p->up()) continue;
      for (const auto& where : p->questions.replicas()) {
         const bool known = std::find(listed.begin(), listed.end(), where) != listed.end();
         if (!known && where != believed_->where) listed.push_back(where);
      }
   }
   nodes_.keep(listed, now);
}

void watch::take_signs(time_point now) {
   while (const auto s = nodes_.take()) {
      if (s->what == warm_replicas::sign::kind::role) {
         role_seen(*s, now);
         continue;
      }
      const bool of_candidate = candidate_ && candidate_->where == s->where;
      // The promotion, probably: nothing is to go to the old master while that is being found out.
      if (of_candidate && s->what == warm_replicas::sign::kind::ended && !std::exchange(hold_extended_, true) &&
          held_epoch_ == candidate_->epoch)
         hold_until_ = std::max(hold_until_, after(now, settings_.hold_extension));
      if (s->what == warm_replicas::sign::kind::ended) continue;
      if (followed_ == s->where) {
         stop_following();
         publish();
      }
      if (returns_ == s->where) {  // it is not there: another ten seconds
         withdraw_offer();
         agreed_since_ = now;
      }
      if (asked_ == s->where || follows_ == s->where) stop_following();
   }
}

void watch::role_seen(const warm_replicas::sign& s, time_point now) {
   const bool is_master = s.role == "master";
   if (candidate_ && candidate_->where == s.where) {
      if (!is_master) return;
      const candidate c = *candidate_;
      const named_master before = provisional_ ? provisional_->before : *believed_;
      return believe(c.where, c.epoch, provisional{before, c.by, 0}, now);
   }
   if (returns_ == s.where) {
      if (is_master) return withdraw("all Sentinels have gone on naming the master of before, which is one", now);
      withdraw_offer();
      agreed_since_ = now;
   } else if (asked_ == s.where) {
      nodes_.release(*std::exchange(asked_, std::nullopt));
      if (is_master || s.follows.empty()) return;
      follows_ = s.follows;
      nodes_.pursue(s.follows, now);
   } else if (follows_ == s.where || followed_ == s.where) {
      nodes_.release(s.where);
      follows_.reset();
      const bool was_followed = followed_.has_value();
      followed_.reset();
      if (is_master) followed_ = s.where;
      if (was_followed || is_master) publish();
   } else if (is_master && believed_ && s.where != believed_->where) {
      hint_ask_at_ = std::min(hint_ask_at_, next_hint_ask(now));  // nobody has named it: a hint, and no more
   }
}

// ---- the role hint ------------------------------------------------------------------------------------------------

void watch::ask_whom_it_follows(const endpoint& where, time_point now) {
   if (asked_ || follows_ || followed_) return;
   asked_ = where;
   nodes_.pursue(where, now);
}

void watch::stop_following() {
   for (auto* const node : {&asked_, &follows_, &followed_}) {
      if (*node) nodes_.release(**node);
      node->reset();
   }
}

}  // namespace holdfast::topology

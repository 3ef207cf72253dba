// Asynchronous replication: who follows whom, and how far behind.
#include "sim/servers/redis_model.hpp"

#include <algorithm>

namespace holdfast::sim {

void redis_model::follow_at_start(host_id master) {
   master_ = master;
   link_down_since_ = shared_.time.now();
   look_for_master();
}

// ---- the master's side --------------------------------------------------------------------------------------------

void redis_model::written() {
   if (settings.saved_every > duration::zero() && shared_.time.now() - saved_at_ > settings.saved_every) {
      saved_at_ = shared_.time.now();
      saved_before_ = saved_;
      saved_ = place_;
   }
   for (replica& r : replicas_) send_to(r);
}

void redis_model::send_to(replica& r) {
   if (r.under_way) return;
   r.under_way = true;
   shared_.post(host_, r.host, message::stream, place_.offset, place_.branch, r.link,
                shared_.chance.between({}, shared_.replication_lag));
}

void redis_model::on_follow(const event& e) {
   if (static_cast<message>(e.sub) == message::follow_heir) take_over(e);
   if (loading() || (!is_master() && !link_up())) return;  // it tries again
   const place theirs{static_cast<std::uint32_t>(e.d), e.c};
   std::erase_if(replicas_, [&](const replica& r) { return r.host == e.a; });
   const bool all = !shared_.past.leads_to(theirs, place_);
   if (!all) replicas_.push_back({e.a, e.e, false});
   shared_.post(host_, e.a, message::followed, all, 0, e.e);
}

void redis_model::drop_replicas() {
   for (const replica& r : replicas_) shared_.post(host_, r.host, message::replication_lost, 0, 0, r.link);
   replicas_.clear();
}

void redis_model::on_replication_lost(const event& e) {
   if (e.a == master_ && e.e == link_generation_ && link_ != link_state::none) {
      if (link_ == link_state::up) link_down_since_ = shared_.time.now();
      link_ = link_state::none;
      ++link_generation_;
      look_for_master();
      return;
   }
   std::erase_if(replicas_, [&](const replica& r) { return r.host == e.a && r.link == e.e; });
}

// ---- the replica's side -------------------------------------------------------------------------------------------

void redis_model::leave_master() {
   if (master_ != nowhere && link_ != link_state::none)
      shared_.post(host_, master_, message::replication_lost, 0, 0, link_generation_);
   if (link_ == link_state::up) link_down_since_ = shared_.time.now();
   if (link_ == link_state::loading) loading_until_ = {};
   link_ = link_state::none;
   ++link_generation_;
}

void redis_model::look_for_master() {
   if (link_ == link_state::none) {
      link_ = link_state::connecting;
      const bool hands_over = handover_ == handover::in_progress;
      shared_.post(host_, master_, hands_over ? message::follow_heir : message::follow, place_.offset, place_.branch,
                   link_generation_);
   }
   if (cron_armed_) return;
   cron_armed_ = true;
   shared_.time.in(1s, {.a = host_, .kind = what::replica_cron});
}

void redis_model::on_cron() {
   cron_armed_ = false;
   if (is_master() || link_ == link_state::up || !shared_.net.works(host_)) return;
   if (link_ == link_state::connecting) {
      link_ = link_state::none;
      ++link_generation_;
   }
   look_for_master();
}

void redis_model::on_followed(const event& e) {
   if (e.a != master_ || e.e != link_generation_ || link_ != link_state::connecting) return;
   if (handover_ == handover::in_progress) end_handover();
   if (e.c != 0) {
      link_ = link_state::loading;
      loading_until_ = shared_.time.now() + settings.load_time;
      shared_.time.in(settings.load_time, {.c = link_generation_, .a = host_, .kind = what::sync_done});
      return;
   }
   link_ = link_state::up;
}

void redis_model::on_sync_done(std::uint64_t generation) {
   if (generation != link_generation_ || link_ != link_state::loading) return;
   redis_model* const from = shared_.servers[master_];
   const bool there = shared_.net.works(master_) && shared_.net.passes(master_, host_) && !from->loading();
   if (!there || !shared_.net.works(host_)) {
      link_ = link_state::none;
      ++link_generation_;
      if (shared_.net.works(host_)) look_for_master();
      return;
   }
   data_ = from->data_;
   place_ = from->place_;
   saved_ = saved_before_ = place_;
   link_ = link_state::up;
   from->replicas_.push_back({host_, link_generation_, false});
   shared_.note(host_, [] { return std::string("has loaded all of its master's data"); });
}

void redis_model::on_stream(const event& e) {
   const place upto{static_cast<std::uint32_t>(e.d), e.c};
   redis_model* const from = shared_.servers[e.a];
   const auto self = std::find_if(from->replicas_.begin(), from->replicas_.end(),
                                  [&](const replica& r) { return r.host == host_ && r.link == e.e; });
   if (self != from->replicas_.end()) self->under_way = false;
   if (e.a != master_ || e.e != link_generation_ || link_ != link_state::up) return;
   if (!shared_.past.leads_to(place_, upto) || place_ == upto) return;
   shared_.past.each_between(place_, upto, [&](place behind, std::string_view bytes) {
      const unsigned database = take_write(bytes, words_);
      scratch_.clear();
      data_.run(words_, scratch_, database);
      place_ = behind;
   });
   place_ = upto;
   written();
   if (from->waiting_for_replicas_ != 0)
      shared_.post(host_, e.a, message::acked, place_.offset, place_.branch, link_generation_);
   if (self != from->replicas_.end() && shared_.net.works(from->host_) && from->place_.offset > upto.offset)
      from->send_to(*self);
}

info_of redis_model::tell_info() const {
   info_of i;
   i.is_master = is_master();
   i.link_up = link_up();
   i.master = master_;
   for (const replica& r : replicas_) i.replicas |= 1U << r.host;
   i.priority = settings.priority;
   if (!i.is_master && !i.link_up) {
      const auto down = std::chrono::duration_cast<std::chrono::milliseconds>(shared_.time.now() - link_down_since_);
      i.link_down_ms = static_cast<std::uint32_t>(std::max<std::int64_t>(1, down.count()));
   }
   i.offset = place_.offset;
   i.run = run_;
   return i;
}

}  // namespace holdfast::sim

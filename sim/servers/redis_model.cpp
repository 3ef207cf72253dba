#include "sim/servers/redis_model.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::sim {

redis_model::redis_model(shared_state& f, host_id h) : shared_(f), host_(h) {}

// ---- its connections ----------------------------------------------------------------------------------------------

void redis_model::want_turn() {
   if (turn_wanted_) return;
   turn_wanted_ = true;
   shared_.time.in(shared_.chance.between(5us, 100us), {.a = host_, .kind = what::turn});
}

void redis_model::readable(connection_id c) {
   readable_.push_back(c);
   if (shared_.net.works(host_)) want_turn();
}

void redis_model::turn() {
   turn_wanted_ = false;
   if (!shared_.net.works(host_)) return;
   // In which order what is ready is served, nobody knows.
   const bool orders_first = shared_.chance.chance(0.5);
   if (orders_first) obey();
   std::vector<connection_id> ready;
   ready.swap(readable_);
   if (ready.size() > 1 && shared_.chance.chance(0.5)) std::reverse(ready.begin(), ready.end());
   for (const connection_id c : ready) serve(c);
   if (!orders_first) obey();
   ready.insert(ready.end(), woken_.begin(), woken_.end());
   woken_.clear();
   for (const connection_id c : ready) {
      session* const s = sessions_.find(shared_.net, c);
      if (s == nullptr) continue;
      if (!s->out.empty()) {
         shared_.net.send(c, end::server, s->out);
         s->out.clear();
      }
      if (s->closing || (shared_.net.at(c).saw_end[index(end::server)])) end(*s, true);
   }
   if (readable_.empty()) {
      ready.clear();
      readable_.swap(ready);
   }
}

void redis_model::obey() {
   std::vector<std::pair<host_id, host_id>> orders;
   orders.swap(orders_);
   for (const auto& [master, by] : orders) reconfigure(master, by);
}

void redis_model::serve(connection_id id) {
   connection& c = shared_.net.at(id);
   if (!c.in_use || c.server != host_ || !c.is_open[index(end::server)]) return;
   session* s = sessions_.find(shared_.net, id);
   if (s == nullptr) {
      s = &sessions_.adopt(shared_.net, id);
      s->id = next_client_++;
      s->authenticated = settings.password.empty();
      if (sessions_.size() > settings.max_clients) {
         add_error(s->out, "ERR max number of clients reached");
         s->closing = true;
      }
   }
   std::string& in = c.inbox[index(end::server)];
   std::size_t done = 0;
   while (!s->closing && s->waits == waiting::nothing) {
      bool malformed = false;
      const std::size_t n = take_command(std::string_view(in).substr(done), words_, malformed);
      if (malformed) {
         add_error(s->out, problem_of(std::string_view(in).substr(done)));
         s->closing = true;
      }
      if (n == 0) break;
      run(*s, words_, std::string_view(in).substr(done, n));
      if (!s->in_use) return;  // it killed itself
      if (s->waits != waiting::pause) done += n;
   }
   in.erase(0, done);
   if (s->closing) in.clear();
}

void redis_model::end(session& s, bool by_us) {
   if (!s.in_use) return;
   if (s.waits == waiting::replicas) --waiting_for_replicas_;
   sessions_.end(s);
   if (by_us) shared_.net.close(s.connection, end::server);
}

void redis_model::end_clients() {
   kept_its_clients_ = false;
   sessions_.each([&](session& s) { end(s, true); });
}

// CLIENT KILL TYPE normal, and pubsub. The one that orders it is spared.
void redis_model::end_all(host_id but_for) {
   end_clients();
   for (host_id h = 0; h < sentinel_links_.size(); ++h) {
      if (sentinel_links_[h] == 0 || h == but_for) continue;
      shared_.post(host_, h, message::link_lost, 0, 0, std::exchange(sentinel_links_[h], 0));
   }
}

// ---- its process --------------------------------------------------------------------------------------------------

void redis_model::reset_process() {
   sessions_.clear();
   readable_.clear();
   woken_.clear();
   blocked_.clear();
   waiting_for_replicas_ = 0;
   orders_.clear();
   held_.clear();
   paused_until_ = {};
   gate = server_gate::none;
   handover_ = handover::none;
   kept_its_clients_ = false;
   heir_ = nowhere;
   link_ = link_state::none;
   ++link_generation_;
   replicas_.clear();
   sentinel_links_.fill(0);
   shared_.forget(host_);
}

void redis_model::crash() {
   if (shared_.net.condition_of(host_) == condition::dead) {
      for (host_id h = 0; h < sentinel_links_.size(); ++h) {
         if (sentinel_links_[h] != 0) shared_.post(host_, h, message::link_lost, 0, 0, sentinel_links_[h]);
      }
      for (const replica& r : replicas_) shared_.post(host_, r.host, message::replication_lost, 0, 0, r.link);
   }
   if (link_ != link_state::none && master_ != nowhere && shared_.servers[master_] != nullptr)
      shared_.post(host_, master_, message::replication_lost, 0, 0, link_generation_);
   reset_process();
}

void redis_model::start() {
   ++run_;
   place kept = place_;
   if (settings.saved_every > duration::zero()) {
      kept = shared_.time.now() - saved_at_ > settings.saved_every ? saved_ : saved_before_;
      if (!shared_.past.leads_to(kept, place_)) kept = place_;
   }
   data_.clear();
   shared_.past.each_between({}, kept, [&](place, std::string_view bytes) {
      const unsigned database = take_write(bytes, words_);
      scratch_.clear();
      data_.run(words_, scratch_, database);
   });
   place_ = is_master() ? shared_.past.fork(kept) : kept;
   saved_ = saved_before_ = place_;
   loading_until_ = shared_.time.now() + settings.load_time;
   link_down_since_ = shared_.time.now();
   if (!is_master()) look_for_master();
   // Who still takes itself for connected to the process before learns better with the next thing that it sends.
   for (redis_model* const r : shared_.servers) {
      if (r == nullptr || r->master_ != host_ || r->link_ == link_state::none) continue;
      shared_.post(host_, r->host_, message::replication_lost, 0, 0, r->link_generation_,
                   shared_.chance.between({}, 1s));
   }
   shared_.note(host_, [&] { return "starts, as a " + std::string(is_master() ? "master" : "replica"); });
}

void redis_model::wake() {
   if (!readable_.empty() || !woken_.empty() || !orders_.empty()) want_turn();
   if (!is_master() && link_ != link_state::up) look_for_master();
}

bool redis_model::can_write() const {
   if (!is_master() || loading() || pauses(true) || gate != server_gate::none) return false;
   return replicas_.size() >= settings.min_replicas_to_write;
}

void redis_model::pause_clients(duration d, bool writes_only) {
   // Of two pauses the longer counts, and the stricter.
   const bool paused = shared_.time.now() < paused_until_;
   pauses_writes_only_ = writes_only && (!paused || pauses_writes_only_);
   paused_until_ = std::max(paused_until_, shared_.time.now() + d);
   shared_.time.in(d, {.a = host_, .kind = what::unpaused});
}

bool redis_model::pauses(bool writes) const {
   if (handover_ != handover::none && writes) return true;
   return shared_.time.now() < paused_until_ && (writes || !pauses_writes_only_);
}

void redis_model::on_unpaused() {
   if (handover_ != handover::none) {
      if (shared_.time.now() >= handover_ends_) give_up_handover();
      return;
   }
   if (shared_.time.now() < paused_until_) return;
   sessions_.each([&](session& s) {
      if (s.waits != waiting::pause) return;
      s.waits = waiting::nothing;
      readable_.push_back(s.connection);
   });
   if (!readable_.empty() && shared_.net.works(host_)) want_turn();
   std::vector<event> held;
   held.swap(held_);
   for (const event& e : held) shared_.on_message(e);
}

// MULTI, SLAVEOF, CONFIG REWRITE, CLIENT KILL TYPE normal, CLIENT KILL TYPE pubsub, EXEC.
void redis_model::reconfigure(host_id master, host_id by) {
   if (handover_ == handover::none) change_role(master);
   end_all(by);
}

void redis_model::change_role(host_id master) {
   if (master == nowhere) {
      if (!is_master()) {
         leave_master();
         master_ = nowhere;
         place_ = shared_.past.fork(place_);
         saved_ = saved_before_ = place_;
         drop_replicas();
         shared_.note(host_, [] { return std::string("is promoted: a master from now on"); });
         shared_.user.became_master(host_, place_);
      }
   } else if (master != master_ && master != host_) {
      const bool was_master = is_master();
      leave_master();
      master_ = master;
      drop_replicas();
      link_down_since_ = shared_.time.now();
      if (was_master) shared_.note(host_, [] { return std::string("is demoted: a replica from now on"); });
      look_for_master();
      end_waits();
   }
}

void redis_model::on(const event& e) {
   const auto kind = static_cast<message>(e.sub);
   const bool of_sentinel = kind == message::ping || kind == message::info_ask || kind == message::publish_hello ||
                            kind == message::reconfigure;
   if (of_sentinel) {
      if (sentinel_links_[e.a] != e.e) return;
      // What stands behind a PUBLISH that waits, waits too.
      const bool waits = std::any_of(held_.begin(), held_.end(), [&](const event& h) { return h.a == e.a; });
      if (waits || pauses(kind == message::publish_hello)) return held_.push_back(e);
   }
   switch (kind) {
      case message::open_link:
         if (e.e < sentinel_links_[e.a]) return;  // of several tries the last one counts
         sentinel_links_[e.a] = e.e;
         return shared_.post(host_, e.a, message::link_opened, 0, 0, e.e);
      case message::ping: return shared_.post(host_, e.a, message::pong, 0, 0, e.e);
      case message::info_ask: {
         const info_of i = tell_info();
         return shared_.post(host_, e.a, message::info, first_half(i), second_half(i), e.e);
      }
      case message::publish_hello:
         for (host_id h = 0; h < sentinel_links_.size(); ++h) {
            if (sentinel_links_[h] != 0 && h != e.a)
               shared_.post(host_, h, message::hear_hello, e.c, e.d, sentinel_links_[h]);
         }
         return;
      case message::reconfigure: orders_.emplace_back(static_cast<host_id>(e.c), e.a); return want_turn();
      case message::follow:
      case message::follow_heir: return on_follow(e);
      case message::followed: return on_followed(e);
      case message::stream: return on_stream(e);
      case message::ask_ack: return on_ask_ack(e);
      case message::acked: return on_acked(e);
      case message::replication_lost: return on_replication_lost(e);
      case message::link_lost: sentinel_links_[e.a] = 0; return;
      default: return;
   }
}

}  // namespace holdfast::sim

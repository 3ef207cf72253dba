// Faults of a world, and how they end.
#include "sim/world/world.hpp"

#include <algorithm>

namespace holdfast::sim {

namespace {

constexpr duration patience_of_hunters = 8s;

// The Sentinel's step at which it strikes; 0: it is no such fault.
unsigned step_of(const fault& f) {
   switch (f.is) {
      case fault_kind::leader_kill:
      case fault_kind::leader_stop: return 1 + f.draw % 6;
      case fault_kind::candidate_stop:
      case fault_kind::candidate_partition:
         return static_cast<unsigned>(failover_state::send_slaveof_noone) + f.draw % 2;
      default: return 0;
   }
}

}  // namespace

bool world::anything_in_flight() const {
   return std::any_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->something_in_flight(); });
}

void world::begins(std::uint32_t i) {
   if (scenario_.faults[i].waits && !anything_in_flight())
      waiting_.push_back(i);
   else
      strike(i);
}

// A command is on its way: any moment of its life may be the one.
void world::wrote_command(host_id) {
   for (const std::uint32_t i : waiting_) {
      scenario_.faults[i].waits = false;
      shared_.time.in(shared_.chance.between({}, calm_.latency * 3), {.a = i, .kind = what::fault_begins});
   }
   waiting_.clear();
}

void world::strike(std::uint32_t i) {
   fault& f = scenario_.faults[i];
   struck& s = struck_[i];
   if (s.done) return;
   redis_model* m = rightful_master();
   if (m == nullptr) {
      const auto any = std::find_if(servers_.begin(), servers_.end(),
                                    [&](const auto& x) { return x->is_master() && shared_.net.works(x->host()); });
      m = any == servers_.end() ? servers_.front().get() : any->get();
   }
   shared_.note(nowhere, [&] { return "fault: " + to_string(f) + " (master is " + name_of(m->host()) + ")"; });
   s.done = true;
   if (fleet_) fleet_->struck(shared_.time.now());
   well_since_ = never;
   ++open_faults_;
   if (promotes(f.is) && anything_in_flight()) counts_ = true;
   s.victim = m->host();
   strike_master(f, m->host());
   strike_others(f, m->host());
   const bool hunts = !hunts_.empty() && hunts_.back() == i;
   shared_.time.in(hunts ? patience_of_hunters : f.lasts, {.a = i, .kind = what::fault_ends});
}

void world::strike_master(fault& f, host_id m) {
   switch (f.is) {
      case fault_kind::kill:
      case fault_kind::restart: return process_dies(m, condition::dead);
      case fault_kind::off: return process_dies(m, condition::off);
      case fault_kind::stop:
      case fault_kind::blink: return freezes(m);
      case fault_kind::partition: return cut_off(m, true, true, true);
      case fault_kind::isolate: return cut_off(m, true, false, true);
      case fault_kind::client_partition: return cut_off(m, false, true, true);
      case fault_kind::mute: return shared_.net.block(shared_.net.site_of(m), client_site_, true);
      case fault_kind::deaf: return shared_.net.block(client_site_, shared_.net.site_of(m), true);
      case fault_kind::planned: {
         // Ordered at two Sentinels at once, or at one while another leads, both take the same epoch and never agree
         // again.
         if (is_whole()) sentinels_[f.draw % sentinels_.size()]->fail_over();
         return;
      }
      case fault_kind::hand_over:
         if (is_whole()) shared_.servers[m]->hand_over(nowhere, 1s);
         return;
      case fault_kind::cut:
         for (connection_id c = 0; c < shared_.net.count(); ++c) {
            const connection& x = shared_.net.at(c);
            if (x.in_use && x.server == m && x.client >= client_site_) shared_.net.reset_both(c);
         }
         return;
      case fault_kind::pause:
         if (shared_.net.works(m)) shared_.servers[m]->pause_clients(f.lasts, f.draw % 2 == 0);
         return;
      case fault_kind::full: shared_.servers[m]->settings.max_clients = 0; return;
      case fault_kind::busy: shared_.servers[m]->gate = server_gate::busy; return;
      case fault_kind::memory: shared_.servers[m]->gate = server_gate::memory; return;
      case fault_kind::disk: shared_.servers[m]->gate = server_gate::disk; return;
      case fault_kind::rights: shared_.servers[m]->gate = server_gate::rights; return;
      case fault_kind::lonely: shared_.servers[m]->settings.min_replicas_to_write = 8; return;
      default: return;
   }
}

void world::strike_others(fault& f, host_id m) {
   const auto index_of = static_cast<std::uint32_t>(&f - scenario_.faults.data());
   struck& s = struck_[index_of];
   host_id replica = f.draw % static_cast<std::uint32_t>(servers_.size());
   if (replica == m) replica = (replica + 1) % static_cast<std::uint32_t>(servers_.size());
   const host_id watcher = sentinels_[f.draw % sentinels_.size()]->host();
   switch (f.is) {
      case fault_kind::replica_kill: s.victim = replica; return process_dies(replica, condition::dead);
      case fault_kind::replica_stop: s.victim = replica; return freezes(replica);
      case fault_kind::sentinel_kill: s.victim = watcher; return process_dies(watcher, condition::dead);
      case fault_kind::sentinel_stop: s.victim = watcher; return freezes(watcher);
      case fault_kind::sentinel_partition: s.victim = watcher; return cut_off(watcher, true, false, true);
      case fault_kind::replica_restart: s.victim = replica; return process_dies(replica, condition::dead);
      case fault_kind::replica_cut: return shared_.servers[replica]->end_clients();
      case fault_kind::rogue: s.victim = replica; return rises(replica);
      case fault_kind::silent: s.victim = watcher; return shared_.sentinels[watcher]->keep_silent(true);
      case fault_kind::renamed:
         s.victim = watcher;
         for (const auto& x : sentinels_) {
            if (f.draw / 8 % 2 == 0 || x->host() == watcher) x->settings.names_nodes = !x->settings.names_nodes;
         }
         return;
      case fault_kind::moved:
      case fault_kind::replaced:
      case fault_kind::cloned:
      case fault_kind::passed: {
         // One of two configured addresses is followed wherever it leads (docs/guarantees.md): it stays.
         const bool stays =
            f.is == fault_kind::passed && scenario_.seeds == seeds::addresses && !scenario_.knows_all_seeds;
         const std::size_t first = stays ? 2 : 0;
         s.victim = nowhere;
         strike_who(f, s, *sentinels_[first + f.draw % (sentinels_.size() - first)]);
         return;
      }
      case fault_kind::leader_kill:
      case fault_kind::leader_stop:
      case fault_kind::candidate_stop:
      case fault_kind::candidate_partition:
      case fault_kind::successor_kill:
         hunts_.push_back(index_of);
         s.victim = nowhere;
         return;
      case fault_kind::clock_jump:
         // One that leads a failover would end it after its TILT, 30 s later, and go back to a master that was
         // replaced.
         if (shared_.sentinels[watcher]->state() != failover_state::none) return;
         shared_.sentinels[watcher]->jump(static_cast<std::int64_t>(f.draw % 20'000) - 10'000);
         return;
      case fault_kind::rebuild:
         // Rebuilt with a master that is dead they would never find each other, nor the replicas; and beside a stranger
         // at a configured address nobody could tell who is who until they do.
         if (is_whole() && !would_blind_anybody()) {
            for (const auto& x : sentinels_) {
               process_dies(x->host(), condition::dead);
               x->becomes_another(next_identity_++);
               process_starts(x->host());
            }
         }
         return;
      case fault_kind::slow:
         shared_.net.settings.latency = std::min<duration>(calm_.latency * 50, 100ms);
         shared_.net.settings.jitter = std::min<duration>(calm_.jitter * 50, 100ms);
         return;
      case fault_kind::lossy: shared_.net.settings.loss = 0.1; return;
      case fault_kind::client_stop:
         s.client = f.draw % static_cast<std::uint32_t>(clients_.size());
         return clients_[s.client]->freeze();
      default: return;
   }
}

void world::ends(std::uint32_t i) {
   fault& f = scenario_.faults[i];
   struck& s = struck_[i];
   if (!s.done || s.ended || shared_.time.now() < s.until) return;
   s.ended = true;
   std::erase(hunts_, i);
   --open_faults_;
   shared_.note(nowhere, [&] { return "the fault ends: " + to_string(f); });
   if (s.victim == nowhere) return;
   switch (f.is) {
      case fault_kind::kill:
      case fault_kind::restart:
      case fault_kind::off:
      case fault_kind::replica_kill:
      case fault_kind::replica_restart:
      case fault_kind::successor_kill:
      case fault_kind::leader_kill:
      case fault_kind::sentinel_kill: return process_starts(s.victim);
      case fault_kind::stop:
      case fault_kind::blink:
      case fault_kind::replica_stop:
      case fault_kind::candidate_stop:
      case fault_kind::leader_stop:
      case fault_kind::sentinel_stop: return thaws(s.victim);
      case fault_kind::partition:
      case fault_kind::candidate_partition: return cut_off(s.victim, true, true, false);
      case fault_kind::rogue:
         // Or the Sentinels do it.
         if (f.draw / 64 % 2 == 0) falls_back(s.victim);
         return;
      case fault_kind::silent:
         for (const auto& w : sentinels_) w->keep_silent(false);
         return;
      case fault_kind::renamed:
         // In the end all say the same again: one name for a node, or the other.
         for (const auto& x : sentinels_) x->settings.names_nodes = f.draw / 16 % 2 == 0;
         return;
      case fault_kind::moved:
      case fault_kind::replaced:
      case fault_kind::cloned:
      case fault_kind::passed: return end_who(f, s);
      case fault_kind::isolate:
      case fault_kind::sentinel_partition: return cut_off(s.victim, true, false, false);
      case fault_kind::client_partition: return cut_off(s.victim, false, true, false);
      case fault_kind::mute: return shared_.net.block(shared_.net.site_of(s.victim), client_site_, false);
      case fault_kind::deaf: return shared_.net.block(client_site_, shared_.net.site_of(s.victim), false);
      case fault_kind::full: shared_.servers[s.victim]->settings.max_clients = scenario_.redis.max_clients; return;
      case fault_kind::busy:
      case fault_kind::memory:
      case fault_kind::disk:
      case fault_kind::rights: shared_.servers[s.victim]->gate = server_gate::none; return;
      case fault_kind::lonely:
         shared_.servers[s.victim]->settings.min_replicas_to_write = scenario_.redis.min_replicas_to_write;
         return;
      case fault_kind::slow:
         shared_.net.settings.latency = calm_.latency;
         shared_.net.settings.jitter = calm_.jitter;
         return;
      case fault_kind::lossy: shared_.net.settings.loss = calm_.loss; return;
      case fault_kind::client_stop: return clients_[s.client]->thaw();
      case fault_kind::planned:
      case fault_kind::hand_over:
      case fault_kind::replica_cut:
      case fault_kind::cut:
      case fault_kind::pause:
      case fault_kind::clock_jump:
      case fault_kind::rebuild: return;
   }
}

void world::heal() {
   shared_.note(nowhere, [] { return std::string("everything is healed"); });
   waiting_.clear();
   for (std::uint32_t i = 0; i < scenario_.faults.size(); ++i) {
      if (!struck_[i].done) {
         struck_[i].done = struck_[i].ended = true;
         continue;
      }
      struck_[i].until = {};
      ends(i);
      if (scenario_.faults[i].is == fault_kind::rogue) falls_back(struck_[i].victim);
   }
   repair();
   for (const auto& c : clients_) c->thaw();
   well_since_ = never;
}

// ---- in the middle of a failover ----------------------------------------------------------------------------------

// The failover's leader, or the node that it has selected, is struck at the step that was drawn.
void world::hunt(host_id h) {
   const sentinel_model& leader = *shared_.sentinels[h];
   for (std::size_t n = hunts_.size(); n-- > 0;) {
      const std::uint32_t i = hunts_[n];
      const fault& f = scenario_.faults[i];
      const unsigned step = step_of(f);
      if (step == 0 || static_cast<unsigned>(leader.state()) < step) continue;
      const bool is_leader = f.is == fault_kind::leader_kill || f.is == fault_kind::leader_stop;
      const host_id victim = is_leader ? h : leader.candidate();
      if (victim == nowhere || !shared_.net.works(victim)) continue;
      hunts_.erase(hunts_.begin() + static_cast<std::ptrdiff_t>(n));
      struck_[i].victim = victim;
      struck_[i].until = shared_.time.now() + f.lasts;
      shared_.time.in(f.lasts, {.a = i, .kind = what::fault_ends});
      shared_.note(victim, [&] { return "is struck: " + std::string(to_string(f.is)); });
      switch (f.is) {
         case fault_kind::leader_kill: process_dies(victim, condition::dead); break;
         case fault_kind::candidate_partition: cut_off(victim, true, true, true); break;
         default: freezes(victim); break;
      }
   }
}

void world::hunt_successor(host_id h) {
   for (const std::uint32_t i : hunts_) {
      if (scenario_.faults[i].is != fault_kind::successor_kill || struck_[i].victim != nowhere) continue;
      struck_[i].victim = h;
      const duration wait = shared_.chance.spread(1ms, 1500ms);
      struck_[i].until = shared_.time.now() + wait + scenario_.faults[i].lasts;
      shared_.time.in(wait, {.a = i, .b = 1, .kind = what::fault_begins});
      shared_.time.at(struck_[i].until, {.a = i, .kind = what::fault_ends});
      return;
   }
}

void world::successor_dies(std::uint32_t i) {
   if (!struck_[i].ended) process_dies(struck_[i].victim, condition::dead);
}

// ---- roles that nobody asked a Sentinel for -----------------------------------------------------------------------

void world::rises(host_id h) {
   if (!shared_.net.works(h) || shared_.servers[h]->is_master()) return;
   const bool is_selected = std::any_of(sentinels_.begin(), sentinels_.end(),
                                        [&](const auto& s) { return s->candidate() == h || s->named() == h; });
   // A node that FAILOVER promotes is no stranger: its old master says that it follows it.
   const bool may_inherit = std::any_of(shared_.servers.begin(), shared_.servers.end(),
                                        [](const auto& s) { return s != nullptr && s->hands_over(); });
   if (is_selected || may_inherit) return;
   by_hand_ = true;
   shared_.servers[h]->change_role(nowhere);
   by_hand_ = false;
   checkers_.rogue(h, true);
}

void world::falls_back(host_id h) {
   if (!checkers_.is_rogue(h) || !shared_.net.works(h) || !shared_.servers[h]->is_master()) return;
   shared_.servers[h]->change_role(sentinels_.front()->named());
}

void world::process_starts(host_id h) {
   const bool was_gone = !shared_.net.works(h) && shared_.net.condition_of(h) != condition::frozen;
   deployment::process_starts(h);
   const redis_model* const started = shared_.servers[h];
   if (was_gone && started != nullptr && started->is_master()) checkers_.new_branch(started->where(), false);
}

}  // namespace holdfast::sim

#include "sim/world/world.hpp"

#include <algorithm>

namespace holdfast::sim {

world::world(const scenario& p, tracer t)
   : deployment(p.seed ^ 0x5eed), scenario_(p), tracer_(std::move(t)), checkers_(shared_.time, shared_.past) {
   shared_.traces = static_cast<bool>(tracer_);
   if (p.is_fleet) fleet_.emplace(p.clients);
   build();
}

void world::build() {
   shared_.net.settings = calm_ = scenario_.network;
   shared_.replication_lag = scenario_.replication_lag;
   began_ = shared_.time.now();
   add_servers(1 + scenario_.replicas, scenario_.redis);
   add_sentinels(scenario_.sentinels, scenario_.sentinel);
   constexpr unsigned spares = 6;
   for (unsigned i = 0; i < spares; ++i) {
      spare_.push_back(add_address());
      shared_.net.set(spare_.back(), condition::dead);
   }
   if (scenario_.has_neighbours) build_neighbours();
   begin(1);
   const config settings = client_config();
   checkers_.limits = limits_of(settings);
   if (scenario_.work.posts) checkers_.limits.posted = std::size_t{scenario_.work.depth} * sim_client::longest_list;
   checkers_.servers_fence = scenario_.redis.allows_kill;
   checkers_.servers_forget = scenario_.redis.saved_every > duration::zero();
   for (unsigned i = 0; i < scenario_.clients; ++i) {
      const host_id h = add_client();
      clients_.push_back(std::make_unique<sim_client>(shared_, checkers_, static_cast<runtime_user&>(*this), i, h,
                                                      settings, scenario_.work, shared_.chance.number()));
   }
   struck_.resize(scenario_.faults.size());
   for (std::uint32_t i = 0; i < scenario_.faults.size(); ++i) {
      shared_.time.in(scenario_.faults[i].at, {.a = i, .kind = what::fault_begins});
      checkers_.expects_lineages = checkers_.expects_lineages || scenario_.faults[i].is == fault_kind::rebuild;
      if (scenario_.faults[i].is == fault_kind::renamed) checkers_.limits.routes.has_one_name = false;
   }
}

config world::client_config() const {
   config c;
   c.master = scenario_.sentinel.master_name;
   c.sentinels = seeds();
   c.password = scenario_.redis.password;
   c.sentinel_password = scenario_.sentinel.password;
   c.deadline = scenario_.deadline;
   if (scenario_.attempt_timeout) c.attempt_timeout = *scenario_.attempt_timeout;
   c.resend.max_resends = scenario_.max_resends;
   if (scenario_.resends_per_second) {
      c.resend.budget.per_second = *scenario_.resends_per_second;
      c.resend.budget.ratio = 0.05;
   }
   c.cutover = scenario_.cutover;
   c.warm_replicas = scenario_.warm_replicas;
   c.hold_on_selected = scenario_.hold_on_selected;
   c.reconnect_spread = scenario_.reconnect_spread;
   c.follow_role_hint = scenario_.follow_role_hint;
   if (scenario_.parked) c.limits.parked_commands = *scenario_.parked;
   if (scenario_.in_flight) c.limits.in_flight = *scenario_.in_flight;
   c.observer = [](const any_event&) {};
   return c;
}

// ---- the course of things -----------------------------------------------------------------------------------------

run_report world::run() {
   for (const auto& c : clients_) c->start();
   shared_.time.in(200ms, {.kind = what::sample});
   run_until(began_ + scenario_.length);
   heal();
   run_until(shared_.time.now() + 500ms);
   for (const auto& c : clients_) c->stop();
   // A command that waits ends by its deadline; a failed election is tried again after twice the failover-timeout.
   const time_point patience =
      shared_.time.now() + 60s + std::chrono::milliseconds(scenario_.sentinel.failover_timeout * 4);
   while (!settled() && shared_.time.now() < patience) run_until(shared_.time.now() + 250ms);
   finish();
   verdict_.violations = checkers_.violations();
   verdict_.calls = checkers_.seen();
   verdict_.events = shared_.time.taken();
   verdict_.length = shared_.time.now() - began_;
   verdict_.digest = digest_;
   if (fleet_) {
      verdict_.fleet = fleet_->figures(static_cast<host_id>(servers_.size()), client_site_);
      verdict_.fleet->at_a_sentinel = sentinels_.front()->clients();
   }
   return verdict_;
}

bool world::settled() const {
   return is_whole() && std::all_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->at_rest(); });
}

// Now and then the Sentinels begin one more failover, all by themselves: then there is one more last command.
void world::finish() {
   const time_point patience = shared_.time.now() + 130s;
   const auto rests = [&] {
      return std::all_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->at_rest(); });
   };
   do {
      for (const auto& c : clients_) c->last_call();
      while (!rests() && shared_.time.now() < patience) run_until(shared_.time.now() + 100ms);
      run_until(shared_.time.now() + 400ms);
      if (is_whole()) break;
      while (!is_whole() && shared_.time.now() < patience) run_until(shared_.time.now() + 100ms);
   } while (shared_.time.now() < patience);
   // A client works only inside its calls. What one of them began, another connection to a Sentinel that was met at a
   // second address say, ends in one of the next: at the latest with a Sentinel's next list of replicas, which is asked
   // for every ten seconds.
   for (const auto end = shared_.time.now() + 12s; somebody_holds_too_many() && shared_.time.now() < end;) {
      for (const auto& c : clients_) c->last_call();
      while (!rests() && shared_.time.now() < patience) run_until(shared_.time.now() + 100ms);
      run_until(shared_.time.now() + 400ms);
   }
   check_rest();
}

bool world::somebody_holds_too_many() const {
   const redis_model* const m = rightful_master();
   if (m == nullptr) return false;
   return std::any_of(clients_.begin(), clients_.end(), [&](const auto& c) {
      for (host_id h = 0; h < client_site_; ++h) {
         if (c->open_connections(h) > most_connections(h, *m)) return true;
      }
      return false;
   });
}

// Two to each Sentinel, one to the master, at most one to each replica.
unsigned world::most_connections(host_id h, const redis_model& master) const {
   // A client can't know that it reaches the same Sentinel twice where each connection may reach another one.
   const bool several = scenario_.seeds == seeds::balancer || scenario_.seeds == seeds::one_name;
   if (shared_.servers[h] == nullptr) return several ? 4 : 2;
   const bool watches = scenario_.cutover == cutover::eager && scenario_.warm_replicas;
   if (h != master.host() && !(watches && !checkers_.is_neighbour(h))) return 0;
   return 1;
}

// A healed world always comes back, and nothing is left over in it.
void world::check_rest() {
   const redis_model* const m = rightful_master();
   // Sentinels can come to disagree for good, or make all servers replicas of each other (docs/simulation.md): then no
   // client comes back.
   verdict_.stuck = m == nullptr || !m->can_write();
   if (verdict_.stuck) return;
   checkers_.final_history(m->where());
   checkers_.final_data(m->where(), m->data());
   for (std::size_t i = 0; i < clients_.size(); ++i) check_client(*clients_[i], *m, "client " + std::to_string(i));
   if (!checkers_.all_completed()) checkers_.broken("a command never ended");
}

// At rest a client holds one connection to the master, two to each Sentinel, at most one to each replica, and nothing
// else; no timer of its commands is armed.
void world::check_client(const sim_client& c, const redis_model& master, const std::string& who) {
   if (!c.last_call_ok()) checkers_.broken(who + " does not come back, though the world is healed");
   if (!c.brain.lane().idle() || c.brain.lane().queued() != 0)
      checkers_.broken(who + " still holds commands at the end");
   if (c.brain.lane().in_flight() != 0) checkers_.broken(who + " has something in flight at the end");
   if (c.brain.has_done() || c.brain.has_io()) checkers_.broken(who + " has something undone at the end");
   if (c.brain.lane().next_deadline() != never) checkers_.broken(who + " has a timer armed for nothing at the end");
   for (host_id h = 0; h < client_site_; ++h) {
      if (const unsigned n = c.open_connections(h); n > most_connections(h, master))
         checkers_.broken(who + " holds " + std::to_string(n) + " connections to host " + std::to_string(h) +
                          " at the end");
   }
}

void world::handle(const event& e) {
   digest_ = (digest_ ^ static_cast<std::uint64_t>(e.at.time_since_epoch().count()) ^ std::uint64_t{e.a} << 40 ^
              static_cast<std::uint64_t>(e.kind) << 56) *
             0x100000001b3ULL;
   switch (e.kind) {
      case what::sentinel_timer:
         if (shared_.sentinels[e.a] == nullptr) return;
         serve(e);
         return hunt(e.a);
      case what::client_timer: return clients_[e.a]->on_timer(e.c);
      case what::client_next: return clients_[e.a]->next();
      case what::client_mail: return clients_[e.a]->read_mail();
      case what::client_cancel: return clients_[e.a]->cancel(static_cast<call_number>(e.c));
      case what::client_back: return clients_[e.a]->thaw();
      case what::fault_begins: return e.b == 0 ? begins(e.a) : successor_dies(e.a);
      case what::fault_ends: return ends(e.a);
      case what::sample: return sample();
      default: return serve(e);
   }
}

// ---- is all well? -------------------------------------------------------------------------------------------------

bool world::is_well() const {
   if (open_faults_ != 0 || !is_whole()) return false;
   const std::uint64_t epoch = sentinels_.front()->config_epoch();
   return std::all_of(sentinels_.begin(), sentinels_.end(), [&](const auto& s) { return s->config_epoch() == epoch; });
}

void world::sample() {
   const bool well = is_well();
   if (!well)
      well_since_ = never;
   else if (well_since_ == never)
      well_since_ = shared_.time.now();
   shared_.time.in(200ms, {.kind = what::sample});
}

duration world::well_for() {
   if (well_since_ == never || !is_well()) return {};
   return shared_.time.now() - well_since_;
}

// ---- who is told of what ------------------------------------------------------------------------------------------

void world::ran(host_id h, const words& w, const execution& x) {
   checkers_.ran(h, w, x);
   // A client that connects to it learns that it is none, and one that was connected when it became a replica was
   // disconnected, or learns it from the answer to a write.
   if (!shared_.servers[h]->is_master() && !shared_.servers[h]->kept_its_clients())
      checkers_.broken(name_of(h) + " runs a client's " + std::string(w[0]) +
                       ", and is a replica: its data may be old");
   shared_.note(h, [&] {
      std::string text = "runs";
      for (const auto& word : w) text += " " + std::string(word);
      return text;
   });
}

void world::dialled(host_id h) {
   if (fleet_) fleet_->dialled(h, shared_.time.now());
}

void world::asked(host_id sentinel) {
   if (fleet_) fleet_->asked(sentinel, shared_.time.now());
}

void world::answered(std::uint32_t client) {
   if (fleet_) fleet_->answered(client, shared_.time.now());
}

void world::selected(host_id h) { checkers_.rogue(h, false); }

void world::became_master(host_id h, place begins) {
   if (by_hand_) return checkers_.new_branch(begins, h);
   checkers_.rogue(h, false);
   hunt_successor(h);
   if (fleet_) fleet_->promoted(h, shared_.time.now());
   checkers_.new_branch(begins, h);
   ++verdict_.promotions;
   if (counts_) ++verdict_.failovers;
   counts_ = false;
}

std::string world::name_of(host_id h) const {
   if (h >= client_site_) return "client " + std::to_string(h - client_site_);
   const bool is_sentinel = shared_.servers[h] == nullptr && shared_.sentinels[h] != nullptr;
   return (shared_.servers[h] != nullptr ? "server " : is_sentinel ? "sentinel " : "address ") + std::to_string(h);
}

void world::note(host_id h, std::string_view text) {
   if (!tracer_) return;
   const auto us = std::chrono::duration_cast<std::chrono::microseconds>(shared_.time.now() - began_).count();
   std::string line = std::to_string(us / 1000);
   line.insert(0, line.size() < 7 ? 7 - line.size() : 0, ' ');
   const std::string part = std::to_string(us % 1000);
   line += "." + std::string(3 - part.size(), '0') + part + "  ";
   line += h == nowhere ? "the world" : name_of(h);
   line.resize(std::max<std::size_t>(line.size(), 25), ' ');
   tracer_(line + std::string(text));
}

}  // namespace holdfast::sim

#include "sim/world/deployment.hpp"

#include <algorithm>

namespace holdfast::sim {

// ---- who is there -------------------------------------------------------------------------------------------------

host_id deployment::add_address() {
   const host_id h = shared_.net.add_host(client_site_++);
   shared_.servers.push_back(nullptr);
   shared_.sentinels.push_back(nullptr);
   return h;
}

std::unique_ptr<redis_model> deployment::make_server(const redis_settings& settings) {
   const host_id h = add_address();
   auto made = std::make_unique<redis_model>(shared_, h);
   made->settings = settings;
   shared_.servers[h] = made.get();
   return made;
}

std::unique_ptr<sentinel_model> deployment::make_sentinel(const sentinel_settings& settings) {
   const host_id h = add_address();
   auto made = std::make_unique<sentinel_model>(shared_, h, settings);
   shared_.sentinels[h] = made.get();
   return made;
}

void deployment::add_servers(unsigned n, const redis_settings& settings) {
   for (unsigned i = 0; i < n; ++i) servers_.push_back(make_server(settings));
}

void deployment::add_sentinels(unsigned n, const sentinel_settings& settings) {
   for (unsigned i = 0; i < n; ++i) sentinels_.push_back(make_sentinel(settings));
}

void deployment::begin(std::uint64_t epoch) {
   std::vector<host_id> replicas;
   std::vector<host_id> watchers;
   for (std::size_t i = 1; i < servers_.size(); ++i) replicas.push_back(servers_[i]->host());
   for (const auto& s : sentinels_) watchers.push_back(s->host());
   for (const host_id r : replicas) shared_.servers[r]->follow_at_start(0);
   for (const auto& s : sentinels_) s->begin(0, replicas, watchers, epoch, false);
}

host_id deployment::add_client() {
   const host_id h = shared_.net.add_host(client_site_);
   shared_.servers.push_back(nullptr);
   shared_.sentinels.push_back(nullptr);
   return h;
}

host_id deployment::host_of(const endpoint& e) {
   constexpr std::string_view prefix = "10.0.0.";
   if (!e.host.starts_with(prefix)) return nowhere;
   const auto n = read_integer(std::string_view(e.host).substr(prefix.size()));
   return !n || *n <= 0 || *n > client_site_ ? nowhere : static_cast<host_id>(*n - 1);
}

// ---- the course of things -----------------------------------------------------------------------------------------

void deployment::run_until(time_point t) {
   while (!shared_.time.empty() && shared_.time.next() <= t) handle(shared_.time.take());
   shared_.time.pass_until(t);
}

void deployment::serve(const event& e) {
   switch (e.kind) {
      case what::syn:
      case what::syn_ack:
      case what::segment: return shared_.net.on(e);
      case what::turn:
         if (shared_.servers[e.a] != nullptr) return shared_.servers[e.a]->turn();
         if (shared_.sentinels[e.a] != nullptr) shared_.sentinels[e.a]->turn(e.c);
         return;
      case what::message: return shared_.on_message(e);
      case what::sync_done: return shared_.servers[e.a]->on_sync_done(e.c);
      case what::replica_cron: return shared_.servers[e.a]->on_cron();
      case what::unpaused: return shared_.servers[e.a]->on_unpaused();
      case what::waited: return shared_.servers[e.a]->on_waited(e.b, e.c);
      case what::sentinel_timer:
         if (shared_.sentinels[e.a] != nullptr) shared_.sentinels[e.a]->on_timer(e.c);
         return;
      default: return;
   }
}

void deployment::connected(connection_id c) {
   if (runtime* const r = client_at(shared_.net.at(c).client)) r->connected(c);
}

void deployment::not_connected(connection_id c, std::string_view why) {
   if (runtime* const r = client_at(shared_.net.at(c).client)) r->not_connected(c, why);
}

void deployment::readable(connection_id id, end e) {
   const connection& c = shared_.net.at(id);
   if (e == end::client) {
      if (runtime* const r = client_at(c.client)) r->readable(id);
   } else if (shared_.servers[c.server] != nullptr) {
      shared_.servers[c.server]->readable(id);
   } else if (shared_.sentinels[c.server] != nullptr) {
      shared_.sentinels[c.server]->readable(id);
   }
}

void deployment::writable(connection_id c) {
   if (runtime* const r = client_at(shared_.net.at(c).client)) r->writable(c);
}

// ---- who is the master --------------------------------------------------------------------------------------------

redis_model* deployment::rightful_master() const {
   if (sentinels_.empty()) return servers_.front().get();
   const auto is_it = [&](const auto& s) {
      const auto names_it = [&](const auto& w) { return shared_.net.works(w->host()) && w->named() == s->host(); };
      return std::all_of(sentinels_.begin(), sentinels_.end(), names_it) && s->is_master() &&
             shared_.net.works(s->host());
   };
   const auto found = std::find_if(servers_.begin(), servers_.end(), is_it);
   return found == servers_.end() ? nullptr : found->get();
}

bool deployment::is_whole() const {
   const redis_model* const m = rightful_master();
   if (m == nullptr || !m->can_write()) return false;
   const auto follows = [&](const auto& s) { return s.get() == m || (s->master() == m->host() && s->link_up()); };
   return std::all_of(servers_.begin(), servers_.end(), follows) &&
          std::all_of(sentinels_.begin(), sentinels_.end(),
                      [](const auto& s) { return s->state() == failover_state::none; });
}

// ---- processes and paths ------------------------------------------------------------------------------------------

void deployment::process_dies(host_id h, condition how) {
   const condition is = shared_.net.condition_of(h);
   if (is == condition::dead || is == condition::off) return;
   shared_.net.set(h, how);
   if (shared_.servers[h] != nullptr)
      shared_.servers[h]->crash();
   else if (shared_.sentinels[h] != nullptr)
      shared_.sentinels[h]->crash();
}

void deployment::process_starts(host_id h) {
   const condition is = shared_.net.condition_of(h);
   if (is == condition::working || is == condition::frozen) return;
   if (shared_.servers[h] == nullptr && shared_.sentinels[h] == nullptr) return;
   shared_.net.set(h, condition::working);
   shared_.servers[h] != nullptr ? shared_.servers[h]->start() : shared_.sentinels[h]->start();
}

void deployment::freezes(host_id h) {
   if (shared_.net.works(h)) shared_.net.set(h, condition::frozen);
}

void deployment::thaws(host_id h) {
   if (shared_.net.condition_of(h) != condition::frozen) return;
   shared_.net.set(h, condition::working);
   shared_.thaw(h);
   if (shared_.servers[h] != nullptr)
      shared_.servers[h]->wake();
   else if (shared_.sentinels[h] != nullptr)
      shared_.sentinels[h]->wake();
}

void deployment::paths(host_id a, host_id b, bool blocked) {
   shared_.net.block(shared_.net.site_of(a), shared_.net.site_of(b), blocked);
   shared_.net.block(shared_.net.site_of(b), shared_.net.site_of(a), blocked);
}

void deployment::cut_off(host_id h, bool from_servers, bool from_clients, bool blocked) {
   for (host_id x = 0; x < client_site_; ++x) {
      if (from_servers && x != h) paths(h, x, blocked);
   }
   if (!from_clients) return;
   shared_.net.block(shared_.net.site_of(h), client_site_, blocked);
   shared_.net.block(client_site_, shared_.net.site_of(h), blocked);
}

void deployment::repair() {
   for (host_id h = 0; h < client_site_; ++h) {
      cut_off(h, true, true, false);
      if (shared_.net.condition_of(h) == condition::frozen) thaws(h);
      if (!shared_.net.works(h)) process_starts(h);
   }
}

}  // namespace holdfast::sim

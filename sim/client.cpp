#include "sim/client.hpp"

#include "sim/sentinel_model.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::sim {

sim_client::sim_client(shared_state& f, checkers& c, client_user& w, std::uint32_t number, host_id host,
                       const config& settings, const workload& work, std::uint64_t seed)
   : brain(settings, seed),
     shared_(f),
     checkers_(c),
     world_(w),
     number_(number),
     host_(host),
     settings_(work),
     chance_(seed ^ 0x77),
     seeds_(settings.sentinels) {}

void sim_client::start() {
   for (unsigned i = 0; i < settings_.depth; ++i) plan_next();
}

unsigned sim_client::open_connections(host_id to) const {
   return static_cast<unsigned>(
      std::count_if(sockets_.begin(), sockets_.end(), [&](const socket& s) { return s.open && s.seen.to == to; }));
}

// ---- what the engine asks for -------------------------------------------------------------------------------------

void sim_client::carry_out() {
   impl::io_request a;
   do {
      take_done();  // first: whose end made room for what is written now has ended
      while (brain.next_io(a)) {
         if (a.link > sockets_.size()) sockets_.resize(a.link);
         socket& s = sockets_[a.link - 1];
         switch (a.what) {
            case impl::io_request::kind::write: write(a.link); break;
            case impl::io_request::kind::resolve: resolve(a); break;
            case impl::io_request::kind::connect: connect(a); break;
            case impl::io_request::kind::close:
               if (s.is_there()) shared_.net.close(s.id, end::client);
               forget(s);
               break;
            case impl::io_request::kind::abort:
               if (s.is_there()) shared_.net.abort(s.id, end::client);
               forget(s);
               break;
         }
      }
   } while (brain.has_io() || brain.has_done());
   tell();
   arm();
}

void sim_client::resolve(const impl::io_request& a) {
   if (a.link > leads_to_seed_.size()) leads_to_seed_.resize(a.link);
   leads_to_seed_[a.link - 1] = std::find(seeds_.begin(), seeds_.end(), a.where) != seeds_.end();
   sockets_[a.link - 1].name = a.where.host;
   brain.resolved(a.link, a.serial, world_.resolve(a.where), {}, now());
}

void sim_client::connect(const impl::io_request& a) {
   ++dials_;
   const host_id to = world_.host_of(a.where);
   if (to == nowhere) return brain.lost(a.link, a.serial, "no route to host", now());
   world_.dialled(to);
   socket& s = sockets_[a.link - 1];
   s = socket{.name = std::move(s.name)};
   s.id = shared_.net.connect(host_, to, a.link, a.serial);
   s.generation = shared_.net.at(s.id).generation;
   s.serial = a.serial;
   s.open = s.connecting = true;
   s.seen.number = dials_;
   s.seen.to = to;
   s.seen.configured = a.link > leads_to_seed_.size() || leads_to_seed_[a.link - 1];
   checkers_.dialled(number_, to, shared_.servers[to] != nullptr);
}

void sim_client::write(std::uint32_t link) {
   socket& s = sockets_[link - 1];
   if (!s.open) {
      if (!brain.to_write(link, s.serial).empty())
         checkers_.broken("client " + std::to_string(number_) + " writes to a connection that has ended");
      return;
   }
   if (s.connecting || s.blocked) return;
   const host_id server = shared_.net.at(s.id).server;
   const bool is_redis = shared_.servers[server] != nullptr;
   for (;;) {
      const auto bytes = brain.to_write(link, s.serial);
      if (bytes.empty()) break;
      const std::size_t n = shared_.net.send(s.id, end::client, bytes);
      const bool all = n == bytes.size();
      tell_sent(s, {bytes.data(), n});
      if (n != 0) brain.wrote(link, s.serial, n, now());
      if (!all) {
         s.blocked = true;
         break;
      }
   }
   if (is_redis && brain.lane().in_flight() != 0) {
      wrote_at_ = now();
      world_.wrote_command(server);
   }
}

// The checkers hear of whole commands, as far as the kernel has them.
void sim_client::tell_sent(socket& s, std::string_view taken) {
   const bool continues = !s.begun.empty();
   if (continues) s.begun += taken;
   const std::string_view bytes = continues ? std::string_view(s.begun) : taken;
   const bool to_sentinel = shared_.servers[s.seen.to] == nullptr;
   std::size_t at = 0;
   bool malformed = false;
   while (const std::size_t size = take_command(bytes.substr(at), words_, malformed)) {
      if (!to_sentinel) {
         ++s.seen.commands;
         const bool handed_over = at < s.handed_over;
         checkers_.goes(number_, s.seen, words_, handed_over);
         checkers_.sent(number_, s.seen, words_, handed_over);
      } else if (same_word(words_[0], "SENTINEL") && same_word(words_[1], "GET-MASTER-ADDR-BY-NAME")) {
         world_.asked(s.seen.to);
         checkers_.asked(number_, s.seen.to);
      }
      at += size;
   }
   s.handed_over -= std::min(s.handed_over, at);
   if (s.seen.asks_for_role)
      checkers_.keeps_warm(number_, s.seen.to,
                           static_cast<unsigned>(std::count_if(sockets_.begin(), sockets_.end(), [&](const socket& x) {
                              return x.open && x.seen.asks_for_role && x.seen.to == s.seen.to && x.name == s.name;
                           })));
   if (malformed) checkers_.broken("client " + std::to_string(number_) + " writes what is no command");
   if (continues)
      s.begun.erase(0, at);
   else
      s.begun = bytes.substr(at);
}

void sim_client::take_done() {
   while (impl::operation* const op = brain.take_done(now())) {
      const auto found = std::find_if(calls_.begin(), calls_.end(), [&](const auto& c) { return &c->op == op; });
      if (found == calls_.end() || !(*found)->active) {
         checkers_.broken("an operation came back that nobody gave");
         continue;
      }
      finished(**found);
   }
}

void sim_client::finished(call& c) {
   if (!c.op.done) checkers_.broken("an operation was handed back that is not done");
   c.active = false;
   --active_;
   const auto results = std::span<const result<value>>(c.results.data(), c.commands.size());
   checkers_.completed(c.number, results,
                       {.deadline = c.op.deadline,
                        .was_away = c.was_away,
                        .could_be_written = wrote_at_ >= c.op.submitted,
                        .partly_sent = std::any_of(sockets_.begin(), sockets_.end(),
                                                   [](const socket& s) { return s.open && !s.begun.empty(); }),
                        .all_was_well_for = world_.well_for()});
   if (results.back()) world_.answered(number_);
   check_haste(c);
   if (c.is_last) last_ok_ = results.back().has_value();
   if (shared_.traces) {
      shared_.user.note(host_, [&] {
         std::string text = "client " + std::to_string(number_) + ": number " + std::to_string(c.number) + " ends: ";
         return text + (results.back() ? holdfast::to_string(*results.back()) : results.back().error().what());
      }());
   }
   if (c.plans_next) plan_next();
}

// While all is well and nothing waits, a command is answered at once, or after a connection was made for it. (What the
// other side has left must not be found out by waiting for a reply.)
void sim_client::check_haste(const call& c) {
   const duration took = now() - c.op.submitted;
   const duration most = 1900ms + (shared_.net.settings.latency + shared_.net.settings.jitter) * 20;
   if (!c.alone || c.was_away || checkers_.expects_lineages || took <= most || world_.well_for() < took) return;
   checkers_.broken("client " + std::to_string(number_) + " took " +
                    std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()) +
                    " ms for number " + std::to_string(c.number) + ", though all was well and nothing else waited");
}

// Only where it would ring earlier than it will anyway.
void sim_client::arm() {
   const time_point t = brain.next_deadline();
   if (t == never || t >= armed_for_ || !looks()) return;
   armed_for_ = std::max(t, now());
   shared_.time.at(armed_for_, {.c = ++timer_, .a = number_, .kind = what::client_timer});
}

void sim_client::on_timer(std::uint64_t generation) {
   if (generation != timer_) return;
   armed_for_ = never;
   if (!looks()) return;
   if (now() >= brain.next_deadline()) {
      // A deadline that stays in the past would have a real runtime spin.
      spins_ = spun_at_ == now() ? spins_ + 1 : 0;
      spun_at_ = now();
      if (spins_ == 100)
         checkers_.broken("client " + std::to_string(number_) + " asks to be woken, again and again, now");
      if (spins_ > 100) return;
      checkers_.woken(number_);
      tick();
   }
   carry_out();
}

void sim_client::tick() {
   if (const auto link = brain.to_measure(now()); link != 0 && sockets_[link - 1].open) {
      const socket& s = sockets_[link - 1];
      brain.measured(link, s.serial, shared_.net.transit_of(s.id), now());
   }
   brain.tick(now());
}

void sim_client::tell() {
   if (brain.events().empty()) return;
   brain.events().take(events_);
   for (const any_event& e : events_) {
      shared_.note(host_, [&] { return "client " + std::to_string(number_) + ": " + holdfast::to_string(e); });
   }
}

// ---- what happens -------------------------------------------------------------------------------------------------

std::uint32_t sim_client::link_of(connection_id id) {
   const connection& c = shared_.net.at(id);
   if (c.link == 0 || c.link > sockets_.size()) return 0;
   const socket& s = sockets_[c.link - 1];
   return s.open && s.id == id && s.generation == c.generation ? c.link : 0;
}

void sim_client::connected(connection_id id) { readable(id); }

void sim_client::not_connected(connection_id id, std::string_view why) {
   const std::uint32_t link = link_of(id);
   if (link == 0) return;
   sockets_[link - 1].failed = why;
   readable(id);
}

void sim_client::readable(connection_id id) {
   const std::uint32_t link = link_of(id);
   if (link == 0) return;
   sockets_[link - 1].ready = true;
   if (!looks()) return;
   look_at(link);
   carry_out();
}

void sim_client::writable(connection_id id) {
   const std::uint32_t link = link_of(id);
   if (link == 0 || !sockets_[link - 1].blocked || !looks()) return;
   sockets_[link - 1].blocked = false;
   write(link);
   carry_out();
}

// As poll() finds it: everything that came, then the time.
void sim_client::look() {
   for (std::uint32_t link = 1; link <= sockets_.size(); ++link) {
      if (sockets_[link - 1].ready) look_at(link);
      if (sockets_[link - 1].blocked) {
         sockets_[link - 1].blocked = false;
         write(link);
      }
   }
   if (now() >= brain.next_deadline()) tick();
   carry_out();
}

void sim_client::look_at(std::uint32_t link) {
   socket& s = sockets_[link - 1];
   s.ready = false;
   if (!s.open) return;
   if (!s.failed.empty()) {
      const std::string why = s.failed;
      const std::uint32_t serial = s.serial;
      s = socket{};
      return brain.lost(link, serial, why, now());
   }
   if (s.connecting) {
      if (!shared_.net.at(s.id).established) return;
      s.connecting = false;
      brain.connected(link, s.serial, now());
      carry_out();
   }
   read(link);
}

bool sim_client::read(std::uint32_t link) {
   for (;;) {
      socket& s = sockets_[link - 1];
      if (!s.open) return false;
      connection& c = shared_.net.at(s.id);
      std::string& in = c.inbox[index(end::client)];
      if (in.empty()) {
         if (!c.saw_end[index(end::client)]) return true;
         lose(link, c.saw_reset[index(end::client)] ? "connection reset by peer" : "closed by the other side");
         return false;
      }
      const auto space = brain.space(link, s.serial);
      if (space.empty()) return false;
      const std::size_t n = std::min(space.size(), in.size());
      std::memcpy(space.data(), in.data(), n);
      in.erase(0, n);
      c.read += n;
      if (shared_.servers[s.seen.to] != nullptr) count_replies(s, {space.data(), n});
      hear(s);
      brain.received(link, s.serial, n, now());
   }
}

void sim_client::count_replies(socket& s, std::string_view bytes) {
   std::memcpy(s.replies.prepare(bytes.size()).data(), bytes.data(), bytes.size());
   s.replies.commit(bytes.size());
   while (s.replies.next() == impl::reader::status::reply) s.seen.replies += s.replies.reply().kind() != kind::push;
}

// Bytes just read may tell who is the master.
void sim_client::hear(socket& s) {
   connection& c = shared_.net.at(s.id);
   if (c.tidings.empty() || c.tidings.front().upto > c.read) return;
   for (const auto& t : c.tidings) {
      if (t.upto > c.read) break;
      if (t.what.is == observation::master || t.what.is == observation::replica)
         s.seen.says_master = t.what.is == observation::master;
      s.seen.listed = s.seen.configured || is_listed(s.seen.to);
      if (!checkers_.is_neighbour(s.seen.to)) checkers_.told(number_, s.seen, t.what);
   }
   std::erase_if(c.tidings, [&](const auto& t) { return t.upto <= c.read; });
   for (std::uint32_t link = 1; link <= sockets_.size(); ++link) {
      socket& x = sockets_[link - 1];
      if (x.open) x.handed_over = x.begun.size() + brain.to_write(link, x.serial).size();
   }
}

// By one of the Sentinels that it was given, as far as it is connected to any.
bool sim_client::is_listed(host_id sentinel) const {
   bool any = false;
   bool listed = false;
   for (const socket& s : sockets_) {
      if (!s.open || s.connecting || !s.seen.configured || shared_.sentinels[s.seen.to] == nullptr) continue;
      any = true;
      listed = listed || s.seen.to == sentinel || shared_.sentinels[s.seen.to]->lists(sentinel);
   }
   return listed || !any;
}

void sim_client::lose(std::uint32_t link, std::string_view why) {
   socket& s = sockets_[link - 1];
   const std::uint32_t serial = s.serial;
   shared_.net.abort(s.id, end::client);
   forget(s);
   brain.lost(link, serial, why, now());
}

void sim_client::forget(socket& s) {
   checkers_.ended(number_, s.seen);
   s = socket{};
}

void sim_client::freeze() {
   frozen_ = true;
   for (const auto& c : calls_) c->was_away = c->was_away || c->active;
}

void sim_client::thaw() {
   if (!frozen_) return;
   frozen_ = false;
   for (const auto& c : calls_) c->was_away = c->was_away || c->active;
   if (looks()) look();
   for (; planned_ != 0; --planned_) shared_.time.in(1us, {.a = number_, .kind = what::client_next});
}

}  // namespace holdfast::sim

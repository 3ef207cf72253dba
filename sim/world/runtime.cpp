#include "sim/world/runtime.hpp"

#include "sim/servers/sentinel_model.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace holdfast::sim {

runtime::runtime(shared_state& f, checkers& c, runtime_user& w, std::uint32_t number, host_id host,
                 const config& settings, std::uint64_t seed, impl::callers who)
   : brain(settings, seed, impl::topology_source::own, who),
     shared_(f),
     checkers_(c),
     world_(w),
     number_(number),
     host_(host),
     seeds_(settings.sentinels) {}

unsigned runtime::open_connections(host_id to) const {
   return static_cast<unsigned>(
      std::count_if(sockets_.begin(), sockets_.end(), [&](const socket& s) { return s.open && s.seen.to == to; }));
}

bool runtime::is_partly_sent() const {
   return std::any_of(sockets_.begin(), sockets_.end(), [](const socket& s) { return s.open && !s.begun.empty(); });
}

// ---- what the engine asks for -------------------------------------------------------------------------------------

// Not while it sleeps, which may begin in the middle.
void runtime::carry_out() {
   impl::io_request a;
   do {
      tell();       // before what is done about it
      take_done();  // first: whose end made room for what is written now has ended
      while (!frozen_ && brain.next_io(a)) {
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
   } while (!frozen_ && (brain.has_io() || brain.has_done()));
   tell();
   arm();
}

void runtime::resolve(const impl::io_request& a) {
   if (a.link > leads_to_seed_.size()) leads_to_seed_.resize(a.link);
   leads_to_seed_[a.link - 1] = std::find(seeds_.begin(), seeds_.end(), a.where) != seeds_.end();
   sockets_[a.link - 1].name = a.where.host;
   brain.resolved(a.link, a.serial, world_.resolve(a.where), {}, now());
}

void runtime::connect(const impl::io_request& a) {
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
   checkers_.dialled(number_, to, is_server(s));
}

void runtime::opened(std::uint32_t link) {
   socket& s = sockets_[link - 1];
   s.connecting = false;
   brain.connected(link, s.serial, now());
}

void runtime::write(std::uint32_t link) {
   socket& s = sockets_[link - 1];
   if (!s.open) {
      if (!brain.to_write(link, s.serial).empty())
         checkers_.broken("client " + std::to_string(number_) + " writes to a connection that has ended");
      return;
   }
   if (s.connecting || s.blocked) return;
   for (;;) {
      const std::size_t pending = brain.to_write(link, s.serial).size();
      if (pending == 0) break;
      if (hand_over(link, pending) == pending) continue;
      s.blocked = true;
      break;
   }
   if (!is_server(s) || brain.lane().in_flight() == 0) return;
   wrote_at_ = now();
   world_.wrote_command(s.seen.to);
}

std::size_t runtime::hand_over(std::uint32_t link, std::size_t most, bool leaves) {
   socket& s = sockets_[link - 1];
   const auto pending = brain.to_write(link, s.serial);
   const auto bytes = pending.first(std::min(most, pending.size()));
   const std::size_t n = leaves ? shared_.net.send(s.id, end::client, bytes) : bytes.size();
   if (n != 0 && is_server(s) && brain.lane().in_flight() != 0) wrote_at_ = now();
   tell_taken(s, {bytes.data(), n});
   if (n != 0) brain.wrote(link, s.serial, n, now());
   return n;
}

// The checkers hear of whole commands, as far as the kernel has them.
void runtime::tell_taken(socket& s, std::string_view taken) {
   const bool continues = !s.begun.empty();
   if (continues) s.begun += taken;
   const std::string_view bytes = continues ? std::string_view(s.begun) : taken;
   std::size_t at = 0;
   bool malformed = false;
   while (const std::size_t size = take_command(bytes.substr(at), words_, malformed)) {
      took(s, words_, bytes.substr(at, size), at < s.handed_over);
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

void runtime::took(socket& s, const words& w, std::string_view, bool handed_over) {
   if (is_server(s)) {
      ++s.seen.commands;
      checkers_.goes(number_, s.seen, w, handed_over);
      checkers_.sent(number_, s.seen, w, handed_over);
   } else if (same_word(w[0], "SENTINEL") && same_word(w[1], "GET-MASTER-ADDR-BY-NAME")) {
      world_.asked(s.seen.to);
      checkers_.asked(number_, s.seen.to);
   }
}

void runtime::take_done() {
   while (impl::operation* const op = brain.take_done(now())) {
      if (!op->done) checkers_.broken("an operation was handed back that is not done");
      finished(*op);
   }
}

// Only where it would ring earlier than it will anyway.
void runtime::arm() {
   const time_point t = brain.next_deadline();
   if (t == never || t >= armed_for_ || !looks()) return;
   armed_for_ = std::max(t, now());
   shared_.time.at(armed_for_, {.c = ++timer_, .a = number_, .kind = what::client_timer});
}

void runtime::on_timer(std::uint64_t generation) {
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

void runtime::tick() {
   for (impl::link_id link = 0; (link = brain.to_measure(now(), link)) != 0;) {
      const socket& s = sockets_[link - 1];
      if (s.open) brain.measured(link, s.serial, shared_.net.transit_of(s.id), now());
   }
   brain.tick(now());
}

void runtime::tell() {
   if (brain.events().empty()) return;
   brain.events().take(events_);
   for (const any_event& e : events_) {
      tell_checkers(e);
      told(e);
      shared_.note(host_, [&] { return "client " + std::to_string(number_) + ": " + holdfast::to_string(e); });
   }
}

void runtime::tell_checkers(const any_event& e) {
   const auto host = [&](const endpoint& server) { return world_.host_of(world_.resolve(server).front()); };
   if (const auto* m = std::get_if<holdfast::event::master_named>(&e)) checkers_.named(number_, host(m->to), m->epoch);
   if (const auto* m = std::get_if<holdfast::event::master_withdrawn>(&e))
      checkers_.withdrew(number_, host(m->master), m->epoch, host(m->back_to));
   if (const auto* m = std::get_if<holdfast::event::new_lineage>(&e))
      checkers_.begins_anew(number_, host(m->master), m->epoch);
}

// ---- what happens -------------------------------------------------------------------------------------------------

std::uint32_t runtime::link_of(connection_id id) {
   const connection& c = shared_.net.at(id);
   if (c.link == 0 || c.link > sockets_.size()) return 0;
   const socket& s = sockets_[c.link - 1];
   return s.open && s.id == id && s.generation == c.generation ? c.link : 0;
}

void runtime::not_connected(connection_id id, std::string_view why) {
   const std::uint32_t link = link_of(id);
   if (link == 0) return;
   sockets_[link - 1].failed = why;
   readable(id);
}

void runtime::readable(connection_id id) {
   const std::uint32_t link = link_of(id);
   if (link == 0) return;
   sockets_[link - 1].ready = true;
   if (!looks()) return;
   look_at(link);
   carry_out();
}

void runtime::writable(connection_id id) {
   const std::uint32_t link = link_of(id);
   if (link == 0 || !sockets_[link - 1].blocked || !looks()) return;
   sockets_[link - 1].blocked = false;
   write(link);
   carry_out();
}

// As poll() finds it: everything that came, then the time.
void runtime::look() {
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

void runtime::look_at(std::uint32_t link) {
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
      opened(link);
      carry_out();
   }
   read(link);
}

void runtime::read(std::uint32_t link) {
   while (receive(link, std::numeric_limits<std::size_t>::max())) {
   }
}

bool runtime::receive(std::uint32_t link, std::size_t most) {
   socket& s = sockets_[link - 1];
   if (!s.open) return false;
   connection& c = shared_.net.at(s.id);
   std::string& in = c.inbox[index(end::client)];
   if (in.empty()) {
      if (c.saw_end[index(end::client)])
         lose(link, c.saw_reset[index(end::client)] ? "connection reset by peer" : "closed by the other side");
      return false;
   }
   const auto space = brain.space(link, s.serial);
   if (space.empty()) return false;
   const std::size_t n = std::min({space.size(), in.size(), most});
   std::memcpy(space.data(), in.data(), n);
   in.erase(0, n);
   c.read += n;
   count_replies(s, {space.data(), n});
   hear(s);
   brain.received(link, s.serial, n, now());
   return true;
}

void runtime::inject(std::uint32_t link, std::string_view bytes) {
   connection& c = shared_.net.at(sockets_[link - 1].id);
   c.inbox[index(end::client)].insert(0, bytes);
   c.read -= bytes.size();
   receive(link, bytes.size());
}

void runtime::count_replies(socket& s, std::string_view bytes) {
   std::memcpy(s.replies.prepare(bytes.size()).data(), bytes.data(), bytes.size());
   s.replies.commit(bytes.size());
   while (s.replies.next() == impl::reader::status::reply) {
      s.seen.replies += s.replies.reply().kind() != kind::push;
      heard(s, s.replies.reply());
   }
}

// Bytes just read may tell who is the master.
void runtime::hear(socket& s) {
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
bool runtime::is_listed(host_id sentinel) const {
   bool any = false;
   bool listed = false;
   for (const socket& s : sockets_) {
      if (!s.open || s.connecting || !s.seen.configured || shared_.sentinels[s.seen.to] == nullptr) continue;
      any = true;
      listed = listed || s.seen.to == sentinel || shared_.sentinels[s.seen.to]->lists(sentinel);
   }
   return listed || !any;
}

void runtime::lose(std::uint32_t link, std::string_view why, bool noticed) {
   socket& s = sockets_[link - 1];
   const std::uint32_t serial = s.serial;
   if (noticed) shared_.net.abort(s.id, end::client);
   forget(s);
   brain.lost(link, serial, why, now());
}

void runtime::forget(socket& s) {
   checkers_.ended(number_, s.seen);
   s = socket{};
}

void runtime::thaw() {
   if (!frozen_) return;
   frozen_ = false;
   if (looks()) look();
}

}  // namespace holdfast::sim

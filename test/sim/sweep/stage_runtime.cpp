// The runtime of a stage: the same calls to the engine as a real one makes, one step at a time.
#include "sim/sweep/stage.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace holdfast::sim::sweep {
namespace {

constexpr std::string_view reset = "connection reset by peer";

}  // namespace

// ---- what the engine asks for -------------------------------------------------------------------------------------

void stage::carry_out() {
   if (std::exchange(working_, true)) return;
   impl::io_request a;
   do {
      while (!asleep_ && brain_->next_io(a)) {
         if (a.link > sockets_.size()) sockets_.resize(a.link);
         socket& s = sockets_[a.link - 1];
         switch (a.what) {
            case impl::io_request::kind::write: write(a.link); break;
            case impl::io_request::kind::resolve: resolve(a); break;
            case impl::io_request::kind::connect: connect(a); break;
            case impl::io_request::kind::close:
               if (s.open) shared_.net.close(s.id, end::client);
               s = socket{};
               break;
            case impl::io_request::kind::abort:
               if (s.open) shared_.net.abort(s.id, end::client);
               s = socket{};
               break;
         }
      }
      take_done();
   } while (!asleep_ && (brain_->has_io() || brain_->has_done()));
   working_ = false;
   brain_->events().take(events_);
   for (const any_event& e : events_) resent_ += std::holds_alternative<holdfast::event::resent>(e);
   arm();
}

void stage::resolve(const impl::io_request& a) {
   const host_id host = static_cast<host_id>(*read_integer(std::string_view(a.where.host).substr(7)) - 1);
   const injection* const f = meet({.is = step::kind::resolve, .host = host, .of_sentinel = a.where.port != 6379});
   if (f == nullptr) return brain_->resolved(a.link, a.serial, {a.where}, {}, now());
   if (f->what == fault::name_unknown) brain_->resolved(a.link, a.serial, {}, "no such name", now());
}

void stage::connect(const impl::io_request& a) {
   const host_id host = static_cast<host_id>(*read_integer(std::string_view(a.where.host).substr(7)) - 1);
   ++dials_;
   const injection* const f =
      meet({.is = step::kind::connect, .host = host, .of_sentinel = a.where.port != 6379, .dial = dials_});
   socket& s = sockets_[a.link - 1];
   s = socket{};
   if (f != nullptr) {
      if (f->what == fault::never_connects) return;
      const std::string_view why = f->what == fault::refused       ? "connection refused"
                                   : f->what == fault::unreachable ? "no route to host"
                                                                   : "too many open files";
      return brain_->lost(a.link, a.serial, why, now());
   }
   s.id = shared_.net.connect(host_, host, a.link, a.serial);
   s.generation = shared_.net.at(s.id).generation;
   s.serial = a.serial;
   s.host = host;
   s.dial = dials_;
   s.open = s.connecting = true;
}

void stage::write(std::uint32_t link) {
   socket& s = sockets_[link - 1];
   if (!s.open || s.connecting || s.blocked) return;
   const std::size_t n = brain_->to_write(link, s.serial).size();
   if (n == 0) return;
   const bool of_sentinel = shared_.servers[s.host] == nullptr;
   const injection* const f =
      meet({.is = step::kind::write, .host = s.host, .of_sentinel = of_sentinel, .dial = s.dial, .bytes = n});
   const auto unblock = [this, link, dial = s.dial] {
      if (sockets_[link - 1].dial != dial) return;
      sockets_[link - 1].blocked = false;
      write(link);
      carry_out();
   };
   if (f == nullptr) {
      accept(link, s.one_byte ? 1 : n, true);
      if (!s.one_byte || n == 1) return;
      s.blocked = true;
      return later(20us, unblock);
   }
   switch (f->what) {
      case fault::byte_by_byte: s.one_byte = s.blocked = true; return later(20us, unblock);
      case fault::halting:
         accept(link, f->at, true);
         s.blocked = true;
         return later(300ms, unblock);
      case fault::stuck: s.blocked = s.held = true; return;
      default: break;
   }
   accept(link, f->what == fault::server_frozen_unnoticed ? n : f->at, f->what != fault::lost_unsent);
   lose(link, reset, f->what == fault::lost || f->what == fault::lost_unsent);
}

// What the kernel takes. The server parses nothing of a command before it is whole.
void stage::accept(std::uint32_t link, std::size_t n, bool send) {
   socket& s = sockets_[link - 1];
   s.sent.append(brain_->to_write(link, s.serial).data(), n);
   if (n != 0) brain_->wrote(link, s.serial, n, now());
   if (n != 0 && shared_.servers[s.host] != nullptr) wrote_at_ = now();
   std::string out;
   words w;
   for (;;) {
      bool malformed = false;
      const std::size_t size = take_command(s.sent, w, malformed);
      if (size == 0) break;
      if (shared_.servers[s.host] != nullptr) checkers_.sent(0, {s.dial, s.host}, w);
      expected e{.command = std::string(w[0])};
      e.is_empty = e.command == "EXEC" && s.after_multi;
      s.after_multi = e.command == "MULTI";
      for (std::size_t i = 1; e.command == "CLIENT" && i < 2; ++i) e.command += " " + std::string(w[i]);
      for (call& c : calls_) {
         const auto is_it = [&](const command& own) { return own.bytes() == std::string_view(s.sent).substr(0, size); };
         if (!c.active || std::none_of(c.commands.begin(), c.commands.end(), is_it)) continue;
         e.number = c.number;
         if (!e.is_empty && c.commands.back().bytes() == std::string_view(s.sent).substr(0, size)) ++c.whole;
         if (s.db != scenario_.db) checkers_.broken(e.command + " goes to another database");
         if (s.name != scenario_.client_name) checkers_.broken(e.command + " goes out under no name");
         break;
      }
      if (e.command == "SELECT") s.db = static_cast<unsigned>(read_integer(w[1]).value_or(0));
      for (std::size_t i = 0; i + 1 < w.size(); ++i) {
         if (w[i] == "SETNAME") s.name = w[i + 1];
      }
      std::string raw = s.sent.substr(0, size);
      for (const injection& f : injections_) {
         if (f.what != fault::turned_away || f.dial != s.dial || f.number != s.commands) continue;
         // The server is asked for something that it does not know, and its refusal is read as another.
         e.turned_away = true;
         e.error = f.at;
         raw = w[0] == "EXEC" ? "*1\r\n$7\r\nDISCARD\r\n"
                              : raw.replace(static_cast<std::size_t>(w[0].data() - s.sent.data()), 1, "?");
      }
      ++s.commands;
      if (shared_.servers[s.host] != nullptr) s.awaited.push_back(std::move(e));
      out += raw;
      s.sent.erase(0, size);
   }
   if (send && !out.empty()) shared_.net.send(s.id, end::client, out);
}

void stage::lose(std::uint32_t link, std::string_view why, bool noticed) {
   const socket s = std::exchange(sockets_[link - 1], socket{});
   if (noticed)
      shared_.net.abort(s.id, end::client);
   else
      ++unnoticed_;
   brain_->lost(link, s.serial, why, now());
}

void stage::take_done() {
   while (impl::operation* const op = brain_->take_done(now())) {
      const auto c = std::find_if(calls_.begin(), calls_.end(), [&](const call& x) { return &x.op == op; });
      if (c == calls_.end() || !c->active) {
         checkers_.broken("an operation came back that nobody gave");
         continue;
      }
      c->active = false;
      --active_;
      checkers_.completed(c->number, std::span<const result<value>>(c->results.data(), c->commands.size()),
                          {.deadline = c->op.deadline,
                           .was_away = c->was_away,
                           .could_be_written = wrote_at_ >= c->op.submitted,
                           .partly_sent = std::any_of(sockets_.begin(), sockets_.end(),
                                                      [](const socket& s) { return s.open && !s.sent.empty(); }),
                           .all_was_well_for = well_for()});
   }
}

// ---- what happens -------------------------------------------------------------------------------------------------

void stage::arm() {
   const time_point t = brain_->next_deadline();
   if (t == never || t >= armed_for_ || asleep_) return;
   armed_for_ = std::max(t, now());
   shared_.time.at(armed_for_, {.c = ++timer_, .kind = what::client_timer});
}

void stage::on_timer(std::uint64_t generation) {
   if (generation != timer_) return;
   armed_for_ = never;
   if (asleep_) return;
   if (now() >= brain_->next_deadline()) {
      spins_ = spun_at_ == now() ? spins_ + 1 : 0;
      spun_at_ = now();
      if (spins_ == 100) checkers_.broken("it asks to be woken, again and again, now");
      if (spins_ > 100) return;
      meet({.is = step::kind::tick});
      if (asleep_) return;
      brain_->tick(now());
   }
   carry_out();
}

// As poll() finds it: everything that came, then the time.
void stage::look() {
   for (std::uint32_t link = 1; link <= sockets_.size(); ++link) {
      if (sockets_[link - 1].open) take_in(link);
   }
   if (now() >= brain_->next_deadline()) brain_->tick(now());
   carry_out();
}

std::uint32_t stage::link_of(connection_id id) {
   const connection& c = shared_.net.at(id);
   if (c.link == 0 || c.link > sockets_.size()) return 0;
   const socket& s = sockets_[c.link - 1];
   return s.open && s.id == id && s.generation == c.generation ? c.link : 0;
}

void stage::not_connected(connection_id id, std::string_view why) {
   const std::uint32_t link = link_of(id);
   if (link == 0) return;
   sockets_[link - 1].failed = why;
   readable(id, end::client);
}

void stage::readable(connection_id id, end e) {
   const connection& c = shared_.net.at(id);
   if (e == end::server) {
      if (shared_.servers[c.server] != nullptr) return shared_.servers[c.server]->readable(id);
      return shared_.sentinels[c.server]->readable(id);
   }
   const std::uint32_t link = link_of(id);
   if (link == 0 || asleep_) return;
   take_in(link);
   carry_out();
}

}  // namespace holdfast::sim::sweep

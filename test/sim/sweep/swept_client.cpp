#include "sim/sweep/swept_client.hpp"

#include <algorithm>
#include <limits>

namespace holdfast::sim::sweep {
namespace {

constexpr std::string_view reset = "connection reset by peer";
constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

// The length of the first reply in `bytes`; 0 if it is not whole.
std::size_t reply_size(std::string_view bytes) {
   const std::size_t line = bytes.find("\r\n");
   if (line == std::string_view::npos) return 0;
   std::size_t at = line + 2;
   const auto count = read_integer(bytes.substr(1, line - 1));
   switch (bytes[0]) {
      case '$':
      case '=': {
         if (!count || *count < 0) return at;
         at += static_cast<std::size_t>(*count) + 2;
         return at <= bytes.size() ? at : 0;
      }
      case '*':
      case '%':
      case '>': {
         const long long items = count.value_or(0) * (bytes[0] == '%' ? 2 : 1);
         for (long long i = 0; i < items; ++i) {
            const std::size_t n = reply_size(bytes.substr(std::min(at, bytes.size())));
            if (n == 0) return 0;
            at += n;
         }
         return at;
      }
      default: return at;
   }
}

}  // namespace

swept_client::swept_client(shared_state& f, checkers& c, runtime_user& w, stage_hand& s, host_id host,
                           const config& settings, const scenario& scene)
   : client(f, c, w, 0, host, settings, 11), stage_(s), scenario_(scene) {}

call_number swept_client::submit(const given& g, std::optional<duration> deadline) {
   call& c =
      prepare(g.kind, g.promise, {.deadline = deadline ? now() + *deadline : never, .default_deadline = !deadline});
   fates_.push_back({.what = g});
   const call_number n = c.number;
   brain.submit(c.op, now());
   return n;
}

call_number swept_client::give(const given& g, std::optional<duration> deadline) {
   const call_number n = submit(g, deadline);
   carry_out();
   return n;
}

void swept_client::give(const std::vector<given>& all) {
   for (const given& g : all) submit(g, {});
   carry_out();
}

void swept_client::ended(call& c) {
   fate& f = fates_[c.number];
   f.done = true;
   f.deadline = c.op.deadline;
   if (!c.answers().back()) f.failed = c.answers().back().error();
}

std::uint32_t swept_client::dial_of(connection_id id) const {
   const auto found = std::find_if(sockets_.begin(), sockets_.end(), [&](const socket& s) {
      return s.open && s.id == id && s.generation == shared_.net.at(id).generation;
   });
   return found == sockets_.end() ? 0 : found->seen.number;
}

unsigned swept_client::open_connections() const {
   return static_cast<unsigned>(
      std::count_if(sockets_.begin(), sockets_.end(), [](const socket& s) { return s.open; }));
}

step swept_client::at(step::kind is, const socket& s, std::size_t bytes) const {
   return {.is = is, .host = s.seen.to, .of_sentinel = !is_server(s), .dial = s.seen.number, .bytes = bytes};
}

swept_client::progress& swept_client::progress_of(const socket& s) {
   const auto link = static_cast<std::size_t>(&s - sockets_.data());
   if (progress_.size() <= link) progress_.resize(link + 1);
   progress& p = progress_[link];
   if (p.dial != s.seen.number) p = {.dial = s.seen.number};
   return p;
}

bool swept_client::is_current(std::uint32_t link, std::uint32_t dial) const {
   const socket& s = sockets_[link - 1];
   return s.open && s.seen.number == dial;
}

void swept_client::go_on_later(std::uint32_t link, duration d, void (swept_client::*how)(std::uint32_t)) {
   const std::uint32_t dial = sockets_[link - 1].seen.number;
   stage_.later(d, [this, link, dial, how] {
      if (!is_current(link, dial)) return;
      (this->*how)(link);
      carry_out();
   });
}

// ---- what is asked for --------------------------------------------------------------------------------------------

void swept_client::resolve(const impl::io_request& a) {
   const injection* const f =
      stage_.meet({.is = step::kind::resolve, .host = world_.host_of(a.where), .of_sentinel = a.where.port != 6379});
   if (f == nullptr) return client::resolve(a);
   if (f->what == fault::name_unknown) brain.resolved(a.link, a.serial, {}, "no such name", now());
}

void swept_client::connect(const impl::io_request& a) {
   const injection* const f = stage_.meet({.is = step::kind::connect,
                                           .host = world_.host_of(a.where),
                                           .of_sentinel = a.where.port != 6379,
                                           .dial = dials_ + 1});
   if (f == nullptr) return client::connect(a);
   ++dials_;
   sockets_[a.link - 1] = {};
   if (f->what == fault::never_connects) return;
   const std::string_view why = f->what == fault::refused       ? "connection refused"
                                : f->what == fault::unreachable ? "no route to host"
                                                                : "too many open files";
   brain.lost(a.link, a.serial, why, now());
}

void swept_client::opened(std::uint32_t link) {
   const injection* const f = stage_.meet(at(step::kind::opened, sockets_[link - 1]));
   client::opened(link);
   if (f == nullptr) return;
   if (f->what == fault::stuck) {
      progress& p = progress_of(sockets_[link - 1]);
      p.stuck = p.held = true;
      return;
   }
   unnoticed_ += f->what != fault::lost;
   lose(link, reset, f->what == fault::lost);
}

void swept_client::write(std::uint32_t link) {
   socket& s = sockets_[link - 1];
   if (!s.open || s.connecting) return client::write(link);
   if (progress_of(s).stuck) return;
   const std::size_t n = brain.to_write(link, s.serial).size();
   if (n == 0) return;
   const injection* const f = stage_.meet(at(step::kind::write, s, n));
   progress& p = progress_of(s);
   if (f == nullptr) {
      hand_over(link, p.one_byte ? 1 : everything);
      if (!p.one_byte || n == 1) return;
      p.stuck = true;
      return go_on_later(link, 20us, &swept_client::unblock);
   }
   switch (f->what) {
      case fault::byte_by_byte: p.one_byte = p.stuck = true; return go_on_later(link, 20us, &swept_client::unblock);
      case fault::halting:
         hand_over(link, f->at);
         p.stuck = true;
         return go_on_later(link, 300ms, &swept_client::unblock);
      case fault::stuck: p.stuck = p.held = true; return;
      default: break;
   }
   hand_over(link, f->what == fault::server_frozen_unnoticed ? n : f->at, f->what != fault::lost_unsent);
   const bool noticed = f->what == fault::lost || f->what == fault::lost_unsent;
   unnoticed_ += !noticed;
   lose(link, reset, noticed);
}

void swept_client::unblock(std::uint32_t link) {
   progress_of(sockets_[link - 1]).stuck = false;
   write(link);
}

void swept_client::tick() {
   stage_.meet({.is = step::kind::tick});
   if (!frozen_) client::tick();
}

void swept_client::took(socket& s, const words& w, std::string_view raw, bool handed_over) {
   client::took(s, w, raw, handed_over);
   if (!is_server(s)) return;
   progress& p = progress_of(s);
   expected e{.command = std::string(w[0])};
   const bool is_empty = e.command == "EXEC" && p.after_multi;  // the client's own question
   p.after_multi = e.command == "MULTI";
   if (e.command == "CLIENT") e.command += " " + std::string(w[1]);
   if (const call* const c = call_of(raw)) {
      const bool is_last = c->commands.back().bytes() == raw;
      e.number = c->number;
      e.answers_call = is_last && !is_empty;
      fates_[c->number].whole += e.answers_call;
      if (p.db != scenario_.db) checkers_.broken(e.command + " goes to another database");
      if (p.name != scenario_.client_name) checkers_.broken(e.command + " goes out under no name");
   }
   if (e.command == "SELECT") p.db = static_cast<unsigned>(read_integer(w[1]).value_or(0));
   for (std::size_t i = 0; i + 1 < w.size(); ++i) {
      if (w[i] == "SETNAME") p.name = w[i + 1];
   }
   p.awaited.push_back(std::move(e));
}

client::call* swept_client::call_of(std::string_view raw) {
   const auto holds_it = [&](const auto& c) {
      const auto is_it = [&](const command& own) { return own.bytes() == raw; };
      return c->active && std::any_of(c->commands.begin(), c->commands.end(), is_it);
   };
   const auto found = std::find_if(calls_.begin(), calls_.end(), holds_it);
   return found == calls_.end() ? nullptr : found->get();
}

// ---- what comes ---------------------------------------------------------------------------------------------------

void swept_client::read(std::uint32_t link) {
   const std::uint32_t dial = sockets_[link - 1].seen.number;
   while (is_current(link, dial)) {
      socket& s = sockets_[link - 1];
      if (frozen_) {
         s.ready = true;
         return;
      }
      progress& p = progress_of(s);
      if (p.held) return;
      const connection& c = shared_.net.at(s.id);
      const std::string_view in = c.inbox[index(end::client)];
      const std::size_t n = reply_size(in);
      if (n == 0 && !c.saw_end[index(end::client)]) return;
      if (n == 0) return client::read(link);
      if (std::exchange(p.together, false))
         read_all(link);
      else
         read_one(link, n);
      carry_out();
   }
}

void swept_client::read_one(std::uint32_t link, std::size_t n) {
   socket& s = sockets_[link - 1];
   const progress& p = progress_of(s);
   step st = at(step::kind::reply, s, n);
   st.number = p.replies;
   if (!p.awaited.empty()) {
      st.command = p.awaited.front().command;
      st.of_call = p.awaited.front().number != 0;
      st.last = p.awaited.size() == 1;
   }
   // A subscription is answered once for each channel: the first and the last will do.
   constexpr std::string_view subscribed = "*3\r\n$9\r\nsubscribe";
   const std::string_view in = shared_.net.at(s.id).inbox[index(end::client)];
   st.one_of_many = p.replies != 0 && in.starts_with(subscribed) && in.substr(n).starts_with(subscribed);
   if (const injection* const f = stage_.meet(st)) return read_with(link, n, *f);
   if (in.starts_with('-') && !p.awaited.empty() && p.awaited.front().answers_call)
      ++fates_[p.awaited.front().number].refused;
   count_reply(link);
   receive(link, n);
}

void swept_client::count_reply(std::uint32_t link) {
   progress& p = progress_of(sockets_[link - 1]);
   ++p.replies;
   if (!p.awaited.empty()) p.awaited.pop_front();
}

void swept_client::read_all(std::uint32_t link) {
   const std::string_view in = shared_.net.at(sockets_[link - 1].id).inbox[index(end::client)];
   std::size_t all = 0;
   while (const std::size_t n = reply_size(in.substr(all))) {
      all += n;
      count_reply(link);
   }
   receive(link, all);
}

void swept_client::read_with(std::uint32_t link, std::size_t n, const injection& f) {
   progress& p = progress_of(sockets_[link - 1]);
   const std::uint32_t dial = p.dial;
   const std::string bytes = shared_.net.at(sockets_[link - 1].id).inbox[index(end::client)].substr(0, n);
   switch (f.what) {
      case fault::lost:
      case fault::lost_unnoticed:
         unnoticed_ += f.what == fault::lost_unnoticed;
         if (f.at != 0) receive(link, f.at);
         if (is_current(link, dial)) lose(link, reset, f.what == fault::lost);
         return;
      case fault::server_frozen_unnoticed: ++unnoticed_; return lose(link, reset, false);
      case fault::stuck: p.stuck = p.held = true; return;
      case fault::late: p.held = true; return go_on_later(link, 3s, &swept_client::unhold);
      case fault::together: p.held = p.together = true; return go_on_later(link, 5ms, &swept_client::unhold);
      case fault::byte_by_byte:
         count_reply(link);
         for (std::size_t i = 0; i < n && is_current(link, dial); ++i) {
            receive(link, 1);
            carry_out();
         }
         return;
      case fault::garbage: return read_instead(link, n, "what is this?\r\n");
      case fault::nothing_known: return read_instead(link, n, "*-1\r\n");
      case fault::push_before:
         inject(link, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
         count_reply(link);
         if (is_current(link, dial)) receive(link, n);
         return;
      case fault::twice: return read_instead(link, n, bytes + bytes);
      default: return;
   }
}

void swept_client::unhold(std::uint32_t link) {
   progress_of(sockets_[link - 1]).held = false;
   read(link);
}

void swept_client::read_instead(std::uint32_t link, std::size_t n, std::string_view bytes) {
   connection& c = shared_.net.at(sockets_[link - 1].id);
   c.inbox[index(end::client)].erase(0, n);
   c.read += n;
   c.tidings.clear();
   count_reply(link);
   inject(link, bytes);
}

}  // namespace holdfast::sim::sweep

// What a stage's engine reads: one reply at a time.
#include "sim/sweep/stage.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace holdfast::sim::sweep {
namespace {

constexpr std::string_view reset = "connection reset by peer";

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

void stage::take_in(std::uint32_t link) {
   const std::uint32_t dial = sockets_[link - 1].dial;
   for (;;) {
      socket& s = sockets_[link - 1];
      if (!s.open || s.dial != dial || asleep_) return;
      if (!s.failed.empty()) {
         const socket gone = std::exchange(s, socket{});
         return brain_->lost(link, gone.serial, gone.failed, now());
      }
      if (s.connecting) {
         if (!open_up(link)) return;
         carry_out();
         continue;
      }
      connection& c = shared_.net.at(s.id);
      s.in += std::exchange(c.inbox[index(end::client)], {});
      if (s.held) return;
      if (s.together) {
         read_all_at_once(link);
         carry_out();
         continue;
      }
      const std::size_t n = reply_size(s.in);
      if (n == 0) {
         if (!c.saw_end[index(end::client)]) return;
         feed(link, std::exchange(s.in, {}));
         if (sockets_[link - 1].dial == dial)
            lose(link, c.saw_reset[index(end::client)] ? reset : "closed by the other side", true);
         return carry_out();
      }
      read(link, n);
      carry_out();
   }
}

bool stage::open_up(std::uint32_t link) {
   socket& s = sockets_[link - 1];
   if (!shared_.net.at(s.id).established) return false;
   const bool of_sentinel = shared_.servers[s.host] == nullptr;
   const injection* const f =
      meet({.is = step::kind::opened, .host = s.host, .of_sentinel = of_sentinel, .dial = s.dial});
   s.connecting = false;
   brain_->connected(link, s.serial, now());
   if (f == nullptr) return true;
   if (f->what == fault::stuck)
      s.blocked = s.held = true;
   else
      lose(link, reset, f->what == fault::lost);
   return true;
}

// One reply.
void stage::read(std::uint32_t link, std::size_t n) {
   socket& s = sockets_[link - 1];
   step st{.is = step::kind::reply,
           .host = s.host,
           .of_sentinel = shared_.servers[s.host] == nullptr,
           .dial = s.dial,
           .number = s.replies,
           .bytes = n};
   if (!s.awaited.empty()) {
      st.command = s.awaited.front().command;
      st.of_call = s.awaited.front().number != 0;
      st.last = s.awaited.size() == 1;
   }
   // A subscription is answered once for each channel: the first and the last will do.
   constexpr std::string_view subscribed = "*3\r\n$9\r\nsubscribe";
   st.one_of_many = s.replies != 0 && std::string_view(s.in).starts_with(subscribed) &&
                    std::string_view(s.in).substr(n).starts_with(subscribed);
   const injection* const f = meet(st);
   if (f != nullptr) return read_with(link, n, *f);
   std::string bytes = s.in.substr(0, n);
   if (!s.awaited.empty() && s.awaited.front().turned_away && bytes.starts_with('-'))
      bytes = "-" + std::string(error_replies[s.awaited.front().error].text) + "\r\n";
   else if (!s.awaited.empty() && s.awaited.front().turned_away)
      bytes =
         "-EXECABORT Transaction discarded because of: " + std::string(error_replies[s.awaited.front().error].text) +
         "\r\n";
   if (bytes.starts_with('-') && !s.awaited.empty() && s.awaited.front().number != 0) {
      const expected& e = s.awaited.front();
      call& c = calls_[e.number - 1];
      if (c.commands.size() == 1 || (e.command == "EXEC" && !e.is_empty)) ++c.refused;
   }
   count_reply(s, n);
   feed(link, bytes);
}

// What the engine reads it has been told.
void stage::count_reply(socket& s, std::size_t n) {
   connection& c = shared_.net.at(s.id);
   s.in.erase(0, n);
   ++s.replies;
   if (!s.awaited.empty()) s.awaited.pop_front();
   c.read += n;
   for (const auto& t : c.tidings) {
      if (t.upto <= c.read) checkers_.told(0, {s.dial, s.host}, t.what);
   }
   std::erase_if(c.tidings, [&](const auto& t) { return t.upto <= c.read; });
}

void stage::read_with(std::uint32_t link, std::size_t n, const injection& f) {
   socket& s = sockets_[link - 1];
   const std::string bytes = s.in.substr(0, n);
   const std::uint32_t dial = s.dial;
   const auto go_on = [this, link, dial] {
      if (sockets_[link - 1].dial != dial) return;
      sockets_[link - 1].held = false;
      take_in(link);
      carry_out();
   };
   const auto replace = [&](const std::string& with) {
      shared_.net.at(s.id).tidings.clear();
      count_reply(s, n);
      feed(link, with);
   };
   switch (f.what) {
      case fault::lost:
      case fault::lost_unnoticed:
         feed(link, std::string_view(bytes).substr(0, f.at));
         if (sockets_[link - 1].dial == dial) lose(link, reset, f.what == fault::lost);
         return;
      case fault::server_frozen_unnoticed: return lose(link, reset, false);
      case fault::stuck: s.blocked = s.held = true; return;
      case fault::late: s.held = true; return later(3s, go_on);
      case fault::together: s.held = s.together = true; return later(5ms, go_on);
      case fault::byte_by_byte:
         count_reply(s, n);
         for (std::size_t i = 0; i < n && sockets_[link - 1].dial == dial; ++i) {
            feed(link, std::string_view(bytes).substr(i, 1));
            carry_out();
         }
         return;
      case fault::garbage: return replace("what is this?\r\n");
      case fault::nothing_known: return replace("*-1\r\n");
      case fault::push_before:
         feed(link, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
         count_reply(s, n);
         return feed(link, bytes);
      case fault::twice: return replace(bytes + bytes);
      default: return;
   }
}

void stage::read_all_at_once(std::uint32_t link) {
   socket& s = sockets_[link - 1];
   s.together = false;
   std::string bytes;
   while (const std::size_t n = reply_size(s.in)) {
      bytes += s.in.substr(0, n);
      count_reply(s, n);
   }
   feed(link, bytes);
}

void stage::feed(std::uint32_t link, std::string_view bytes) {
   const std::uint32_t serial = sockets_[link - 1].serial;
   while (!bytes.empty()) {
      const auto space = brain_->space(link, serial);
      if (space.empty()) return;
      const std::size_t n = std::min(space.size(), bytes.size());
      std::memcpy(space.data(), bytes.data(), n);
      bytes.remove_prefix(n);
      brain_->received(link, serial, n, now());
   }
}

}  // namespace holdfast::sim::sweep

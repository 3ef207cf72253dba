#include "fuzz/fuzzed_client.hpp"

#include <algorithm>

namespace holdfast::fuzz {

// ---- callers ------------------------------------------------------------------------------------------------------

sim::client::terms fuzzed_client::terms_of(const patience& p) const {
   return {.deadline = p.is_default ? never : now() + p.time, .default_deadline = p.is_default};
}

void fuzzed_client::give(sim::call_kind kind, delivery promise, const patience& p, unsigned database) {
   call& c = prepare(kind, promise, terms_of(p), database);
   brain.submit(c.op, now());
   carry_out();
}

void fuzzed_client::give(std::vector<command> commands, delivery promise, const patience& p) {
   stray& s = strays_.emplace_back();
   s.commands = std::move(commands);
   s.results.resize(s.commands.size());
   s.op.delivery = promise;
   s.op.commands = s.commands;
   s.op.results = s.results.data();
   s.op.submitted = now();
   s.op.default_deadline = p.is_default;
   s.op.deadline = terms_of(p).deadline;
   ++strays_open_;
   brain.submit(s.op, now());
   carry_out();
}

void fuzzed_client::cancel(std::size_t which) {
   const std::size_t all = calls_.size() + strays_.size();
   if (all == 0 || frozen_) return;
   which %= all;
   if (which < calls_.size()) return calls_[which]->active ? client::cancel(*calls_[which]) : void();
   impl::operation& op = strays_[which - calls_.size()].op;
   if (op.done) return;
   brain.cancel(op, now());
   carry_out();
   require(op.done, "what is cancelled has ended");
}

void fuzzed_client::finished(impl::operation& op) {
   const auto found = std::find_if(strays_.begin(), strays_.end(), [&](const stray& s) { return &s.op == &op; });
   if (found == strays_.end()) return client::finished(op);
   --strays_open_;
   check(op, found->results.back());
}

void fuzzed_client::ended(call& c) {
   last_succeeded_ = c.answers().back().has_value();
   check(c.op, c.answers().back());
}

void fuzzed_client::check(const impl::operation& op, const result<value>& last) const {
   require(op.done, "what is handed back is done");
   if (last) return;
   require(is_one_line(last.error().what()), "an error is one line");
}

// ---- names and connects -------------------------------------------------------------------------------------------

void fuzzed_client::resolve(const impl::io_request& a) {
   switch (std::exchange(next_name, trouble::none)) {
      case trouble::unknown: return brain.resolved(a.link, a.serial, {}, "no such host", now());
      case trouble::silent: return;
      case trouble::several: {
         auto all = world_.resolve(a.where);
         all.insert(all.begin(), {"10.0.0.40", a.where.port});  // where nobody is
         return brain.resolved(a.link, a.serial, std::move(all), {}, now());
      }
      default: return client::resolve(a);
   }
}

void fuzzed_client::connect(const impl::io_request& a) {
   const trouble met = std::exchange(next_connect, trouble::none);
   if (met == trouble::none) return client::connect(a);
   ++dials_;
   sockets_[a.link - 1] = {};
   if (met != trouble::silent) brain.lost(a.link, a.serial, "connection refused", now());
}

// ---- connections --------------------------------------------------------------------------------------------------

std::uint32_t fuzzed_client::some(std::size_t which) const {
   std::vector<std::uint32_t> open;
   for (std::uint32_t link = 1; link <= sockets_.size(); ++link) {
      if (sockets_[link - 1].is_there() && !sockets_[link - 1].connecting) open.push_back(link);
   }
   return open.empty() ? 0 : open[which % open.size()];
}

fuzzed_client::treatment& fuzzed_client::treatment_of(std::uint32_t link) {
   if (treatments_.size() < sockets_.size()) treatments_.resize(sockets_.size());
   treatment& t = treatments_[link - 1];
   if (t.dial != sockets_[link - 1].seen.number) t = {.dial = sockets_[link - 1].seen.number};
   return t;
}

void fuzzed_client::write(std::uint32_t link) {
   if (!treatment_of(link).held) client::write(link);
}

void fuzzed_client::read(std::uint32_t link) {
   if (!treatment_of(link).held) client::read(link);
}

void fuzzed_client::hold(std::size_t which, bool so) {
   const std::uint32_t link = some(which);
   if (link == 0 || frozen_ || std::exchange(treatment_of(link).held, so) == so || so) return;
   client::write(link);
   client::read(link);
   carry_out();
}

void fuzzed_client::take_some(std::size_t which, std::size_t n) {
   const std::uint32_t link = some(which);
   if (link == 0 || frozen_ || n == 0 || brain.to_write(link, sockets_[link - 1].serial).empty()) return;
   hand_over(link, n);
   carry_out();
}

void fuzzed_client::read_some(std::size_t which, std::size_t n) {
   const std::uint32_t link = some(which);
   if (link == 0 || frozen_ || n == 0) return;
   receive(link, n);
   carry_out();
}

void fuzzed_client::cut(std::size_t which, bool noticed) {
   const std::uint32_t link = some(which);
   if (link == 0 || frozen_) return;
   lose(link, "connection reset by peer", noticed);
   carry_out();
}

void fuzzed_client::report_late(std::size_t which) {
   const std::uint32_t link = some(which);
   if (link == 0 || frozen_) return;
   const std::uint32_t old = sockets_[link - 1].serial - 1;
   require(brain.space(link, old).empty(), "there is no space for what is gone");
   require(brain.to_write(link, old).empty(), "there is nothing to write to what is gone");
   brain.resolved(link, old, {{"10.0.0.1", 6379}}, {}, now());
   brain.connected(link, old, now());
   brain.received(link, old, 0, now());
   brain.wrote(link, old, 0, now());
   brain.lost(link, old, "late news", now());
   require(!brain.has_io() && !brain.has_done(), "what is gone changes nothing");
}

void fuzzed_client::hear(std::size_t which, std::string_view bytes) {
   const std::uint32_t link = some(which);
   if (link == 0) return;
   treatment_of(link).lies = true;
   hear_on(link, bytes);
}

void fuzzed_client::hear_event(std::size_t which, std::string_view bytes) {
   std::vector<std::uint32_t> all;
   for (std::uint32_t link = 1; link <= sockets_.size(); ++link) {
      if (sockets_[link - 1].is_there() && treatment_of(link).subscribes) all.push_back(link);
   }
   if (!all.empty()) hear_on(all[which % all.size()], bytes);
}

void fuzzed_client::hear_on(std::uint32_t link, std::string_view bytes) {
   if (frozen_ || bytes.empty()) return;
   shared_.net.at(sockets_[link - 1].id).tidings.clear();
   inject(link, bytes);
   carry_out();
}

// ---- what is looked at --------------------------------------------------------------------------------------------

void fuzzed_client::tick() {
   client::tick();
   require(brain.next_deadline() > now(), "after a tick the next one is later");
}

void fuzzed_client::took(socket& s, const sim::words& w, std::string_view raw, bool handed_over) {
   client::took(s, w, raw, handed_over);
   if (sim::same_word(w[0], "SUBSCRIBE"))
      treatment_of(static_cast<std::uint32_t>(&s - sockets_.data() + 1)).subscribes = true;
}

void fuzzed_client::heard(const socket& s, value_view v) {
   if (on_reply) on_reply(s.seen.to, v);
}

void fuzzed_client::told(const any_event& e) {
   const std::string text = holdfast::to_string(e);
   require(is_one_line(text), "an event is one line", text);
}

void fuzzed_client::look() {
   if (frozen_) return;
   const auto in_time = [&](const impl::operation& op) { return op.done || op.deadline >= now(); };
   for (const auto& c : calls_) require(!c->active || in_time(c->op), "each operation ends by its deadline");
   for (const stray& s : strays_) require(in_time(s.op), "each operation ends by its deadline");
   for (std::uint32_t link = 1; link <= sockets_.size(); ++link)
      require(brain.to_write(link, sockets_[link - 1].serial).size() <= 160 * 1024,
              "the bytes to be written are bounded");
}

void fuzzed_client::heal() {
   next_name = next_connect = trouble::none;
   thaw();
   for (std::uint32_t link = 1; link <= sockets_.size(); ++link) {
      if (!sockets_[link - 1].is_there() || sockets_[link - 1].connecting) continue;
      treatment& t = treatment_of(link);
      if (t.lies) {
         lose(link, "connection reset by peer");
      } else if (std::exchange(t.held, false)) {
         client::write(link);
         client::read(link);
      }
   }
   carry_out();
}

}  // namespace holdfast::fuzz

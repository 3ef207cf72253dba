// The callers of a client: what they give it, and when.
#include "sim/client.hpp"

#include <algorithm>

namespace holdfast::sim {

void sim_client::plan_next() {
   if (stopping_) return;
   duration pause = chance_.between(settings_.pause_low, settings_.pause_high);
   if (chance_.chance(settings_.idles)) pause = chance_.between(1s, 8s);
   shared_.time.in(pause, {.a = number_, .kind = what::client_next});
}

void sim_client::next() {
   if (stopping_) return;
   if (frozen_) {
      ++planned_;
      return;
   }
   const terms t = draw_terms(false);
   if (chance_.chance(settings_.lists)) return give_list(t);
   const std::array kinds{static_cast<call_kind>(draw(settings_.kinds))};
   give(kinds, t);
}

// Its caller no longer waits for it.
void sim_client::cancel(call_number n) {
   const auto found =
      std::find_if(calls_.begin(), calls_.end(), [&](const auto& c) { return c->active && c->number == n; });
   if (found == calls_.end() || frozen_) return;
   brain.cancel((*found)->op, now());
   carry_out();
}

void sim_client::last_call() {
   stopping_ = true;
   last_ok_ = false;
   const std::array kinds{call_kind::set};
   give(kinds, draw_terms(true));
}

unsigned sim_client::draw(std::span<const unsigned> weights) {
   unsigned sum = 0;
   for (const unsigned w : weights) sum += w;
   std::uint32_t at = chance_.below(sum);
   unsigned i = 0;
   while (at >= weights[i]) at -= weights[i++];
   return i;
}

sim_client::terms sim_client::draw_terms(bool last) {
   terms t;
   t.last = last;
   if (settings_.many_callers) t.group = ++groups_;
   t.default_deadline = !settings_.deadline && !last;
   if (last)
      t.deadline = now() + 120s;
   else if (settings_.deadline)
      t.deadline = now() + *settings_.deadline;
   if (!last && chance_.chance(settings_.short_deadlines)) {
      t.default_deadline = false;
      t.deadline = now() + chance_.between(1ms, 300ms);
   }
   return t;
}

// Writes and reads of the same keys, in an order that their replies show; some of them in another database.
void sim_client::give_list(const terms& t) {
   constexpr std::size_t most = 6;
   std::array<call_kind, most> kinds;
   std::size_t n = 0;
   const bool selects = settings_.kinds[static_cast<std::size_t>(call_kind::select)] != 0 && chance_.chance(0.5);
   if (selects) kinds[n++] = call_kind::select;
   const std::size_t size = chance_.from_to(2, most - 2);
   while (n < size) {
      const bool reads = chance_.chance(0.4);
      kinds[n++] = reads ? call_kind::read : static_cast<call_kind>(draw(settings_.kinds));
   }
   kinds[n++] = call_kind::read;
   if (selects) kinds[n++] = call_kind::select;
   give(std::span(kinds).first(n), t);
}

void sim_client::give(std::span<const call_kind> kinds, const terms& t) {
   // A client that was away takes in first what came meanwhile.
   const bool was_looking = looks();
   ++active_;
   if (!was_looking) look();
   --active_;
   for (std::size_t i = 0; i < kinds.size(); ++i) {
      call& c = prepare(kinds[i], t);
      c.plans_next = !t.last && i + 1 == kinds.size();
      brain.submit(c.op, now());
      take_done();  // one that is refused
   }
   carry_out();
}

sim_client::call& sim_client::prepare(call_kind kind, const terms& t) {
   auto found = std::find_if(calls_.begin(), calls_.end(), [](const auto& c) { return !c->active; });
   if (found == calls_.end()) found = calls_.insert(calls_.end(), std::make_unique<call>());
   call& c = **found;
   c.active = true;
   ++active_;
   constexpr std::array deliveries{delivery::automatic, delivery::at_most_once, delivery::at_least_once};
   c.op = impl::operation{};
   c.op.delivery = t.last ? delivery::automatic : deliveries[draw(settings_.deliveries)];
   c.op.submitted = now();
   c.op.default_deadline = t.default_deadline;
   c.op.deadline = t.deadline;
   c.op.group = t.group;
   c.is_last = t.last;
   c.was_away = false;
   c.alone = active_ == 1 && world_.well_for() > 1500ms;
   c.number = checkers_.begins(number_, kind, c.op.delivery, t.group);
   write_commands(c, kind);
   if (!t.last && chance_.chance(settings_.cancels))
      shared_.time.in(chance_.spread(1ms, 3s), {.c = c.number, .a = number_, .kind = what::client_cancel});
   shared_.note(host_, [&] {
      return "client " + std::to_string(number_) + ": gives " + holdfast::to_string(c.commands.front()) + ", number " +
             std::to_string(c.number);
   });
   c.op.commands = c.commands;
   c.op.results = c.results.data();
   return c;
}

void sim_client::write_commands(call& c, call_kind k) {
   const auto named = [&](char kind) { return kind + std::to_string(number_); };
   c.commands.clear();
   switch (k) {
      case call_kind::add: c.commands.push_back({"INCRBY", named('c'), c.number}); break;
      case call_kind::push: c.commands.push_back({"RPUSH", named('l'), c.number}); break;
      case call_kind::set: c.commands.push_back({"SET", named('s'), c.number}); break;
      case call_kind::get: c.commands.push_back({"GET", named('s')}); break;
      case call_kind::echo: c.commands.push_back({"ECHO", c.number}); break;
      case call_kind::set_once: c.commands.push_back({"SETNX", named('n'), c.number}); break;
      case call_kind::read: c.commands.push_back({"MGET", named('s'), named('c'), named('n'), c.number}); break;
      case call_kind::select: {
         const unsigned database = chance_.below(2);
         checkers_.selects(c.number, database);
         c.commands.push_back({"SELECT", database});
         break;
      }
      case call_kind::transaction:
      case call_kind::reading:
         c.commands.push_back({"MULTI"});
         c.commands.push_back({"INCRBY", named('c'), c.number});
         if (k == call_kind::reading) c.commands.push_back({"MGET", named('s'), named('c'), c.number});
         c.commands.push_back({"RPUSH", named('l'), c.number});
         c.commands.push_back({"EXEC"});
         break;
   }
}

}  // namespace holdfast::sim

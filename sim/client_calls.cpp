// The callers of a client: what they give it, and when.
#include "sim/client.hpp"

#include <algorithm>

namespace holdfast::sim {

void sim_client::plan_next() {
   if (stopping_) return;
   duration pause = chance_.between(settings_.pause_low, settings_.pause_high);
   if (chance_.chance(settings_.idles)) pause = chance_.between(1s, 8s);
   fabric_.time.in(pause, {.a = number_, .kind = what::client_next});
}

void sim_client::next() {
   if (stopping_) return;
   if (frozen_) {
      ++planned_;
      return;
   }
   give(false);
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
   give(true);
}

void sim_client::give(bool last) {
   auto found = std::find_if(calls_.begin(), calls_.end(), [](const auto& c) { return !c->active; });
   if (found == calls_.end()) found = calls_.insert(calls_.end(), std::make_unique<call>());
   call& c = **found;
   // A client that was away takes in first what came meanwhile.
   const bool was_looking = looks();
   c.active = true;
   ++active_;
   if (!was_looking) look();

   const auto draw = [&](const auto& weights) {
      unsigned sum = 0;
      for (const unsigned w : weights) sum += w;
      std::uint32_t at = chance_.below(sum);
      std::uint32_t i = 0;
      while (at >= weights[i]) at -= weights[i++];
      return i;
   };
   const auto kind = last ? call_kind::set : static_cast<call_kind>(draw(settings_.kinds));
   constexpr std::array deliveries{delivery::automatic, delivery::at_most_once, delivery::at_least_once};
   c.op = lane::operation{};
   c.op.promise = last ? delivery::automatic : deliveries[draw(settings_.deliveries)];
   c.op.submitted = now();
   c.op.default_deadline = !settings_.deadline && !last;
   if (last)
      c.op.deadline = now() + 120s;
   else if (settings_.deadline)
      c.op.deadline = now() + *settings_.deadline;
   if (!last && chance_.chance(settings_.short_deadlines)) {
      c.op.default_deadline = false;
      c.op.deadline = now() + chance_.between(1ms, 300ms);
   }
   c.is_last = last;
   c.was_away = false;
   c.alone = active_ == 1 && world_.well_for() > 1500ms;
   c.number = checkers_.begins(number_, kind, c.op.promise);
   write_commands(c, kind);
   if (!last && chance_.chance(settings_.cancels))
      fabric_.time.in(chance_.spread(1ms, 3s), {.c = c.number, .a = number_, .kind = what::client_cancel});
   fabric_.note(host_, [&] {
      return "client " + std::to_string(number_) + ": gives " + holdfast::to_string(c.commands.front()) + ", number " +
             std::to_string(c.number);
   });
   c.op.commands = c.commands;
   c.op.results = c.results.data();
   brain.submit(c.op, now());
   carry_out();
}

void sim_client::write_commands(call& c, call_kind k) {
   char key[16];
   const auto named = [&](char kind) {
      const auto end = std::to_chars(key + 1, key + sizeof key, number_).ptr;
      key[0] = kind;
      return std::string_view(key, static_cast<std::size_t>(end - key));
   };
   c.commands.clear();
   switch (k) {
      case call_kind::add: c.commands.push_back({"INCRBY", named('c'), c.number}); break;
      case call_kind::push: c.commands.push_back({"RPUSH", named('l'), c.number}); break;
      case call_kind::set: c.commands.push_back({"SET", named('s'), c.number}); break;
      case call_kind::get: c.commands.push_back({"GET", named('s')}); break;
      case call_kind::echo: c.commands.push_back({"ECHO", c.number}); break;
      case call_kind::set_once: c.commands.push_back({"SETNX", named('n'), c.number}); break;
      case call_kind::transaction:
         c.commands.push_back({"MULTI"});
         c.commands.push_back({"INCRBY", named('c'), c.number});
         c.commands.push_back({"RPUSH", named('l'), c.number});
         c.commands.push_back({"EXEC"});
         break;
   }
}

}  // namespace holdfast::sim

#include "sim/world/client.hpp"

#include <algorithm>

namespace holdfast::sim {

client::call& client::prepare(call_kind kind, delivery promise, const terms& t, unsigned database) {
   auto found = std::find_if(calls_.begin(), calls_.end(), [](const auto& c) { return !c->active; });
   if (found == calls_.end()) found = calls_.insert(calls_.end(), std::make_unique<call>());
   call& c = **found;
   c.active = true;
   ++active_;
   c.op = impl::operation{};
   c.op.delivery = promise;
   c.op.submitted = now();
   c.op.default_deadline = t.default_deadline;
   c.op.deadline = t.deadline;
   c.op.group = t.group;
   c.is_last = t.last;
   c.was_away = frozen_;
   c.alone = active_ == 1 && world_.well_for() > 1500ms;
   c.number = checkers_.begins(number_, kind, promise, t.group);
   write_commands(c, kind, database);
   shared_.note(host(), [&] {
      return "client " + std::to_string(number_) + ": gives " + holdfast::to_string(c.commands.front()) + ", number " +
             std::to_string(c.number);
   });
   c.op.commands = c.commands;
   c.op.results = c.results.data();
   return c;
}

void client::write_commands(call& c, call_kind k, unsigned database) const {
   const auto named = [&](char kind) { return kind + std::to_string(number_); };
   c.commands.clear();
   switch (k) {
      case call_kind::get: c.commands.push_back({"GET", named('s')}); break;
      case call_kind::echo: c.commands.push_back({"ECHO", c.number}); break;
      case call_kind::read: c.commands.push_back({"MGET", named('s'), named('c'), named('n'), c.number}); break;
      case call_kind::select:
         checkers_.selects(c.number, database);
         c.commands.push_back({"SELECT", database});
         break;
      case call_kind::transaction:
      case call_kind::reading:
         c.commands.push_back({"MULTI"});
         c.commands.push_back({"INCRBY", named('c'), c.number});
         if (k == call_kind::reading) c.commands.push_back({"MGET", named('s'), named('c'), c.number});
         c.commands.push_back({"RPUSH", named('l'), c.number});
         c.commands.push_back({"EXEC"});
         break;
      default: c.commands.push_back({to_string(k), named(rule_of(k).writes.front()), c.number}); break;
   }
}

client::call* client::find_active(call_number n) {
   const auto found =
      std::find_if(calls_.begin(), calls_.end(), [&](const auto& c) { return c->active && c->number == n; });
   return found == calls_.end() ? nullptr : found->get();
}

void client::cancel(call& c) {
   const call_number n = c.number;
   brain.cancel(c.op, now());
   carry_out();
   checkers_.cancelled(n);
}

void client::finished(impl::operation& op) {
   const auto found = std::find_if(calls_.begin(), calls_.end(), [&](const auto& c) { return &c->op == &op; });
   if (found == calls_.end() || !(*found)->active) return checkers_.broken("an operation came back that nobody gave");
   call& c = **found;
   c.active = false;
   --active_;
   checkers_.completed(c.number, c.answers(),
                       {.deadline = c.op.deadline,
                        .was_away = c.was_away,
                        .could_be_written = wrote_at_ >= c.op.submitted,
                        .partly_sent = is_partly_sent(),
                        .all_was_well_for = world_.well_for()});
   const result<value>& last = c.answers().back();
   if (last) world_.answered(number_);
   shared_.note(host(), [&] {
      return "client " + std::to_string(number_) + ": number " + std::to_string(c.number) +
             " ends: " + (last ? holdfast::to_string(*last) : last.error().what());
   });
   ended(c);
}

void client::freeze() {
   runtime::freeze();
   mark_away();
}

void client::thaw() {
   if (frozen_) mark_away();
   runtime::thaw();
}

void client::mark_away() {
   for (const auto& c : calls_) c->was_away = c->was_away || c->active;
}

}  // namespace holdfast::sim

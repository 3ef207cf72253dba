// Time in an engine_world, what is looked at as it passes, and the end.
#include "fuzz/engine_world.hpp"

#include <algorithm>

namespace holdfast::fuzz {

void engine_world::tick() {
   dials_at_once_ = 0;
   subject_->tick(now_);
   require(subject_->next_deadline() > now_, "after a tick the next one is later");
   carry_out();
   for (const call& c : calls_) require(c.ended || c.op.deadline > now_, "each operation ends by its deadline");
}

void engine_world::pass(duration d) {
   const time_point end = now_ + d;
   while (subject_->next_deadline() <= end) {
      now_ = std::max(now_, subject_->next_deadline());
      tick();
   }
   now_ = end;
}

void engine_world::look() {
   require(subject_->lane().queued() <= settings_.limits.parked_commands + settings_.limits.in_flight,
           "what waits is bounded");
   require(subject_->lane().in_flight() <= settings_.limits.in_flight + 1, "what is in flight is bounded");
   if (const auto* const watch = subject_->watch()) {
      require(watch->hold_writes_until() <= now_ + settings_.hold_on_selected,
              "writes are not held for longer than wanted");
      require(watch->link_count() <= 2 * watch->sentinels().size() + nodes_.size() + 1,
              "one connection to each server");
   }
   for (const auto& [id, c] : live_) {
      if (c->is == connection::state::open)
         require(subject_->to_write(id, c->serial).size() <= 160 * 1024, "the bytes to be written are bounded");
   }
}

// Everybody does at once what is to be done; whether there was anything.
bool engine_world::settle() {
   bool moved = false;
   std::vector<connection_ptr> all;
   for (const auto& [id, c] : live_) all.push_back(c);
   for (const auto& c : all) {
      const auto is_live = [&] { return live_.contains(c->link) && live_[c->link] == c; };
      if (!is_live()) continue;
      if (c->is == connection::state::resolving) {
         if (!held_names_) continue;
         moved = true;
         subject_->resolved(c->link, c->serial, {c->where}, {}, now_);
         carry_out();
      }
      if (is_live() && c->is == connection::state::connecting) {
         moved = true;
         open(c, true);
      }
      if (!is_live() || c->is != connection::state::open) continue;
      moved = moved || !subject_->to_write(c->link, c->serial).empty() || !c->unread.empty() || !c->replies.empty();
      accept(*c, std::string::npos);
      while (!c->unread.empty()) serve(*c);
      if (is_live()) deliver(*c, c->replies.size());
   }
   return moved;
}

// All faults end, and everybody works: then each caller is answered, and the client works, too.
void engine_world::heal() {
   for (auto& [where, n] : nodes_) n = {.role = where == master_ ? "master" : "slave", .gate = 0};
   if (!settings_.server.empty()) nodes_[node_a].role = "master";
   std::vector<connection_ptr> liars;
   for (const auto& [id, c] : live_)
      if (c->lying) liars.push_back(c);
   for (const auto& c : liars)
      if (live_.contains(c->link) && live_[c->link] == c) cut(*c, true);
   const auto everybody_works = [&](duration limit, bool to_the_end = false) {
      const time_point end = now_ + limit;
      for (unsigned n = 0; (to_the_end || active_ != 0) && now_ < end; ++n) {
         require(n < 20'000, "time goes on");
         if (settle()) continue;
         now_ = std::max(now_, std::min(subject_->next_deadline(), end));
         tick();
      }
   };
   everybody_works(120s);
   require(active_ == 0 || polluted_, "in a healed world each operation ends");
   for (const auto& c : gone_)
      while (!c->dead && !c->unread.empty()) serve(*c);
   for (const call& c : calls_) {
      if (c.excused || c.repeats || c.what != kind::push) continue;
      require(c.runs <= 1, "what is not to be repeated runs once");
   }
   const bool may_fail = polluted_ || settings_.breaker || settings_.resend.budget.ratio == 0;
   if (may_fail) return;
   everybody_works(11s, true);  // what those before have spent of the retry budget is there again
   call& last = calls_.emplace_back();
   last.commands.push_back({"SET", "k", "last"});
   last.results.resize(1);
   last.op.commands = last.commands;
   last.op.results = last.results.data();
   last.op.submitted = now_;
   last.op.deadline = now_ + 30s;
   last.excused = true;
   ++active_;
   subject_->submit(last.op, now_);
   carry_out();
   everybody_works(31s);
   require(last.ended, "in a healed world each operation ends");
   if (!last.results[0]) throw broken_promise("a healed world comes back: " + last.results[0].error().what());
   require(subject_->lane().idle(), "nothing is left");
   if (lists_replicas_) look_at_master();
}

}  // namespace holdfast::fuzz

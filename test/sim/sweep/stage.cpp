#include "sim/sweep/stage.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::sim::sweep {

stage::stage(const scenario& s, const std::vector<injection>& injections)
   : scenario_(s), injections_(injections), shared_(7, *this, *this), checkers_(shared_.time, shared_.past) {
   checkers_.begin_in(s.db);
   build();
}

void stage::build() {
   shared_.net.settings = {.latency = 200us, .jitter = {}, .chunking = 0, .send_buffer = 0, .loss = 0};
   std::uint32_t site = 0;
   std::vector<host_id> replicas;
   std::vector<host_id> watchers;
   for (unsigned i = 0; i <= scenario_.replicas; ++i) {
      const host_id h = shared_.net.add_host(site++);
      servers_.push_back(std::make_unique<redis_model>(shared_, h));
      servers_.back()->settings.password = scenario_.password;
      servers_.back()->settings.knows_hello = scenario_.knows_hello;
      servers_.back()->settings.allows_kill = scenario_.allows_kill;
      shared_.servers.push_back(servers_.back().get());
      shared_.sentinels.push_back(nullptr);
      if (i != 0) replicas.push_back(h);
   }
   for (unsigned i = 0; scenario_.sentinels && i < 3; ++i) {
      const host_id h = shared_.net.add_host(site++);
      sentinels_.push_back(std::make_unique<sentinel_model>(shared_, h, sentinel_settings{}));
      shared_.servers.push_back(nullptr);
      shared_.sentinels.push_back(sentinels_.back().get());
      watchers.push_back(h);
   }
   for (const host_id r : replicas) shared_.servers[r]->follow_at_start(0);
   for (const auto& s : sentinels_) s->begin(0, replicas, watchers, 1, false);
   host_ = shared_.net.add_host(site);
   shared_.servers.push_back(nullptr);
   shared_.sentinels.push_back(nullptr);
   brain_ = std::make_unique<impl::engine>(settings(), 11);
}

config stage::settings() const {
   config c;
   c.cutover = cutover::confirmed;
   for (const auto& s : sentinels_) c.sentinels.push_back({address_of_host(s->host()), 26379});
   if (scenario_.sentinels)
      c.master = "mymaster";
   else
      c.server = {address_of_host(0), 6379};
   c.password = scenario_.password;
   c.db = scenario_.db;
   c.client_name = scenario_.client_name;
   c.observer = [](const any_event&) {};
   return c;
}

// ---- the course of things -----------------------------------------------------------------------------------------

report stage::run() {
   if (scenario_.first_is_stale) miss_a_failover();
   if (scenario_.warm) {
      give({call_kind::set, delivery::automatic}, {});
      carry_out();
      if (!run_till_done(20s)) checkers_.broken("the warm-up did not end");
      run_for(100ms);
   }
   run_for(scenario_.idle);
   unwell_for({});
   sweeping_ = true;
   for (const given& g : scenario_.swept) give(g, {});
   carry_out();
   bool given_all = scenario_.newer.empty();
   later(10ms, [&] {
      for (const given& g : scenario_.newer) give(g, {});
      given_all = true;
      carry_out();
   });
   run_for(10ms);
   if (!run_till_done(90s) || !given_all) checkers_.broken("a command never ended");
   sweeping_ = false;
   run_until(std::max(now(), unwell_until_) + 300ms);
   for (unsigned i = 0; i < 300 && master() == nullptr; ++i) run_for(100ms);
   call& last = give({call_kind::set, delivery::automatic}, 60s);
   carry_out();
   run_till_done(61s);
   run_for(50ms);
   judge();
   report r;
   r.last_one_ok = last.results[0].has_value();
   if (!r.last_one_ok) checkers_.broken("the last command failed: " + std::string(last.results[0].error().what()));
   for (const auto& v : checkers_.violations()) r.violations.push_back(v.what);
   r.steps = std::move(steps_);
   r.calls = checkers_.seen();
   r.resent = resent_;
   return r;
}

// The first Sentinel is asleep while the others give the master's place to the replica; and still when it is asked.
void stage::miss_a_failover() {
   run_for(3s);
   const host_id first = sentinels_.front()->host();
   for (host_id h = 0; h < host_; ++h) {
      if (h == first) continue;
      shared_.net.block(shared_.net.site_of(first), shared_.net.site_of(h), true);
      shared_.net.block(shared_.net.site_of(h), shared_.net.site_of(first), true);
   }
   sentinels_[1]->fail_over();
   run_for(6s);
   unwell_for(1s);
   later(800ms, [this, first] {
      for (host_id h = 0; h < host_; ++h) {
         shared_.net.block(shared_.net.site_of(first), shared_.net.site_of(h), false);
         shared_.net.block(shared_.net.site_of(h), shared_.net.site_of(first), false);
      }
   });
}

void stage::run_until(time_point t) {
   while (!shared_.time.empty() && shared_.time.next() <= t) handle(shared_.time.take());
   shared_.time.pass_until(t);
}

bool stage::run_till_done(duration most) {
   const time_point end = now() + most;
   while (active_ != 0 && !shared_.time.empty() && shared_.time.next() <= end) handle(shared_.time.take());
   return active_ == 0;
}

void stage::handle(const event& e) {
   switch (e.kind) {
      case what::syn:
      case what::syn_ack:
      case what::segment: return shared_.net.on(e);
      case what::turn:
         if (shared_.servers[e.a] != nullptr) return shared_.servers[e.a]->turn();
         return shared_.sentinels[e.a]->turn(e.c);
      case what::message: return shared_.on_message(e);
      case what::sync_done: return shared_.servers[e.a]->on_sync_done(e.c);
      case what::replica_cron: return shared_.servers[e.a]->on_cron();
      case what::unpaused: return shared_.servers[e.a]->on_unpaused();
      case what::sentinel_timer: return shared_.sentinels[e.a]->on_timer(e.c);
      case what::client_timer: return on_timer(e.c);
      case what::client_next: return std::exchange(thunks_[e.c], {})();
      default: return;
   }
}

void stage::later(duration d, std::function<void()> f) {
   thunks_.push_back(std::move(f));
   shared_.time.in(d, {.c = thunks_.size() - 1, .kind = what::client_next});
}

void stage::ran(host_id h, const words& w, const execution& x) { checkers_.ran(h, w, x); }

// ---- the callers --------------------------------------------------------------------------------------------------

stage::call& stage::give(const given& g, std::optional<duration> deadline) {
   call& c = calls_.emplace_back();
   c.what = g;
   c.active = true;
   c.was_away = asleep_;
   ++active_;
   c.op.delivery = g.promise;
   c.op.submitted = now();
   c.op.default_deadline = !deadline;
   if (deadline) c.op.deadline = now() + *deadline;
   c.number = checkers_.begins(0, g.kind, g.promise);
   switch (g.kind) {
      case call_kind::add: c.commands.push_back({"INCRBY", "c", c.number}); break;
      case call_kind::push: c.commands.push_back({"RPUSH", "l", c.number}); break;
      case call_kind::set: c.commands.push_back({"SET", "s", c.number}); break;
      case call_kind::get: c.commands.push_back({"GET", "s"}); break;
      case call_kind::echo: c.commands.push_back({"ECHO", c.number}); break;
      case call_kind::set_once: c.commands.push_back({"SETNX", "n", c.number}); break;
      case call_kind::read: c.commands.push_back({"MGET", "s", c.number}); break;
      case call_kind::select: c.commands.push_back({"SELECT", 0}); break;
      case call_kind::transaction:
      case call_kind::reading:
         c.commands.push_back({"MULTI"});
         c.commands.push_back({"INCRBY", "c", c.number});
         c.commands.push_back({"RPUSH", "l", c.number});
         c.commands.push_back({"EXEC"});
         break;
   }
   c.op.commands = c.commands;
   c.op.results = c.results.data();
   brain_->submit(c.op, now());
   return c;
}

// ---- the judgement ------------------------------------------------------------------------------------------------

duration stage::well_for() const {
   return scenario_.sentinels || now() < unwell_until_ ? duration{} : now() - unwell_until_;
}

redis_model* stage::master() const {
   if (sentinels_.empty()) return servers_.front().get();
   for (const auto& s : servers_) {
      const auto names_it = [&](const auto& w) { return w->named() == s->host(); };
      if (std::all_of(sentinels_.begin(), sentinels_.end(), names_it) && s->is_master()) return s.get();
   }
   return nullptr;
}

// Whatever happened: at the end all is as before, and nothing is left over.
void stage::judge() {
   const redis_model* const m = master();
   if (m == nullptr) return checkers_.broken("the Sentinels do not agree in the end");
   checkers_.final_history(m->where());
   judge_calls();
   const impl::command_lane& l = brain_->lane();
   if (!l.idle() || l.in_flight() != 0 || l.queued() != 0) checkers_.broken("commands are left over");
   if (!l.connection().ready()) checkers_.broken("the lane is not connected in the end");
   std::size_t open = 0;
   std::size_t to_master = 0;
   for (const socket& s : sockets_) {
      open += s.open;
      to_master += s.open && s.host == m->host();
   }
   const std::size_t asking = brain_->watch() == nullptr ? 0 : brain_->watch()->link_count();
   if (open > 1 + asking) checkers_.broken(std::to_string(open) + " connections are left open");
   if (to_master != 1) checkers_.broken(std::to_string(to_master) + " connections to the master in the end");
   if (m->clients() > to_master + unnoticed_)
      checkers_.broken("the master holds " + std::to_string(m->clients()) + " connections in the end");
   if (brain_->next_deadline() <= now()) checkers_.broken("a timer is armed in the past");
   if (scenario_.sentinels) return;
   // The deadlines of commands that are done may still ring, once; then there is nothing to wait for.
   run_for(61s);
   if (brain_->next_deadline() != never) checkers_.broken("a timer is armed in the end");
}

// Whether it is waited out. Not some errors; and who is answered nonsense at the first connection ever, or refused, is
// told at once.
bool stage::passes(const injection& f) const {
   if (f.what == fault::turned_away && !error_replies[f.at].passes) return false;
   if (scenario_.warm || f.step >= steps_.size() || steps_[f.step].is != step::kind::reply) return true;
   return steps_[f.step].of_call ||
          (f.what != fault::turned_away && f.what != fault::garbage && f.what != fault::twice);
}

// What may have run is sent again only where that is promised; what has run leaves its mark as often as it ran.
void stage::judge_calls() {
   const bool refuses_fence = std::any_of(injections_.begin(), injections_.end(),
                                          [](const injection& f) { return f.what == fault::turned_away; });
   const bool waited_out =
      std::all_of(injections_.begin(), injections_.end(), [this](const injection& f) { return passes(f); });
   for (const call& c : calls_) {
      const std::string name = std::string(to_string(c.what.kind)) + " number " + std::to_string(c.number) + " (" +
                               std::string(holdfast::to_string(c.what.promise)) + ")";
      const bool repeatable = c.what.promise == delivery::at_least_once ||
                              (c.what.promise == delivery::automatic && repeats_harmlessly(c.what.kind));
      if (!repeatable && c.whole > c.refused + 1)
         checkers_.broken(name + " was sent " + std::to_string(c.whole) + " times");
      const result<value>& last = c.results[c.commands.size() - 1];
      if (last) continue;
      const auto says = [&](std::string_view why) {
         const auto& causes = last.error().causes;
         return std::any_of(causes.begin(), causes.end(), [&](const auto& cause) { return cause.starts_with(why); });
      };
      const bool overtaken = says("not sent again: a newer command");
      const bool unfenced = says("not fenced: ") && (refuses_fence || !scenario_.allows_kill);
      if (waited_out && !overtaken && last.error().outcome != outcome::unknown)
         checkers_.broken(name + " was not waited out: " + last.error().what());
      if (overtaken || unfenced) continue;
      if (repeatable && last.error().outcome == outcome::unknown && c.refused == 0 && now() < c.op.deadline + 1s)
         checkers_.broken(name + " may be repeated, and was not: " + last.error().what());
      if (last.error().outcome == outcome::unknown && c.whole == 0)
         checkers_.broken(name + " is called unknown, and was never sent");
   }
}

report run(const scenario& s, const std::vector<injection>& injections) { return stage(s, injections).run(); }

}  // namespace holdfast::sim::sweep

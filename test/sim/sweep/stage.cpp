#include "sim/sweep/stage.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::sim::sweep {

stage::stage(const scenario& s, const std::vector<injection>& injections)
   : deployment(7), scenario_(s), injections_(injections), checkers_(shared_.time, shared_.past) {
   checkers_.begin_in(s.db);
   shared_.net.settings = {.latency = 200us, .jitter = {}, .chunking = 0, .send_buffer = 0, .loss = 0};
   redis_settings of_servers;
   of_servers.password = s.password;
   of_servers.knows_hello = s.knows_hello;
   of_servers.allows_kill = s.allows_kill;
   add_servers(1 + s.replicas, of_servers);
   if (s.sentinels) add_sentinels(3, {});
   begin(1);
   const host_id host = add_client();
   client_ = std::make_unique<swept_client>(shared_, checkers_, static_cast<runtime_user&>(*this),
                                            static_cast<stage_hand&>(*this), host, settings(), scenario_);
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
      client_->give({call_kind::set, delivery::automatic}, {});
      if (!run_till_done(20s)) checkers_.broken("the warm-up did not end");
      run_for(100ms);
   }
   run_for(scenario_.idle);
   unwell_for({});
   sweeping_ = true;
   client_->give(scenario_.swept);
   bool given_all = scenario_.newer.empty();
   later(10ms, [&] {
      client_->give(scenario_.newer);
      given_all = true;
   });
   run_for(10ms);
   if (!run_till_done(90s) || !given_all) checkers_.broken("a command never ended");
   sweeping_ = false;
   run_until(std::max(now(), unwell_until_) + 300ms);
   for (unsigned i = 0; i < 300 && rightful_master() == nullptr; ++i) run_for(100ms);
   const call_number last = client_->give({call_kind::set, delivery::automatic}, 60s);
   run_till_done(61s);
   run_for(50ms);
   judge();
   report r;
   const auto& fate = client_->fates()[last];
   r.last_one_ok = fate.done && !fate.failed;
   if (fate.failed) checkers_.broken("the last command failed: " + std::string(fate.failed->what()));
   for (const auto& v : checkers_.violations()) r.violations.push_back(v.what);
   r.steps = std::move(steps_);
   return r;
}

// The first Sentinel is cut off while the others give the master's place to the replica; and still when it is asked.
void stage::miss_a_failover() {
   run_for(3s);
   const host_id first = sentinels_.front()->host();
   cut_off(first, true, false, true);
   sentinels_[1]->fail_over();
   run_for(6s);
   unwell_for(1s);
   later(800ms, [this, first] { cut_off(first, true, false, false); });
}

bool stage::run_till_done(duration most) {
   const time_point end = now() + most;
   while (!client_->at_rest() && !shared_.time.empty() && shared_.time.next() <= end) handle(shared_.time.take());
   return client_->at_rest();
}

void stage::handle(const event& e) {
   switch (e.kind) {
      case what::client_timer: return client_->on_timer(e.c);
      case what::client_next: return std::exchange(thunks_[e.c], {})();
      default: return serve(e);
   }
}

void stage::later(duration d, std::function<void()> f) {
   thunks_.push_back(std::move(f));
   shared_.time.in(d, {.c = thunks_.size() - 1, .kind = what::client_next});
}

// ---- what strikes -------------------------------------------------------------------------------------------------

// What strikes a process strikes before the step, which then takes its course.
const injection* stage::meet(const step& s) {
   if (!sweeping_) return nullptr;
   const std::size_t number = steps_.size();
   steps_.push_back(s);
   const injection* found = nullptr;
   for (const injection& f : injections_) {
      if (f.step != number) continue;
      unwell_for(1s);
      if (f.what != fault::turned_away && !strikes_process(f, s)) found = &f;
   }
   return found;
}

bool stage::strikes_process(const injection& f, const step& s) {
   switch (f.what) {
      case fault::server_frozen: freeze(s.host, std::chrono::milliseconds(f.at)); return true;
      case fault::server_frozen_unnoticed: freeze(s.host, 1500ms); return false;
      case fault::server_restarted: restart(s.host); return true;
      case fault::server_paused:
         servers_[s.host]->pause_clients(500ms, true);
         unwell_for(500ms);
         return true;
      case fault::client_asleep: fall_asleep(3s); return true;
      default: return false;
   }
}

void stage::freeze(host_id h, duration d) {
   if (!shared_.net.works(h)) return;
   unwell_for(d + 1s);
   freezes(h);
   later(d, [this, h] { thaws(h); });
}

void stage::restart(host_id h) {
   unwell_for(1100ms);
   // The engine learns of it as of all else: not from within its own call.
   later({}, [this, h] {
      if (!shared_.net.works(h)) return;
      process_dies(h, condition::dead);
      later(100ms, [this, h] { process_starts(h); });
   });
}

void stage::fall_asleep(duration d) {
   client_->freeze();
   unwell_for(d + 1s);
   later(d, [this] { client_->thaw(); });
}

std::string_view stage::refusal(connection_id id, const words&) {
   const std::uint32_t dial = client_->dial_of(id);
   if (looked_at_.size() <= dial) looked_at_.resize(dial + 1);
   const std::uint32_t number = looked_at_[dial]++;
   const auto meant = [&](const injection& f) {
      return f.what == fault::turned_away && f.dial == dial && f.number == number;
   };
   const auto found = std::find_if(injections_.begin(), injections_.end(), meant);
   return found == injections_.end() ? std::string_view() : error_replies[found->at].text;
}

// ---- the judgement ------------------------------------------------------------------------------------------------

duration stage::well_for() { return scenario_.sentinels || now() < unwell_until_ ? duration{} : now() - unwell_until_; }

// Whatever happened: at the end all is as before, and nothing is left over.
void stage::judge() {
   const redis_model* const m = rightful_master();
   if (m == nullptr) return checkers_.broken("the Sentinels do not agree in the end");
   checkers_.final_history(m->where());
   if (scenario_.db == 0) checkers_.final_data(m->where(), m->data());
   const auto& fates = client_->fates();
   for (std::size_t n = 1; n < fates.size(); ++n) {
      const given& g = fates[n].what;
      judge_call(fates[n], std::string(to_string(g.kind)) + " number " + std::to_string(n) + " (" +
                              std::string(holdfast::to_string(g.promise)) + ")");
   }
   const impl::engine& brain = client_->brain;
   const impl::command_lane& l = brain.lane();
   if (!l.idle() || l.in_flight() != 0 || l.queued() != 0) checkers_.broken("commands are left over");
   if (!l.connection().ready()) checkers_.broken("the lane is not connected in the end");
   const std::size_t to_master = client_->open_connections(m->host());
   const std::size_t asking = brain.watch() == nullptr ? 0 : brain.watch()->link_count();
   if (client_->open_connections() > 1 + asking)
      checkers_.broken(std::to_string(client_->open_connections()) + " connections are left open");
   if (to_master != 1) checkers_.broken(std::to_string(to_master) + " connections to the master in the end");
   if (m->clients() > to_master + client_->unnoticed())
      checkers_.broken("the master holds " + std::to_string(m->clients()) + " connections in the end");
   if (brain.next_deadline() <= now()) checkers_.broken("a timer is armed in the past");
   if (scenario_.sentinels) return;
   // The deadlines of commands that are done may still ring, once; then there is nothing to wait for.
   run_for(61s);
   if (brain.next_deadline() != never) checkers_.broken("a timer is armed in the end");
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
void stage::judge_call(const swept_client::fate& c, const std::string& name) {
   const bool refuses_fence = std::any_of(injections_.begin(), injections_.end(),
                                          [](const injection& f) { return f.what == fault::turned_away; });
   const bool waited_out =
      std::all_of(injections_.begin(), injections_.end(), [this](const injection& f) { return passes(f); });
   const bool repeatable = c.what.promise == delivery::at_least_once ||
                           (c.what.promise == delivery::automatic && repeats_harmlessly(c.what.kind));
   if (!repeatable && c.whole > c.refused + 1)
      checkers_.broken(name + " was sent " + std::to_string(c.whole) + " times");
   if (!c.failed) return;
   const error& e = *c.failed;
   const auto says = [&](std::string_view why) {
      return std::any_of(e.causes.begin(), e.causes.end(), [&](const auto& cause) { return cause.starts_with(why); });
   };
   const bool overtaken = says("not sent again: a newer command");
   const bool unfenced = says("not fenced: ") && (refuses_fence || !scenario_.allows_kill);
   if (waited_out && !overtaken && e.outcome != outcome::unknown)
      checkers_.broken(name + " was not waited out: " + e.what());
   if (overtaken || unfenced) return;
   if (repeatable && e.outcome == outcome::unknown && c.refused == 0 && now() < c.deadline + 1s)
      checkers_.broken(name + " may be repeated, and was not: " + e.what());
   if (e.outcome == outcome::unknown && c.whole == 0) checkers_.broken(name + " is called unknown, and was never sent");
}

report run(const scenario& s, const std::vector<injection>& injections) { return stage(s, injections).run(); }

}  // namespace holdfast::sim::sweep

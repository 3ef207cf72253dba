#include "fuzz/engine_world.hpp"

#include <algorithm>
#include <array>

namespace holdfast::fuzz {
namespace {

constexpr duration most_time = 60s;
constexpr unsigned most_calls = 300;
constexpr sim::network_settings quiet{.latency = 200us, .jitter = 50us, .chunking = 0};
constexpr std::array deliveries{delivery::automatic, delivery::at_most_once, delivery::at_least_once};

constexpr std::string_view refusals[] = {
   "READONLY You can't write against a read only replica.",
   "LOADING Redis is loading the dataset in memory",
   "NOREPLICAS Not enough good replicas to write.",
   "OOM command not allowed when used memory > 'maxmemory'.",
   "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
   "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
   "NOPERM User default has no permissions to run this command",
   "NOAUTH Authentication required.",
   "TRYAGAIN Multiple keys request during rehashing of slot",
   "ERR max number of clients reached",
};

}  // namespace

// The first bytes say which servers there are and what the client is told.
engine_world::engine_world(input& in)
   : deployment(in.byte()), in_(in), checkers_(shared_.time, shared_.past), settings_(draw_settings()) {
   shared_.net.settings = quiet;
   checkers_.limits = sim::limits_of(settings_);
   checkers_.begin_in(settings_.db);
   begin(1);
   const sim::host_id host = add_client();
   client_ = std::make_unique<fuzzed_client>(shared_, checkers_, static_cast<sim::runtime_user&>(*this), 0, host,
                                             settings_, in_.byte());
   refusing_.resize(client_site_);
}

config engine_world::draw_settings() {
   config c;
   const std::uint8_t bits = in_.byte();
   const bool has_sentinels = !in_.one_in(3);
   add_servers(has_sentinels ? 2U + static_cast<unsigned>(in_.below(2)) : 1U, {});
   if (has_sentinels) {
      add_sentinels(3, {});
      const std::size_t known = in_.one_in(4) ? 1 : 3;
      for (std::size_t i = 0; i != known; ++i)
         c.sentinels.push_back({sim::address_of_host(sentinels_[i]->host()), 26379});
      c.master = "mymaster";
   } else {
      c.server = {in_.one_in(2) ? "redis.example" : sim::address_of_host(0), 6379};
   }
   if (bits & 1) c.breaker.emplace();
   if (bits & 2) c.limits.in_flight = 2;
   if (bits & 4) c.resend.max_resends = 1;
   if (bits & 8) c.deadline = 700ms;
   if (bits & 16) c.limits.parked_commands = 3;
   if (bits & 32) c.resend.budget = {.ratio = 0, .per_second = 0};
   if (bits & 64) c.reconnect_spread = 50ms;
   if (bits & 128) c.db = 1;
   const std::uint8_t more = in_.byte();
   c.warm_replicas = !(more & 1);
   c.follow_role_hint = more & 2;
   if (more & 4) c.cutover = cutover::confirmed;
   if (more & 8) c.hold_on_selected = {};
   c.limits.reply_bytes = 1 << 16;
   c.limits.reply_elements = 1 << 12;
   c.observer = [](const any_event&) {};
   require(validate(c).has_value(), "the settings are sound");
   return c;
}

std::vector<endpoint> engine_world::resolve(const endpoint& e) {
   if (e.host == "redis.example") return {{sim::address_of_host(0), e.port}};
   return {e};
}

void engine_world::run() {
   for (unsigned steps = 0; !in_.empty() && steps != 1500; ++steps) {
      step();
      look();
   }
   heal();
   silence();
}

void engine_world::handle(const sim::event& e) {
   if (e.kind == sim::what::client_timer) return client_->on_timer(e.c);
   serve(e);
}

// ---- what the input does ------------------------------------------------------------------------------------------

void engine_world::step() {
   const auto what = in_.below(32);
   if (what < 6) return submit();
   if (what == 6) return client_->cancel(in_.byte());
   if (what < 9) return pass(in_.byte() * 20us);
   if (what < 11) return pass(in_.byte() * 1ms);
   if (what == 11) return pass(in_.byte() * 20ms);
   return what < 20 ? step_of_client(what) : step_of_servers(what);
}

void engine_world::step_of_client(std::size_t what) {
   using trouble = fuzzed_client::trouble;
   switch (what) {
      case 12:
         client_->freeze();
         pass(in_.byte() * 20ms);
         return client_->thaw();
      case 13: client_->next_name = static_cast<trouble>(in_.below(4)); return;
      case 14: client_->next_connect = in_.one_in(2) ? trouble::refused : trouble::silent; return;
      case 15: {
         const std::size_t which = in_.byte();
         return client_->hold(which, !in_.one_in(3));
      }
      case 16: {
         const std::size_t which = in_.byte();
         return client_->take_some(which, in_.byte());
      }
      case 17: {
         const std::size_t which = in_.byte();
         return client_->read_some(which, in_.byte());
      }
      case 18: {
         const std::size_t which = in_.byte();
         return client_->cut(which, in_.one_in(2));
      }
      default: return client_->report_late(in_.byte());
   }
}

void engine_world::step_of_servers(std::size_t what) {
   switch (what) {
      case 20:
      case 21:
      case 22: return refuse();
      case 23:
      case 24: return close_gate();
      case 25:
      case 26: return strike_process();
      case 27: return strike_path();
      case 28:
      case 29: return move_role();
      default: return disturb_network();
   }
}

fuzzed_client::patience engine_world::draw_patience() {
   switch (in_.below(4)) {
      case 0: return {};
      case 1: return {in_.byte() * 1ms, false};
      case 2: return {in_.byte() * 100ms, false};
      default: return {{}, false};
   }
}

bool engine_world::is_full() { return ++given_ > most_calls; }

delivery engine_world::draw_delivery() { return deliveries[in_.below(3)]; }

void engine_world::submit() {
   if (is_full()) return;
   const auto kind = static_cast<sim::call_kind>(in_.below(sim::call_kinds));
   const unsigned database = kind == sim::call_kind::select ? static_cast<unsigned>(in_.below(2)) : 0;
   const delivery promise = draw_delivery();
   client_->give(kind, promise, draw_patience(), database);
}

void engine_world::say(std::string_view bytes) { client_->hear(in_.byte(), bytes); }

void engine_world::watch_from_now_on(sim::sentinel_model& s, sim::host_id master, std::uint64_t epoch, bool fresh) {
   std::vector<sim::host_id> replicas;
   std::vector<sim::host_id> others;
   for (const auto& x : servers_)
      if (x->host() != master) replicas.push_back(x->host());
   for (const auto& x : sentinels_) others.push_back(x->host());
   s.begin(master, replicas, others, epoch, fresh);
}

void engine_world::refuse() {
   const sim::host_id h = some_server();
   checkers_.servers_fence = false;  // CLIENT KILL may be among them
   refusing_[h].what = in_.below(std::size(refusals));
   refusing_[h].left = in_.below(16);
}

std::string_view engine_world::refusal(sim::connection_id c, const sim::words& w) {
   // A server's state refuses none of these.
   if (sim::same_word(w[0], "MULTI") || sim::same_word(w[0], "EXEC") || sim::same_word(w[0], "DISCARD")) return {};
   refusing& r = refusing_[shared_.net.at(c).server];
   if (r.left == 0) return {};
   --r.left;
   return refusals[r.what];
}

void engine_world::close_gate() {
   sim::redis_model& s = *shared_.servers[some_server()];
   switch (in_.below(5)) {
      case 0: s.gate = static_cast<sim::server_gate>(in_.below(sim::server_gates)); return;
      case 1: s.settings.min_replicas_to_write = static_cast<unsigned>(in_.below(2)) * 8; return;
      case 2: s.settings.max_clients = in_.one_in(2) ? 0 : 10'000; return;
      case 3: {
         const duration time = in_.byte() * 10ms;
         return s.pause_clients(time, in_.one_in(2));
      }
      default: return s.end_clients();
   }
}

void engine_world::strike_process() {
   const sim::host_id h = some_host();
   switch (in_.below(5)) {
      case 0: return process_dies(h, sim::condition::dead);
      case 1: return process_dies(h, sim::condition::off);
      case 2: return freezes(h);
      case 3: return thaws(h);
      default: return process_starts(h);
   }
}

void engine_world::strike_path() {
   const sim::host_id h = some_host();
   const bool from_servers = in_.one_in(2);
   const bool from_clients = in_.one_in(2);
   cut_off(h, from_servers, from_clients, !in_.one_in(3));
}

// By a Sentinel, or by FAILOVER. Not twice at a time, or the Sentinels may differ for good.
void engine_world::move_role() {
   const bool by_sentinel = in_.one_in(2);
   const std::size_t which = in_.byte();
   if (sentinels_.empty() || !is_whole()) return;
   if (by_sentinel)
      sentinels_[which % sentinels_.size()]->fail_over();
   else
      rightful_master()->hand_over(sim::nowhere, 1s);
}

void engine_world::disturb_network() {
   switch (in_.below(5)) {
      case 0: shared_.net.settings = quiet; return;
      case 1: shared_.net.settings.latency = in_.byte() * 1ms; return;
      case 2: shared_.net.settings.chunking = in_.byte() / 255.0; return;
      case 3: shared_.net.settings.loss = in_.byte() / 1024.0; return;
      default: {
         const std::size_t which = in_.byte();
         if (!sentinels_.empty()) sentinels_[which % sentinels_.size()]->keep_silent(in_.one_in(2));
      }
   }
}

void engine_world::pass(duration d) {
   d = std::min(d, most_time - passed_);
   passed_ += d;
   run_until(now() + d);
}

// ---- what is looked at --------------------------------------------------------------------------------------------

void engine_world::look() {
   look_at_limits(servers_.size());
   if (!checkers_.violations().empty()) throw broken_promise(checkers_.violations().front().what);
}

void engine_world::look_at_limits(std::size_t most_nodes) {
   const impl::command_lane& lane = client_->brain.lane();
   require(lane.queued() <= settings_.limits.parked_commands.value_or(10'000) + settings_.limits.in_flight,
           "what waits is bounded");
   require(lane.in_flight() <= settings_.limits.in_flight + 1, "what is in flight is bounded");
   if (const auto* const watch = client_->brain.watch()) {
      require(watch->hold_writes_until() <= now() + settings_.hold_on_selected,
              "writes are not held for longer than wanted");
      require(watch->link_count() <= 2 * watch->sentinels().size() + most_nodes + 1, "one connection to each server");
   }
   client_->look();
}

// ---- the end ------------------------------------------------------------------------------------------------------

void engine_world::calm() {
   shared_.net.settings = quiet;
   for (refusing& r : refusing_) r = {};
   for (const auto& s : sentinels_) s->keep_silent(false);
   for (const auto& s : servers_) {
      s->gate = sim::server_gate::none;
      s->settings = {};
   }
   repair();
}

void engine_world::run_for(duration most, const std::function<bool()>& done) {
   for (const time_point end = now() + most; !done() && now() < end;) {
      run_until(now() + 20ms);
      look();
   }
}

// All faults end: then each caller is answered, and the client works, too.
void engine_world::heal() {
   calm();
   client_->heal();
   run_for(120s, [&] { return is_whole() && client_->has_ended(); });
   // Servers can end as replicas of each other, and Sentinels can differ for good (docs/simulation.md).
   if (!is_whole() || !can_recover()) return;
   require(client_->has_ended(), "in a healed world each operation ends");
   const bool may_fail = settings_.breaker || settings_.resend.budget.ratio == 0;
   run_for(11s, [&] { return given_ == 0; });  // what was spent of the retry budget is there again
   client_->give(sim::call_kind::set, delivery::automatic, {30s, false});
   run_for(31s, [&] { return client_->has_ended(); });
   require(client_->has_ended() && (may_fail || client_->last_succeeded()), "a healed world comes back");
   run_for(1s, [&] { return client_->brain.lane().idle(); });
   check_rest();
}

void engine_world::check_rest() {
   require(client_->brain.lane().idle(), "nothing is left");
   const sim::redis_model* const m = rightful_master();
   if (m == nullptr) return;
   if (const auto* const watch = client_->brain.watch()) {
      const auto follows = [&] {
         const auto& t = watch->target();
         return t && t->where.host == sim::address_of_host(m->host());
      };
      run_for(30s, [&] { return follows() && !watch->is_provisional(); });
      require(follows(), "in a healed world the master is the one that the Sentinels name");
      require(!watch->is_provisional(), "in a healed world nobody is believed by its own word");
   }
   checkers_.final_history(m->where());
   checkers_.final_data(m->where(), m->data());
   look();
}

// Nobody is there any more.
void engine_world::silence() {
   for (sim::host_id h = 0; h < client_site_; ++h) process_dies(h, sim::condition::off);
   const unsigned before = client_->dials();
   run_for(5s, [] { return false; });
   const auto* const watch = client_->brain.watch();
   if (watch == nullptr) return;
   run_for(5s, [&] { return !watch->in_doubt(); });  // it was raised when a Sentinel fell silent
   require(!watch->in_doubt(), "doubt ends");
   require(watch->hold_writes_until() <= now(), "a hold ends");
   require(client_->dials() - before <= 40 * watch->link_count(), "the dead are dialled in measure");
}

}  // namespace holdfast::fuzz

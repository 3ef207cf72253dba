#include "engine/engine.hpp"

#include "engine/settings.hpp"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <utility>

namespace holdfast::impl {

engine::shard::shard(engine& e, const config& c, std::uint64_t seed, callers who)
   : main(e.io_, reply_limits(c)),
     probe(e.io_, probe_limits()),
     lane(lane_settings(c, who), main, probe, topology, e.budget_, e.events_, e.counts_, seed) {
   if (c.deadline) lane.set_default_deadline(*c.deadline);
}

std::vector<std::unique_ptr<engine::shard>> engine::one_shard(engine& e, const config& c, std::uint64_t seed,
                                                              callers who) {
   std::vector<std::unique_ptr<shard>> all;
   all.push_back(std::make_unique<shard>(e, c, seed, who));
   return all;
}

engine::engine(const config& c, std::uint64_t seed, topology_source from, callers who, counters* counts)
   : own_counts_(counts != nullptr ? nullptr : std::make_unique<counters>()),
     counts_(counts != nullptr ? *counts : *own_counts_),
     command_observer_(c.command_observer),
     events_(static_cast<bool>(c.observer)),
     secrets_({c.password, c.sentinel_password}),
     budget_(c.resend.budget),
     shards_(one_shard(*this, c, seed, who)),
     is_shared_(who == callers::many),
     pool_(c, who, {io_, topology(), budget_, events_, counts_}, seed ^ 2) {
   if (c.breaker) breaker_.emplace(*c.breaker);
   follows_deployment_ = !c.deadline;
   if (from == topology_source::elsewhere) return;
   if (c.sentinels.empty())
      topology().update({std::make_shared<const topology_view>(fixed_view(c))});
   else
      tracked_.emplace(sentinel_settings_of(c), seed ^ 1, io_, reply_limits(c), events_, secrets_);
}

// ---- the client's half --------------------------------------------------------------------------------------------

void engine::submit(operation& op, time_point now) {
   if (breaker_) {
      op.admission = breaker_->allow(now);
      tell_breaker(now);
      if (!op.admission) {
         refuse(op, errc::circuit_open, now);
         return finish(now);
      }
   }
   counts_.submitted();
   if (is_shared_ || op.lane != 0)
      submit_among_many(op, now);
   else
      shard_of(op).lane.submit(op, now);
   if (op.alters) learn_passwords(op);
   finish(now);
}

void engine::submit_among_many(operation& op, time_point now) {
   describe(op);
   // WAIT is about the writes of its own connection: on a lane of its own it would say of none that all have them.
   const bool leaves = op.blocks && role_of(op.entry) != command_role::wait;
   if (leaves || op.lane != 0)
      pool_.submit(op, now);
   else
      shard_of(op).lane.take(op, now);
}

void engine::give_back(lane_number n, time_point now) {
   pool_.give_back(n, now);
   finish(now);
}

void engine::resume(const session& s) {
   secrets_.learn(s.password);
   for (const auto& one : shards_) one->lane.resume(s);
}

// Those of AUTH and HELLO. They are sent again on each new connection, long after their caller has left.
void engine::learn_passwords(const operation& op) {
   for (const command& c : op.commands) {
      const auto role = role_of(find_command(c));
      if (c.size() < 2 || (role != command_role::auth && role != command_role::hello)) continue;
      session given;
      given.note(role, c);
      secrets_.learn(given.password);
   }
}

void engine::cancel(operation& op, time_point now) {
   if (op.is == operation::state::idle) return;  // it has ended, and its commands may be gone
   op.lane == 0 ? shard_of(op).lane.cancel(op, now) : pool_.cancel(op, now);
   finish(now);
}

void engine::cancel_all(time_point now) {
   for (const auto& s : shards_) s->lane.cancel_all(now);
   pool_.cancel_all(now);
   finish(now);
}

// Each operation comes here once, on its way back to its caller.
operation* engine::ended(operation& op, const command_lane* by, time_point now) {
   counts_.ended(now - op.submitted);
   const auto& last = op.results[op.commands.size() - 1];
   if (last)
      counts_.succeeded();
   else
      failed(op, last.error());
   if (command_observer_) tell_end(op, by, now);
   if (op.admission) {
      report(op, now);
      finish(now);
   }
   return &op;
}

// `by` null: its lane is closed by now.
void engine::tell_end(const operation& op, const command_lane* by, time_point now) {
   const auto& last = op.results[op.commands.size() - 1];
   const error* const failed = last ? nullptr : &last.error();
   const endpoint* where = failed != nullptr ? &failed->where : nullptr;
   if (failed == nullptr && by != nullptr) where = by->written_to(op);
   tell(op.commands, {failed, op.attempts, op.submitted, now}, where != nullptr ? *where : endpoint{});
}

void engine::tell(std::span<const command> commands, const command_end& end, const endpoint& where) {
   try {
      command_observer_(report_of(commands, end, where));
   } catch (...) {
      counts_.observer_threw();
   }
}

void engine::was_refused(std::span<const command> commands, const error& why, time_point given, time_point now) {
   counts_.submitted();
   counts_.ended(now - given);
   counts_.failed(why.outcome);
   if (command_observer_) tell(commands, {&why, 0, given, now}, why.where);
}

void engine::failed(operation& op, const error& e) {
   counts_.failed(e.outcome);
   hide_secrets(op);
}

// A server may say what it was sent: where AUTH is renamed, it names the password as an argument of what it doesn't
// know.
void engine::hide_secrets(operation& op) const {
   for (std::size_t i = 0; i < op.commands.size(); ++i) {
      if (!op.results[i]) secrets_.hide_in(op.results[i].error());
   }
}

void engine::take_events(std::vector<any_event>& into) {
   events_.take(into);
   for (any_event& e : into) secrets_.hide_in(e);
}

// The breaker sees what commands came to in the end: a failover that was ridden out is a success.
void engine::report(const operation& op, time_point now) {
   const auto& r = op.results[op.commands.size() - 1];
   const auto is_one_of = [&](std::initializer_list<errc> codes) {
      return std::any_of(codes.begin(), codes.end(), [&](errc c) { return r.error().code() == c; });
   };
   if (r || r.error().outcome == outcome::executed || is_one_of({errc::server_error, errc::authentication_failed}))
      breaker_->succeeded(*op.admission, now);
   else if (is_one_of({errc::deadline_exceeded, errc::connection_lost, errc::no_sentinel, errc::unknown_master,
                       errc::no_master, errc::refused, errc::protocol_error, errc::retry_budget_exhausted}))
      breaker_->failed(*op.admission, now);
   else
      breaker_->abandoned(*op.admission, now);  // cancelled, or refused here: no server had a part in it
   tell_breaker(now);
}

void engine::tell_breaker(time_point now) {
   const circuit_state s = breaker_->state(now);
   if (s == told_breaker_) return;
   told_breaker_ = s;
   events_.tell([&] { return event::breaker_changed{std::string(to_string(s))}; });
   if (s == circuit_state::open) topology().ask();
}

void engine::discover(time_point now) {
   topology().ask();
   finish(now);
}

// ---- the runtime's half -------------------------------------------------------------------------------------------

bool engine::next_io(io_request& into) {
   for (;;) {
      if (!requested_.empty()) {
         into = std::move(requested_.back());
         requested_.pop_back();
         // A link that was given up meanwhile is not connected.
         if (into.what != io_request::kind::connect || io_.live(into.link, into.serial) != nullptr) return true;
         continue;
      }
      if (io_.empty()) return false;
      const auto next = io_.take();
      if (next.pending_io.only_writes()) {  // the steady state: nothing is listed
         into.what = io_request::kind::write;
         into.link = next.id;
         into.serial = next.holder->serial();
         return true;
      }
      list_io(next);
   }
}

void engine::list_io(const io_queue::entry& from) {
   const auto& [id, l, pending_io] = from;
   if (connections_.size() < id) connections_.resize(id);
   if (pending_io.unwanted || pending_io.close != link::ending::none) ended(connections_[id - 1], pending_io.unwanted);
   using kind = io_request::kind;
   // Carried out from the back.
   if (pending_io.write) requested_.push_back({kind::write, id, l->serial(), {}});
   if (pending_io.dial) requested_.push_back({kind::resolve, id, l->serial(), l->where()});
   if (pending_io.next) try_next(*l);
   if (pending_io.close != link::ending::none) {
      const bool abortive = pending_io.close == link::ending::abortive;
      requested_.push_back({abortive ? kind::abort : kind::close, id, 0, {}});
   }
}

void engine::resolved(link_id id, std::uint32_t serial, std::vector<endpoint> addresses, std::string_view problem,
                      time_point now) {
   link* const l = io_.live(id, serial);
   if (l == nullptr) return;
   if (addresses.empty()) {
      l->lost(problem, now);
      touched(*l, now);
      return finish(now);
   }
   book_.arrange(l->where(), addresses);
   std::reverse(addresses.begin(), addresses.end());
   connection& c = connections_[id - 1];
   c.all = addresses.size();
   c.addresses = std::move(addresses);
   c.name = l->where();
   try_next(*l);
}

// On to the next address of the name.
void engine::try_next(link& l) {
   connection& c = connections_[l.id() - 1];
   c.address = std::move(c.addresses.back());
   c.addresses.pop_back();
   c.heard = false;
   l.tries(c.address, c.addresses.size(), c.all);
   requested_.insert(requested_.begin(), {io_request::kind::connect, l.id(), l.serial(), c.address, c.name});
}

// An address that never answered is not the first to be tried again; unless another connection to it works.
void engine::ended(connection& c, bool unwanted) {
   const endpoint address = std::exchange(c.address, {});
   if (address.empty()) return;
   const auto works_elsewhere = [&](const connection& other) {
      return other.heard && other.address == address && other.name == c.name;
   };
   if (unwanted || (!c.heard && std::none_of(connections_.begin(), connections_.end(), works_elsewhere)))
      book_.failed(c.name, address);
}

void engine::connected(link_id id, std::uint32_t serial, time_point now) {
   if (link* const l = io_.live(id, serial)) {
      l->opened(now);
      touched(*l, now);
   }
   finish(now);
}

void engine::lost(link_id id, std::uint32_t serial, std::string_view why, time_point now) {
   link* const l = io_.live(id, serial);
   if (l == nullptr) return;
   ended(connections_[id - 1], false);
   if (l->now() == link::state::dialing && !connections_[id - 1].addresses.empty()) return try_next(*l);
   l->lost(why, now);
   touched(*l, now);
   finish(now);
}

std::span<char> engine::space(link_id id, std::uint32_t serial) {
   link* const l = io_.live(id, serial);
   return l == nullptr ? std::span<char>{} : l->in.prepare(l->chunk);
}

void engine::received(link_id id, std::uint32_t serial, std::size_t n, time_point now) {
   link* const l = io_.live(id, serial);
   if (l == nullptr) return;
   counts_.received(n);
   l->in.commit(n);
   if (connection& c = connections_[id - 1]; !c.heard) {
      c.heard = true;
      book_.answered(c.name, c.address);
   }
   l->received(now);
   touched(*l, now);
   finish(now);
}

std::span<const char> engine::to_write(link_id id, std::uint32_t serial) const {
   const link* const l = io_.live(id, serial);
   return l == nullptr ? std::span<const char>{} : l->out.pending();
}

void engine::wrote(link_id id, std::uint32_t serial, std::size_t n, time_point now) {
   counts_.wrote(n);
   if (link* const l = io_.live(id, serial)) {
      l->wrote(n, now);
      touched(*l, now);
   }
   finish(now);
}

link_id engine::to_measure(time_point now, link_id above) const {
   link_id found = pool_.to_measure(now, above);
   for (const auto& s : shards_) {
      const link_id id = s->main.id();
      if (id > above && (found == 0 || id < found) && s->lane.wants_transit(now)) found = id;
   }
   return found;
}

void engine::measured(link_id id, std::uint32_t serial, const transit& t, time_point now) {
   if (link* const l = io_.live(id, serial)) {
      l->measured(t, now);
      touched(*l, now);
   }
   finish(now);
}

void engine::tick(time_point now) {
   if (tracked_ && now >= tracked_->tracker().next_deadline()) {
      tracked_->tracker().tick(now);
      hand_over(now);
   }
   const bool hold_ends = now >= topology().next_deadline();
   topology().tick(now);
   for (const auto& s : shards_) s->lane.tick(now);
   if (hold_ends || now >= pool_.next_deadline()) pool_.tick(hold_ends, now);
   finish(now);
}

time_point engine::next_deadline() const {
   time_point t = std::min(pool_.next_deadline(), tracked_ ? tracked_->tracker().next_deadline() : never);
   for (const auto& s : shards_) t = std::min({t, s->topology.next_deadline(), s->lane.next_deadline()});
   return t;
}

// ---- between topology and lane ------------------------------------------------------------------------------------

void engine::on_update(topology_update u, time_point now) {
   if (topology().knows(u)) return;
   take_view(std::move(u), now);
   finish(now);
}

void engine::serve(const topology_requests& r, time_point now) {
   tracked_->request(r, now);
   hand_over(now);
}

// Until neither has anything new for the other. Bounded: what a lane asks for because of a view leads to one more view
// at most, if it does not pause or dial first.
void engine::hand_over(time_point now) {
   for (int turn = 0; turn < 8; ++turn) {
      if (topology().has_requests()) tracked_->request(topology().take_requests(), now);
      if (!tracked_->refresh()) return;
      take_view(tracked_->latest(), now);
   }
}

void engine::take_view(topology_update u, time_point now) {
   shard& s = *shards_.front();
   s.topology.update(std::move(u));
   const topology_view& v = s.topology.view();
   if (v.down_after != told_down_after_ && follows_deployment_) {
      told_down_after_ = v.down_after;
      s.lane.set_default_deadline(default_deadline(v.down_after));
      pool_.set_default_deadline(default_deadline(v.down_after), now);
   }
   if (breaker_ && v.master && guarded_ != v.master->where) {
      if (guarded_) breaker_->reset(now);  // another node: nothing is held against it
      guarded_ = v.master->where;
      tell_breaker(now);
   }
   s.lane.on_view(now);
   pool_.on_view(now);
}

}  // namespace holdfast::impl

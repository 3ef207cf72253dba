#include "sim/checkers/checkers.hpp"

#include <algorithm>

namespace holdfast::sim {

promised_limits limits_of(const config& c) {
   return {.parked = c.limits.parked_commands.value_or(10'000),
           .in_flight = c.limits.in_flight,
           .max_resends = c.resend.max_resends,
           .budget = c.resend.budget,
           .routes = {.eager = c.cutover == cutover::eager,
                      .follows_hints = c.follow_role_hint,
                      .hold = c.cutover == cutover::eager ? c.hold_on_selected : duration::zero()}};
}

std::string checkers::name(call_number n) const {
   const call& c = calls_[n];
   return std::string(to_string(c.kind)) + " number " + std::to_string(n) + " of client " + std::to_string(c.client) +
          " (" + std::string(holdfast::to_string(c.promise)) + ")";
}

void checkers::broken(std::string what) {
   if (violations_.size() < 20) violations_.push_back({clock_.now(), std::move(what)});
}

checkers::client_record& checkers::record_of(std::uint32_t client) {
   if (clients_.size() <= client) clients_.resize(client + 1);
   return clients_[client];
}

call_number checkers::begins(std::uint32_t client, call_kind k, delivery d, std::uint32_t group) {
   call c;
   c.client = client;
   c.group = group;
   c.kind = k;
   c.promise = d;
   calls_.push_back(c);
   client_record& r = record_of(client);
   ++r.given;
   // A queue has its bound, and so has what was sent; what waits for a fence was sent.
   if (++r.open > limits.parked + limits.in_flight + limits.posted + 1)
      broken("client " + std::to_string(client) + " holds too many commands");
   ++figures_.calls;
   ++open_;
   return static_cast<call_number>(calls_.size() - 1);
}

// The number stands last, in every command of the workloads that has one.
checkers::call* checkers::find(const words& w, call_number& n) {
   const auto number = read_integer(w.back());
   if (!number || *number <= 0 || static_cast<std::size_t>(*number) >= calls_.size()) return nullptr;
   n = static_cast<call_number>(*number);
   return &calls_[n];
}

// What is not to be repeated runs once at most. What was reported not to have run never does, not even later.
void checkers::ran(host_id where, const words& w, const execution& x) {
   call_number n = 0;
   if (same_word(w[0], "GET")) return;
   call* const c = find(w, n);
   if (c == nullptr) return;
   keep_run(n, *c, w, x);
   if (is_transaction(c->kind) && !same_word(w[0], "INCRBY")) {
      c->second_part += same_word(w[0], "RPUSH");
      return;
   }
   ++c->runs;
   c->behind = x.behind;
   c->ran_at = clock_.now();
   if (x.reply.starts_with(':')) {
      c->replies[c->runs % c->replies.size()] = read_integer(x.reply.substr(1, x.reply.find('\r') - 1)).value_or(-1);
   }
   if (c->runs > 1 && !repeats_harmlessly(c->kind) && c->promise != delivery::at_least_once)
      broken(name(n) + " ran twice");
   if (c->runs > 1 && c->promise == delivery::at_most_once) broken(name(n) + " ran twice");
   if (!c->done) return;
   if (!c->acknowledged && c->ended == outcome::not_executed)
      broken(name(n) + " ran after it was reported as not executed");
   if (c->unfenced || !x.changed || expects_lineages) return;
   // On a node that had been left by then it runs on a history that is left behind. (Should the Sentinels return to
   // that node nobody could have prevented it.)
   c->left_behind = c->left_behind || (c->ended_at != nowhere && c->ended_at != where);
   if (c->left_behind) return;
   c->ran_late = true;
   c->late = x.behind;
}

void checkers::new_branch(place begins, host_id promoted) {
   if (branches_.size() <= begins.branch) branches_.resize(begins.branch + 1);
   branches_[begins.branch] = {promoted, clock_.now()};
}

void checkers::completed(call_number n, std::span<const result<value>> results, const circumstances& then) {
   call& c = calls_[n];
   if (c.done) return broken(name(n) + " ended twice");
   c.done = true;
   c.ended_after = static_cast<std::uint32_t>(runs_.size());
   --open_;
   client_record& r = record_of(c.client);
   c.ended_at = r.master;
   --r.open;
   // Every command ends by its deadline, whatever happens.
   if (clock_.now() > after(then.deadline, std::chrono::milliseconds(1)) && !then.was_away)
      broken(name(n) + " ended after its deadline");
   const result<value>& last = results.back();
   if (last) {
      c.acknowledged = true;
      c.ended = outcome::executed;
      ++figures_.acknowledged;
      return check_reply(n, c, *last);
   }
   const error& e = last.error();
   c.ended = e.outcome;
   c.unfenced = std::any_of(e.causes.begin(), e.causes.end(),
                            [](const std::string& cause) { return cause.starts_with("not fenced"); });
   ++(e.outcome == outcome::not_executed ? figures_.not_executed : figures_.unknown);
   check_sending(n, c, e, then);
   check_failure(n, c, e, then);
}

// A caller who leaves waits no longer.
void checkers::cancelled(call_number n) {
   if (!calls_[n].done) broken(name(n) + " was cancelled, and its caller still waits");
}

void checkers::check_failure(call_number n, const call& c, const error& e, const circumstances& then) {
   if (e.outcome == outcome::not_executed && c.runs != 0)
      broken(name(n) + " is reported as not executed, but it ran: " + e.what());
   if (e.outcome == outcome::executed && c.runs == 0)
      broken(name(n) + " is reported as executed, but it did not run: " + e.what());
   // (Of a transaction the second time may have left in part.)
   const bool had_one_try = c.times_sent == 1 && !is_transaction(c.kind) && !limits.max_resends;
   if (e.code() == errc::retry_budget_exhausted && had_one_try)
      broken(name(n) + " is not sent again for want of a retry budget, and the first time is free: " + e.what());
   // What is harmless to repeat is not given up while all is well; nothing is refused then.
   const bool excused = e.code() == errc::cancelled || e.code() == errc::retry_budget_exhausted ||
                        e.code() == errc::queue_full || limits.max_resends || then.was_away;
   const bool had_time = e.code() != errc::deadline_exceeded || e.elapsed > grace;
   // After a new lineage the Sentinels must agree for long before they are believed.
   if (then.all_was_well_for > (expects_lineages ? grace * 8 : grace) && had_time && !excused)
      broken(name(n) + " failed though all had been well for " +
             std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(then.all_was_well_for).count()) +
             " ms: " + e.what());
}

// A reply is that of the command's own run.
void checkers::check_reply(call_number n, call& c, const value& reply) {
   const auto answered = [&](long long number) {
      return std::find(c.replies.begin(), c.replies.end(), number) != c.replies.end();
   };
   switch (c.kind) {
      case call_kind::add:
      case call_kind::push:
      case call_kind::set_once:
         if (c.runs == 0) return broken(name(n) + " is acknowledged, but it did not run");
         if (reply.kind() != kind::integer || !answered(reply.integer()))
            broken(name(n) + " was answered " + holdfast::to_string(reply) + ", which is another command's reply");
         return;
      case call_kind::select:
         if (reply.text() != "OK") broken(name(n) + " was answered " + holdfast::to_string(reply));
         return;
      case call_kind::read:
      case call_kind::swap:
         c.answered_with = fingerprint(reply);
         if (!is_own_read(c, c.answered_with))
            broken(name(n) + " was answered " + holdfast::to_string(reply) + ", which none of its runs gave");
         return;
      case call_kind::set:
         if (c.runs == 0) return broken(name(n) + " is acknowledged, but it did not run");
         if (reply.text() != "OK") broken(name(n) + " was answered " + holdfast::to_string(reply));
         return;
      case call_kind::echo:
         if (reply.text() != std::to_string(n))
            broken(name(n) + " was answered " + holdfast::to_string(reply) + ": another command's reply");
         return;
      case call_kind::get: {
         if (reply.is_nil()) return;
         const auto held = read_integer(reply.text());
         const bool own = held && *held > 0 && static_cast<std::size_t>(*held) < calls_.size() &&
                          calls_[static_cast<std::size_t>(*held)].client == c.client &&
                          (written_by(calls_[static_cast<std::size_t>(*held)].kind) & key_bit("s")) != 0;
         if (!own) return broken(name(n) + " was answered " + holdfast::to_string(reply) + ", which nobody had set");
         if (*held > n) broken(name(n) + " was answered " + holdfast::to_string(reply) + ", which was given later");
         return;
      }
      case call_kind::transaction:
         if (c.runs == 0) return broken(name(n) + " is acknowledged, but it did not run");
         if (reply.size() != 2 || !answered(reply[0].integer()) || c.second_part != c.runs)
            broken(name(n) + " was answered " + holdfast::to_string(reply));
         return;
      case call_kind::reading:
         if (c.runs == 0) return broken(name(n) + " is acknowledged, but it did not run");
         if (reply.size() != 3 || !answered(reply[0].integer()) || c.second_part != c.runs)
            return broken(name(n) + " was answered " + holdfast::to_string(reply));
         c.answered_with = fingerprint(reply[1]);
         if (!is_own_read(c, c.answered_with))
            broken(name(n) + " was answered " + holdfast::to_string(reply) + ", which none of its runs gave");
         return;
   }
}

}  // namespace holdfast::sim

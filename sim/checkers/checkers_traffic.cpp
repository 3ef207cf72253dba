// The checkers of what leaves a client: order, repetitions, and how much of it within a second.
#include "sim/checkers/checkers.hpp"

#include <algorithm>

namespace holdfast::sim {

std::uint32_t checkers::count(rate& r) const {
   const auto second = (clock_.now() - began_) / std::chrono::seconds(1);
   if (r.second != second) r = {second, 0};
   return ++r.count;
}

void checkers::dialled(std::uint32_t client, host_id to, bool is_server) {
   auto& dials = record_of(client).dials;
   if (dials.size() <= to) dials.resize(to + 1);
   const std::uint32_t n = count(dials[to]);
   figures_.most.dials = std::max(figures_.most.dials, n);
   if (n == bounds.dials + 1)
      broken("client " + std::to_string(client) + " dials host " + std::to_string(to) + " for the " +
             std::to_string(n) + "th time within a second");
   if (is_server) count_dial_aside(client, to);
}

void checkers::asked(std::uint32_t client, host_id sentinel) {
   auto& questions = record_of(client).questions;
   if (questions.size() <= sentinel) questions.resize(sentinel + 1);
   const std::uint32_t n = count(questions[sentinel]);
   figures_.most.questions = std::max(figures_.most.questions, n);
   if (n == bounds.questions + 1)
      broken("client " + std::to_string(client) + " asks the Sentinel on host " + std::to_string(sentinel) +
             " for the " + std::to_string(n) + "th time within a second");
}

void checkers::woken(std::uint32_t client) {
   const std::uint32_t n = count(record_of(client).wakes);
   figures_.most.wakes = std::max(figures_.most.wakes, n);
   if (n == bounds.wakes + 1)
      broken("client " + std::to_string(client) + " has itself woken for the " + std::to_string(n) +
             "th time within a second");
}

// For the first time commands leave in the order in which they were given. What is sent again stands, on its new
// connection, before all that was given later. (On the same connection a server may have refused them both.)
void checkers::sent(std::uint32_t client, const line& on, const words& w, bool handed_over) {
   if (!is_of_a_call(w)) return;  // that of another connection may come in the middle of a transaction
   const std::uint32_t connection = on.number;
   client_record& r = record_of(client);
   if (r.connection != connection) {
      r.connection = connection;
      r.newest_on_connection = r.in_multi = 0;
      r.multi = false;
      r.in_flight.clear();
   }
   if (same_word(w[0], "MULTI")) {
      r.multi = true;
      r.in_multi = 0;
      return;
   }
   call_number n = 0;
   if (r.multi) {
      if (!same_word(w[0], "EXEC")) {
         if (r.in_multi == 0 && find(w, n) != nullptr) r.in_multi = n;
         return;
      }
      r.multi = false;
      n = r.in_multi;
      if (n == 0) return;  // an empty one: whether it is allowed
   } else {
      if (same_word(w[0], "GET") || find(w, n) == nullptr) return;
   }
   call& c = calls_[n];
   if (c.done && (c.acknowledged || c.ended == outcome::not_executed))
      broken(name(n) + " is sent after it was reported as " + (c.acknowledged ? "done" : "not executed"));
   // Reads pass what waits, unless they are about it: checked by their values. ECHO is the same whenever it runs.
   const bool is_ordered = c.kind != call_kind::echo;
   const bool is_read = c.kind == call_kind::echo || c.kind == call_kind::read;
   if (is_ordered && c.times_sent == 0 && n < r.newest)
      broken(name(n) + " is sent after " + name(r.newest) + ", which was given later");
   const bool moved = c.times_sent == 0 || c.sent_on != connection;
   if (is_ordered && moved && n < r.newest_on_connection)
      broken(name(n) + " is sent again behind " + name(r.newest_on_connection) + ", which was given later");
   if (!is_read) r.newest = std::max(r.newest, n);
   if (!is_read) r.newest_on_connection = std::max(r.newest_on_connection, n);
   while (!r.in_flight.empty() && r.in_flight.front() <= on.replies) r.in_flight.pop_front();
   r.in_flight.push_back(on.commands);
   if (!handed_over) note_heir(c, r, on.to);
   if (c.times_sent == 0) c.first_master = r.masters;
   if (c.times_sent++ != 0) count_resend(c, r);
   c.sent_on = connection;
   c.sent_as = ++r.sent;
   check_resends(n, c, r);
}

// Free of the budget is the first time that a command is sent again, and one more for each change of master since: it
// may have changed, and changed back, wherever a lane was connected anew.
void checkers::count_resend(call& c, client_record& r) {
   const std::uint32_t free = 1 + r.masters - c.first_master;
   if (c.times_sent - 1U > free) ++r.resent;
}

// Limits are kept: of what is under way, and of what is sent again.
void checkers::check_resends(call_number n, const call& c, const client_record& r) {
   if (r.in_flight.size() > limits.in_flight) broken(name(n) + " is sent while as many as are allowed are under way");
   if (limits.max_resends && c.times_sent > 1 + *limits.max_resends)
      broken(name(n) + " is sent for the " + std::to_string(c.times_sent) + "th time");
   const retry_budget_settings& b = limits.budget;
   // It counts time in tenths of its window.
   const auto windows = static_cast<double>((clock_.now() - began_) / (b.window * 9 / 10) + 1);
   const double most =
      b.ratio * static_cast<double>(r.given) + b.per_second * std::chrono::duration<double>(b.window).count() * windows;
   if (static_cast<double>(r.resent) > most + 1)
      broken("client " + std::to_string(c.client) + " has sent " + std::to_string(r.resent) +
             " commands again, more than its retry budget allows");
}

// What is said of a command that failed fits what was sent of it.
void checkers::check_sending(call_number n, const call& c, const error& e, const circumstances& then) {
   if (e.outcome == outcome::unknown && e.attempts == 0) broken(name(n) + " was never written, but may have run?");
   if (e.attempts != 0 && !then.could_be_written)
      broken(name(n) + " is said to have been sent, and nothing was sent since it was given: " + e.what());
   if (c.kind == call_kind::get || c.kind == call_kind::select) return;  // they carry no number
   // The last may have left in part. (A transaction of which the MULTI was refused may run in part.)
   const bool one_more = then.partly_sent || is_transaction(c.kind);
   if (e.attempts < c.times_sent || e.attempts > c.times_sent + (one_more ? 1U : 0U))
      broken(name(n) + " was sent " + std::to_string(c.times_sent) + " times, and is said to have been sent " +
             std::to_string(e.attempts) + " times: " + e.what());
   if (e.code() == errc::queue_full && record_of(c.client).open < limits.parked)
      broken(name(n) + " is refused, as if the queue were full: " + e.what());
}

}  // namespace holdfast::sim

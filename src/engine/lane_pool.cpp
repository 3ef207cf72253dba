#include "engine/lane_pool.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::impl {

lane_pool::member::member(lane_pool& p, lane_number n)
   : main(p.shared_.io, p.replies_),
     probe(p.shared_.io, probe_limits()),
     lane(p.settings_, main, probe, p.shared_.topology, p.shared_.budget, p.shared_.events, p.shared_.counts,
          p.seeds_()) {
   main.mark = probe.mark = n;
   lane.set_default_deadline(p.default_deadline_);
}

lane_pool::lane_pool(const config& c, callers who, const parts& shared, std::uint64_t seed)
   : shared_(shared),
     settings_(own_lane_settings(c)),
     replies_(reply_limits(c)),
     most_blocking_(c.limits.lanes),
     most_parked_(parked_commands(c, who)),
     seeds_(seed),
     default_deadline_(c.deadline.value_or(default_deadline({}))) {}

// ---- lanes --------------------------------------------------------------------------------------------------------

lane_number lane_pool::take() {
   if (!idle_.empty()) {
      const lane_number n = idle_.back().number;
      idle_.pop_back();
      return n;
   }
   auto free = std::find(members_.begin(), members_.end(), nullptr);
   if (free == members_.end()) {
      free = members_.emplace(members_.end());
      due_.push_back(never);
   }
   const auto n = static_cast<lane_number>(free - members_.begin()) + 1;
   *free = std::make_unique<member>(*this, n);
   return n;
}

void lane_pool::rest(lane_number n, time_point now) {
   at(n).is = state::idle;
   idle_.push_back({n, now});
   if (idle_.size() <= most_blocking_) return;
   close(idle_.front().number);
   idle_.erase(idle_.begin());
}

void lane_pool::close(lane_number n) {
   members_[n - 1].reset();
   set_due(n, never);
}

void lane_pool::set_due(lane_number n, time_point t) {
   const time_point before = std::exchange(due_[n - 1], t);
   if (t <= soonest_)
      soonest_ = t;
   else if (before == soonest_)
      soonest_ = *std::min_element(due_.begin(), due_.end());
}

void lane_pool::look(lane_number n, time_point now) {
   member& m = at(n);
   const auto& problem = m.lane.connection().problem();
   if (!parked_.empty() && problem && problem->final) end_all_parked(problem->code, n, now);
   while (operation* op = m.lane.take_done()) done_.push_back(*op);
   set_due(n, m.lane.next_deadline());
   if (m.is != state::blocking || !m.lane.idle()) return;
   --blocking_;
   rest(n, now);
}

lane_number lane_pool::acquire() {
   const lane_number n = take();
   at(n).is = state::lent;
   ++lent_;
   return n;
}

void lane_pool::give_back(lane_number n, time_point now) {
   member& m = at(n);
   HOLDFAST_ASSERT(m.is == state::lent);
   --lent_;
   if (m.lane.idle() && !m.altered) {
      m.lane.unwatch();
      rest(n, now);
   } else {
      if (!m.lane.idle()) {
         m.lane.cancel_all(now);
         m.main.abort();
      }
      look(n, now);
      close(n);
   }
   settle(now);
}

void lane_pool::resume(lane_number n, const session& s, bool watched) {
   member& m = at(n);
   m.altered = true;
   m.lane.resume(s);
   if (watched) m.lane.tell_watch_lost();
}

// ---- the client's half --------------------------------------------------------------------------------------------

void lane_pool::submit(operation& op, time_point now) {
   if (op.lane != 0) {
      member& m = at(op.lane);
      HOLDFAST_ASSERT(m.is == state::lent);
      m.lane.take(op, now);
      m.altered = m.altered || op.alters;
      look(op.lane, now);
   } else if (parked_.empty() && blocking_ < most_blocking_) {
      start(op, now);
   } else {
      park(op, now);
   }
   settle(now);
}

void lane_pool::start(operation& op, time_point now) {
   op.lane = take();
   member& m = at(op.lane);
   m.is = state::blocking;
   ++blocking_;
   m.lane.take(op, now);
   look(op.lane, now);
}

// The end of what is done here: lanes that are free now get what waits for one.
void lane_pool::settle(time_point now) {
   while (!parked_.empty() && blocking_ < most_blocking_) {
      operation& op = *parked_.front();
      unpark(op);
      start(op, now);
   }
   next_ = std::min(soonest_, parked_until_.earliest());
   if (!idle_.empty()) next_ = std::min(next_, closes_at(idle_.front()));
}

void lane_pool::refuse(operation& op, errc why, time_point now) {
   const lane_number n = op.lane;
   at(n).lane.refuse(op, why, now);
   look(n, now);
   settle(now);
}

void lane_pool::cancel(operation& op, time_point now) {
   const lane_number n = op.lane;
   if (n == none_yet) {
      const lane_number by = first_blocking();
      end_parked(op, errc::cancelled, by, now);
      look(by, now);
   } else {
      at(n).lane.cancel(op, now);
      look(n, now);
   }
   settle(now);
}

void lane_pool::cancel_all(time_point now) {
   if (!parked_.empty()) end_all_parked(errc::cancelled, first_blocking(), now);
   for_each([&](lane_number n, member& m) {
      m.lane.cancel_all(now);
      look(n, now);
   });
   settle(now);
}

void lane_pool::set_default_deadline(duration d, time_point now) {
   default_deadline_ = d;
   for (operation* op = parked_.front(); op != nullptr; op = op->next) {
      if (!op->default_deadline) continue;
      parked_until_.remove(*op);
      op->deadline = default_deadline_of(*op, d);
      parked_until_.note(*op);
      parked_until_.put_in_order(*op);
   }
   for_each([&](lane_number n, member& m) {
      m.lane.set_default_deadline(d);
      look(n, now);
   });
   settle(now);
}

// ---- commands that wait for a lane --------------------------------------------------------------------------------

// What a lane would refuse is refused at once.
void lane_pool::park(operation& op, time_point now) {
   if (op.default_deadline) op.deadline = default_deadline_of(op, default_deadline_);
   const lane_number by = first_blocking();
   if (!at(by).lane.admit(op, now)) return look(by, now);
   if (parked_.size() >= most_parked_ || parked_bytes_ + op.bytes > settings_.queued_bytes) {
      at(by).lane.end_waiting(op, errc::queue_full, why_parked(), now);
      return look(by, now);
   }
   op.lane = none_yet;
   op.is = operation::state::queued;
   parked_.push_back(op);
   parked_bytes_ += op.bytes;
   parked_until_.note(op);
   parked_until_.put_in_order(op);
}

void lane_pool::unpark(operation& op) {
   parked_.remove(op);
   parked_bytes_ -= op.bytes;
   parked_until_.remove(op);
}

std::string lane_pool::why_parked() const {
   return std::to_string(blocking_) + " commands that block on the server have a lane each, and " +
          std::to_string(parked_.size()) + " wait for one (config::limits.lanes)";
}

void lane_pool::end_parked(operation& op, errc why, lane_number by, time_point now) {
   const std::string cause = why_parked();
   unpark(op);
   at(by).lane.end_waiting(op, why, cause, now);
}

void lane_pool::end_all_parked(errc why, lane_number by, time_point now) {
   while (operation* op = parked_.front()) end_parked(*op, why, by, now);
}

void lane_pool::expire(time_point now) {
   if (now < parked_until_.earliest()) return;
   const lane_number by = first_blocking();
   while (operation* op = parked_until_.take_passed(now)) end_parked(*op, errc::deadline_exceeded, by, now);
   if (by != 0) look(by, now);
}

// Where commands wait for a lane there is one. 0: there is none.
lane_number lane_pool::first_blocking() const {
   const auto found = std::find_if(members_.begin(), members_.end(),
                                   [](const auto& m) { return m != nullptr && m->is == state::blocking; });
   return found == members_.end() ? 0 : static_cast<lane_number>(found - members_.begin()) + 1;
}

// ---- the engine's half --------------------------------------------------------------------------------------------

void lane_pool::changed(lane_number n, time_point now) {
   look(n, now);
   settle(now);
}

void lane_pool::on_view(time_point now) {
   std::erase_if(idle_, [&](const resting& r) {
      const bool left = at(r.number).lane.connection().superseded();
      if (left) close(r.number);
      return left;
   });
   for_each([&](lane_number n, member& m) {
      m.lane.on_view(now);
      look(n, now);
   });
   settle(now);
}

void lane_pool::tick(bool all, time_point now) {
   expire(now);
   const auto stays = std::find_if(idle_.begin(), idle_.end(), [&](const resting& r) { return now < closes_at(r); });
   std::for_each(idle_.begin(), stays, [&](const resting& r) { close(r.number); });
   idle_.erase(idle_.begin(), stays);
   for_each([&](lane_number n, member& m) {
      if (!all && now < due_[n - 1]) return;
      m.lane.tick(now);
      look(n, now);
   });
   settle(now);
}

std::uint32_t lane_pool::to_measure(time_point now, std::uint32_t above) const {
   std::uint32_t found = 0;
   for (std::size_t i = 0; now >= soonest_ && i < members_.size(); ++i) {
      if (now < due_[i] || !members_[i]->lane.wants_transit(now)) continue;
      const std::uint32_t id = members_[i]->main.id();
      if (id > above && (found == 0 || id < found)) found = id;
   }
   return found;
}

}  // namespace holdfast::impl

#include "lane/suspicion.hpp"

#include <algorithm>

namespace holdfast::impl {
namespace {

// Connecting and one PING: two round trips, which even between continents take less.
constexpr duration probe_patience = std::chrono::milliseconds(500);
// The Sentinels agree that the node does not answer: a reply that is later than this is worth a probe.
constexpr duration patience_if_down = std::chrono::milliseconds(100);

}  // namespace

suspicion::suspicion(link& probe, event_queue& events, duration attempt_timeout, duration connect_timeout)
   : probe_(probe),
     events_(events),
     attempt_timeout_(attempt_timeout),
     connect_timeout_(connect_timeout),
     life_(attempt_timeout) {
   probe_.set_owner(*this);
}

void suspicion::on_received(link&, time_point) {
   if (probe_.in.next() == reader::status::incomplete) return;
   if (state_ == state::probing) set_state(state::answered);
   probe_.close();
}

void suspicion::raise(const endpoint& where, time_point now) {
   if (raised()) return;
   set_state(state::probing);
   where_ = where;
   raised_at_ = now;
   events_.tell([&] { return event::suspected{where, now - silent_since()}; });
   probe_.dial(where);
}

void suspicion::clear(bool answered) {
   if (!raised()) return;
   set_state(state::none);
   probe_.close();
   if (answered) events_.tell([&] { return event::suspicion_cleared{where_}; });
}

time_point suspicion::probe_ends() const {
   return state_ == state::probing ? after(raised_at_, probe_patience) : never;
}

time_point suspicion::ends(const awaited& a) const {
   if (a.oldest == nullptr) return never;
   const ledger_slot& oldest = *a.oldest;
   const time_point since = silent_since();
   if (a.tests_idle) return after(silent_since_, connect_timeout_);
   if (a.leaving_since) {
      if (oldest.op == nullptr) return after(std::max(silent_since_, *a.leaving_since), connect_timeout_);
      return after(std::max(since, *a.leaving_since), oldest.allowance + attempt_timeout_);
   }
   if (!raised()) {
      const time_point t = oldest.blocks_for_ever ? never : after(since, oldest.allowance + attempt_timeout_);
      return called_down_ ? std::min(t, after(since, patience_if_down)) : t;
   }
   if (oldest.blocks_for_ever) return called_down_ ? probe_ends() : never;
   // Twice the timeout; but however late the silence was noticed, the node then has one timeout to show life.
   const time_point given_up =
      std::max(after(since, oldest.allowance + attempt_timeout_ * 2), after(raised_at_, attempt_timeout_));
   return called_down_ ? std::min(given_up, probe_ends()) : given_up;
}

suspicion::finding suspicion::check(const awaited& a, const endpoint& where, time_point now) {
   if (a.oldest == nullptr) return {};
   // The node lives, and is no longer called down: should it be again, it is to be asked again.
   if (state_ == state::answered && a.oldest->blocks_for_ever && !called_down_) clear(false);
   if (now >= probe_ends() && called_down_) return {false, "no reply, and the Sentinels agree that it is down"};
   // The node showed life since it was suspected.
   if (raised() && life_.last() > raised_at_) clear(true);
   if (now < ends(a)) return {};
   if (a.tests_idle) return {false, "silent after idling"};
   if (a.leaving_since || raised()) {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - silent_since()).count();
      return {false, "no reply for " + std::to_string(ms) + " ms"};
   }
   raise(where, now);
   return {true, {}};
}

}  // namespace holdfast::impl

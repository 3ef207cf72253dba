#include "lane/gate.hpp"

#include <holdfast/policy/backoff.hpp>

#include <algorithm>

namespace holdfast::impl {

void gate::on_refused(reply_class c, const pause& asked, unsigned times, const endpoint& where, std::string_view text,
                      time_point now) {
   using enum reply_class;
   if (asked.base <= duration::zero() && times == 0) return;  // once more at once
   const duration base = asked.base > duration::zero() ? asked.base : std::chrono::milliseconds(50);
   const auto rule = exponential_backoff({.base = base, .factor = 2, .cap = asked.cap, .jitter = jitter::equal});
   pause_ends_ = std::max(pause_ends_, after(now, rule.delay(times, random_)));
   asked_by_ = where;
   words_ = text;
   if (c == no_permission) return;
   if (c == no_replicas || c == misconf || c == out_of_memory)
      set_state(std::max(state_, state::refuses_writes));
   else
      set_state(c == reply_class::busy ? state::busy : state::refuses_everything);
}

void gate::open() {
   set_state(state::open);
   drop_probe();
   pause_ends_ = {};
}

bool gate::may_ask(time_point now) {
   if (now - last_asked_ < std::chrono::seconds(1)) return false;
   last_asked_ = now;
   return true;
}

bool gate::take_probe(std::uint64_t sequence) {
   if (probe_ == 0 || probe_ != sequence) return false;
   drop_probe();
   return true;
}

}  // namespace holdfast::impl

#include "topology/sentinel/poll_schedule.hpp"

#include <holdfast/policy/backoff.hpp>

#include <chrono>

namespace holdfast::impl {

duration poll_schedule::backoff(unsigned failures, duration cap) {
   const auto rule = exponential_backoff({.base = settings_->outage_base, .cap = cap});
   return std::max<duration>(rule.delay(failures, random_), std::chrono::milliseconds(1));
}

void poll_schedule::plan(bool alert, time_point now) {
   if (commands_wait_) {
      poll_at_ = after(now, backoff(polls_in_need_++, settings_->outage_poll));
      return;
   }
   const duration most = alert ? settings_->alert_poll : settings_->idle_poll;
   poll_at_ = after(now, random_.between(most * 3 / 4, most));
}

bool poll_schedule::on_need(bool commands_wait) {
   if (commands_wait == commands_wait_) return false;
   commands_wait_ = commands_wait;
   polls_in_need_ = 0;
   return true;
}

bool poll_schedule::take_hint(time_point now) {
   if (now < hint_at_) return false;
   hint_at_ = never;
   asked_at_ = now;
   return true;
}

void poll_schedule::on_refused(duration cap, time_point now) { poll_at_latest(after(now, backoff(refusals_++, cap))); }

}  // namespace holdfast::impl

// When the Sentinels are to be asked next, although nobody has demanded it.
//
// - A poll: every `idle_poll` (three quarters to all of it), every `alert_poll` while something is going on, and while
//   commands wait for a connection with full jitter from `outage_base`, doubled up to `outage_poll`.
// - A hint: what Sentinels publish is asked about at once, but at most once in `hint_spacing`.
// - A refused role: after a backoff that grows with each refusal in a row.
#pragma once

#include "topology/sentinel/sentinel_settings.hpp"

#include <holdfast/policy/backoff.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace holdfast::impl {

class poll_schedule {
 public:
   poll_schedule(const sentinel_settings& s, std::uint64_t seed) : settings_(&s), random_(seed) {}

   time_point deadline() const { return std::min(poll_at_, hint_at_); }
   bool commands_wait() const { return commands_wait_; }

   // Full jitter, doubled with each failure in a row up to `cap`; also for whoever is dialled again.
   duration backoff(unsigned failures, duration cap) {
      const auto rule = exponential_backoff({.base = settings_->outage_base, .cap = cap});
      return std::max<duration>(rule.delay(failures, random_), std::chrono::milliseconds(1));
   }

   // The next poll, from now.
   void plan(bool alert, time_point now) {
      const duration most = alert ? settings_->alert_poll : settings_->idle_poll;
      poll_at_ = after(
         now, commands_wait_ ? backoff(polls_in_need_++, settings_->outage_poll) : random_.between(most * 3 / 4, most));
   }
   void poll_at_latest(time_point when) { poll_at_ = std::min(poll_at_, when); }
   bool poll_is_due(time_point now) const { return now >= poll_at_; }
   // Commands wait for a connection, or no longer. Whether that is different from before.
   bool on_need(bool commands_wait) {
      if (commands_wait == std::exchange(commands_wait_, commands_wait)) return false;
      polls_in_need_ = 0;
      return true;
   }

   void on_hint(time_point now) { hint_at_ = std::min(hint_at_, std::max(now, after(asked_at_, spacing()))); }
   void on_doubt(time_point now) { hint_at_ = now; }  // commands are held: no time to wait for further hints
   // Whether it is to be asked about now.
   bool take_hint(time_point now) {
      if (now < hint_at_) return false;
      hint_at_ = never;
      asked_at_ = now;
      return true;
   }

   // The target's role.
   void on_refused(duration cap, time_point now) { poll_at_latest(after(now, backoff(refusals_++, cap))); }
   void forget_refusals() { refusals_ = 0; }

 private:
   duration spacing() const { return settings_->hint_spacing; }

   const sentinel_settings* settings_;
   random_source random_;
   time_point poll_at_ = never;
   unsigned polls_in_need_ = 0;
   bool commands_wait_ = false;
   unsigned refusals_ = 0;                    // in a row
   time_point asked_at_ = time_point::min();  // about a hint
   time_point hint_at_ = never;
};

}  // namespace holdfast::impl

// Whether to try again, and when: the decision of a retry loop, without its clock, its sleep and its failures.
#pragma once

#include <holdfast/policy/backoff.hpp>
#include <holdfast/policy/deadline.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>

#include <optional>
#include <utility>

namespace holdfast {

// Where one caller stands: at most so many retries (unset: any number), none after the deadline. A wait that would go
// beyond the deadline is cut to it, and the try that follows is the last one, however early the caller is back. After
// each failure:
//
//    if (progress.spent(now)) give_up(); else wait(progress.next_wait(now, random)), try_again();
//
// Not thread-safe.
class retry_progress {
 public:
   explicit retry_progress(backoff waits, std::optional<unsigned> max_retries = {}, deadline until = {})
      : waits_(std::move(waits)), max_retries_(max_retries), until_(until) {}

   bool spent(time_point now) const {
      return last_ || (max_retries_ && retries() >= *max_retries_) || until_.expired(now);
   }
   // The wait before the next try, which it counts.
   duration next_wait(time_point now, random_source& random) {
      const duration wanted = waits_.next(random);
      const duration wait = until_.cut(wanted, now);
      last_ = wait < wanted;
      return wait;
   }
   unsigned retries() const { return waits_.attempts(); }

 private:
   backoff_sequence waits_;
   std::optional<unsigned> max_retries_;
   deadline until_;
   bool last_ = false;
};

}  // namespace holdfast

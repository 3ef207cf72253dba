// When a connection showed life last while a reply is waited for. A reply of forty megabytes, or a command of that
// size, may take longer than any timeout: so a byte that comes is life, and a byte of the oldest command that goes.
//
// Bytes go unseen: the kernel takes them long before the server does. Once its buffer is full, each byte more that it
// takes has made room by reaching the other side. For what the buffer holds the kernel is asked each second
// (`transit`). What stands behind the oldest command does not count: the kernel of a frozen server takes in much.
#pragma once

#include "link/link.hpp"

#include <holdfast/time.hpp>

#include <algorithm>

namespace holdfast::impl {

class life {
 public:
   using position = outbox::position;

   explicit life(duration attempt_timeout) : each_(std::min<duration>(std::chrono::seconds(1), attempt_timeout / 3)) {}

   void begin() { *this = life(each_ * 3); }  // another connection
   void received(time_point now) { last_ = now; }
   // The kernel has taken all up to `accepted` now; `oldest`: where the oldest command ends.
   void wrote(position accepted, position oldest, bool full, time_point now) {
      if (full_ && accepted_ < oldest) last_ = now;
      accepted_ = accepted;
      full_ = full;
   }
   void measured(const transit&, position oldest, time_point since, time_point now);

   time_point last() const { return last_; }
   // When to measure next, if silence goes back to `since` and the outbox ends at `appended`.
   time_point look_at(time_point since, position appended) const {
      return appended == arrived_ ? never : after(std::max(since, looked_), each_);
   }
   void looked(time_point now) { looked_ = now; }
   // The other side's kernel is gone, as far as ours can tell.
   bool is_gone(time_point now) const {
      return unanswered_since_ != never && now - unanswered_since_ >= std::chrono::seconds(4);
   }

 private:
   duration each_;  // from one measurement to the next: the second comes before the timeout
   time_point last_ = {};
   position accepted_ = 0;
   bool full_ = false;       // the kernel did not take all that there was
   position delivered_ = 0;  // by the last measurement, up to the end of the oldest command
   position arrived_ = 0;    // all before it have reached the other side's kernel
   time_point looked_ = {};  // the last measurement, or when it was due
   time_point unanswered_since_ = never;
};

}  // namespace holdfast::impl

// Patience with the other side of a connection: how long its answer, or the connect, may take at present, and whether
// one is overdue. A side that is far away is measured, and gets twice what it took.
#pragma once

#include <holdfast/time.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace holdfast::impl {

class answer_patience {
 public:
   // `timeout`: at least; `longest`: at most.
   answer_patience(duration timeout, duration longest) : timeout_(timeout), longest_(longest), current_(timeout) {}

   void on_dial(time_point now) {
      unanswered_ = 0;
      wait_from(now);
   }
   void on_opened(time_point now, duration took) {
      if (2 * took > current_) measured(took);
      heard_at_ = now;
      excused_ = false;
      on_closed();
   }
   void on_closed() {
      unanswered_ = 0;
      give_up_at_ = never;
   }
   void on_asked(unsigned answers, time_point now) {
      if (unanswered_ == 0) {
         give_up_at_ = after(now, current_);
         asked_at_ = now;
      }
      unanswered_ += answers;
      asked_ += answers;
   }
   void on_heard(time_point now, bool an_answer) {
      heard_at_ = now;
      if (an_answer && unanswered_ != 0) {
         --unanswered_;
         if (asked_at_ != never) measured(now - asked_at_);
         asked_at_ = never;
      }
      wait_from(now);
      if (unanswered_ == 0) give_up_at_ = never;
   }
   // The time that was waited in vain, once it has passed; the next one is longer. A late look grants it once more.
   std::optional<duration> take_overdue(time_point now, bool late) {
      if (now < give_up_at_) return std::nullopt;
      if (!late || excused_) return std::exchange(current_, std::min(2 * current_, longest_));
      wait_from(now);
      excused_ = true;
      return std::nullopt;
   }

   duration current() const { return current_; }
   duration least() const { return timeout_; }
   time_point give_up_at() const { return give_up_at_; }  // never: nothing is awaited
   time_point heard_at() const { return heard_at_; }
   unsigned unanswered() const { return unanswered_; }
   std::uint64_t asked() const { return asked_; }                   // answers that were asked for, on all connections
   std::uint64_t answered() const { return asked_ - unanswered_; }  // or lost

 private:
   void measured(duration took) { current_ = std::clamp(2 * took, timeout_, longest_); }
   void wait_from(time_point now) {
      excused_ = false;
      give_up_at_ = after(now, current_);
   }

   duration timeout_;
   duration longest_;
   duration current_;
   time_point asked_at_ = never;  // until the first answer
   unsigned unanswered_ = 0;
   std::uint64_t asked_ = 0;
   bool excused_ = false;  // a late look has granted the time once more
   time_point give_up_at_ = never;
   time_point heard_at_ = time_point::min();
};

}  // namespace holdfast::impl

// How long a connector waits between its tries, and how long a refusal is taken for one that passes.
#pragma once

#include <holdfast/policy/backoff.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>

#include <cstdint>

namespace holdfast::impl {

class dial_pauses {
 public:
   // `failover_cap`: no pause is longer while a failover is under way. `spread`: a random wait up to this comes before
   // a new master is dialled.
   dial_pauses(const backoff&, duration failover_cap, duration spread, std::uint64_t seed);

   duration next(bool failover_in_progress);
   duration next_refused() { return refusals_.next(random_); }  // of a server that is full: each try costs it more
   void on_master_changed();
   bool must_spread() const { return !spread_done_; }
   duration take_spread() {
      spread_done_ = true;
      return random_.between({}, spread_);
   }

   // A connection that is ready, and answers nothing, has not worked.
   void on_ready() {
      refusing_since_ = {};
      proven_ = false;
      ever_ready_ = true;
   }
   void on_answered() {
      if (proven_) return;
      proven_ = true;
      pauses_.reset();
      refusals_.reset();
   }
   bool ever_ready() const { return ever_ready_; }
   bool proven() const { return proven_; }  // the last connection that was ready did answer a command

   // Whether it is of no use to wait until a password, say, is right. After a failover the new master may have other
   // users for a while; but not for long.
   bool refusal_lasts(time_point now);

 private:
   random_source random_;
   backoff_sequence pauses_;
   backoff_sequence refusals_;
   duration failover_cap_;
   duration spread_;
   bool spread_done_ = true;
   bool proven_ = true;
   bool ever_ready_ = false;
   time_point refusing_since_ = {};  // of the handshakes refused by reason of what we are, in close succession
   time_point last_refusal_ = {};
};

}  // namespace holdfast::impl

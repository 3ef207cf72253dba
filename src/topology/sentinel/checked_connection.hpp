// One connection of the tracker, as far as it is the same for a Sentinel's answers, a Sentinel's events and a server's
// role: dialled, given up when no answer comes in time, checked when nothing was heard for a while, dialled again.
//
// Only `check`, called by a tick, gives up. A tick may be `late`, as a blocking client is away between two commands:
// what arrived meanwhile was delivered first, but the dial or the question may have got nowhere. So a deadline that a
// late tick finds passed is granted once more from now on. Once: a dead Sentinel is to be noticed all the same.
#pragma once

#include "link/link.hpp"
#include "topology/sentinel/sentinel_settings.hpp"

#include <holdfast/time.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::impl {

// The AUTH command for the Sentinels; empty where there is no password.
std::string auth_bytes(const sentinel_settings&);

class checked_connection {
 public:
   enum class phase : std::uint8_t {
      resting,  // closed; dialled again when `retry_at` comes
      dialing,
      open,
   };
   enum class due : std::uint8_t { nothing, dial, ping, connect_timeout, answer_timeout };

   // `timeout`: of the connect, and of each answer; `ping`: the silence after which it is checked. A peer that is far
   // away is measured: `most` times the timeout is what an answer may take at most.
   checked_connection(duration timeout, duration ping, wish_list& wishes, const limits& l, unsigned most = 1)
      : link(wishes, l, 4 * 1024), timeout_(timeout), longest_(most * timeout), patience_(timeout), ping_(ping) {}

   impl::link link;
   unsigned failures = 0;  // in a row; whoever dials counts them

   phase now() const { return phase_; }
   bool is_open() const { return phase_ == phase::open; }

   void dial(const endpoint& where, time_point now);
   void opened(time_point now);
   void close();  // lost, given up or not wanted: rests until `retry_from` says when
   void retry_from(time_point when) { retry_at_ = when; }
   time_point retry_at() const { return retry_at_; }
   time_point tried_at() const { return tried_at_; }  // the last dial

   void send(std::string_view bytes, unsigned answers, time_point now);
   void heard(time_point now, bool an_answer);
   unsigned unanswered() const { return unanswered_; }
   std::uint64_t asked() const { return asked_; }  // answers that were asked for, on all its connections
   std::uint64_t answered() const { return asked_ - unanswered_; }  // or lost

   due check(time_point now, bool late);
   std::string overdue_text() const;  // of the timeout that `check` has just found
   duration patience() const { return patience_; }
   time_point deadline() const;

 private:
   bool overdue(time_point now, bool late);
   void measured(duration took) { patience_ = std::clamp(2 * took, timeout_, longest_); }

   duration timeout_;
   duration longest_;
   duration patience_;  // the timeout as it is at present
   duration passed_ = {};
   time_point asked_at_ = never;  // until the first answer
   duration ping_;
   phase phase_ = phase::resting;
   unsigned unanswered_ = 0;
   std::uint64_t asked_ = 0;
   bool excused_ = false;
   time_point retry_at_ = never;
   time_point tried_at_ = time_point::min();
   time_point give_up_at_ = never;  // dialing, or while something is unanswered
   time_point heard_at_ = time_point::min();
};

}  // namespace holdfast::impl

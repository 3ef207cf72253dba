// One connection of the tracker, as far as it is the same for a Sentinel's answers, a Sentinel's events and a server's
// role: dialled, greeted, read, given up when no answer comes in time, checked when nothing was heard for a while,
// dialled again.
//
// Only `check`, called by a tick, gives up. A tick may be `late`, as a blocking client is away between two commands:
// what arrived meanwhile was delivered first, but the dial or the question may have got nowhere. So a deadline that a
// late tick finds passed is granted once more from now on. Once: a dead Sentinel is to be noticed all the same.
#pragma once

#include "commands/handshake.hpp"
#include "link/link.hpp"
#include "topology/sentinel/answer_patience.hpp"
#include "topology/sentinel/sentinel_settings.hpp"

#include <holdfast/time.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::impl {

class checked_connection {
 public:
   enum class phase : std::uint8_t {
      resting,  // closed; dialled again when `retry_at` comes
      dialing,
      open,
   };
   using subject = handshake::subject;

   // The settings outlive it. A Sentinel that is far away is measured: `most_patience` times the timeout is what an
   // answer of it may take at most.
   checked_connection(const sentinel_settings&, subject, io_queue&, const limits&);

   impl::link link;
   unsigned failures = 0;  // in a row; whoever dials counts them

   phase now() const { return phase_; }
   bool is_open() const { return phase_ == phase::open; }

   void dial(const endpoint& where, time_point now);
   void opened(time_point now);
   // The handshake, and its findings until the next one.
   const handshake& greeting() const { return greeting_; }
   void ask_role(time_point now);
   void forget() { greeting_ = {}; }  // the next dial is to another node
   void lost(const std::string& why) { fail(last_words_.empty() ? why : "ended the connection: " + last_words_); }
   void fail(std::string why, bool refused = false);
   const std::string& problem() const { return problem_; }
   bool refused() const { return refused_; }  // the last failure was no matter of the network
   void close();                              // lost, given up or not wanted: rests until `retry_from` says when
   void retry_from(time_point when) { retry_at_ = when; }
   time_point retry_at() const { return retry_at_; }
   time_point tried_at() const { return tried_at_; }  // the last dial

   void send(std::string_view bytes, unsigned answers, time_point now);
   void heard(time_point now, bool an_answer);
   unsigned unanswered() const { return patience_.unanswered(); }
   std::uint64_t asked() const { return patience_.asked(); }
   std::uint64_t answered() const { return patience_.answered(); }

   // Gives what came to the owner, one thing after the other, until it makes an event of one: `greeted` once the
   // handshake is over, `take_reply` then. The owner says `fail` of what does not fit.
   template <class Owner>
   typename Owner::event take(Owner& owner, time_point now) {
      using event = typename Owner::event;
      while (is_open()) {
         const auto status = link.in.next();
         if (status == reader::status::incomplete) break;
         auto found = event::nothing;
         if (status == reader::status::broken)
            fail("broke the protocol: " + link.in.problem());
         else if (greeting_.now() == handshake::state::ready)
            found = owner.take_reply(link.in.reply(), now);
         else if (is_greeted_with(link.in.reply(), now))
            found = owner.greeted();
         if (!is_open()) return event::failed;
         if (found != event::nothing) return found;
      }
      return event::nothing;
   }
   // Gives up, or has the owner `ping` after a silence.
   template <class Owner>
   typename Owner::event check(Owner& owner, time_point now, bool late) {
      if (is_overdue(now, late)) return Owner::event::failed;
      if (is_open() && unanswered() == 0 && now >= deadline()) owner.ping(now);
      return Owner::event::nothing;
   }
   duration patience() const { return patience_.current(); }
   time_point deadline() const;

 private:
   bool is_of_sentinel() const { return subject_ == subject::sentinel; }
   void send_greeting(time_point now);
   bool is_greeted_with(value_view reply, time_point now);
   bool is_overdue(time_point now, bool late);
   std::string overdue_text(duration passed) const;
   void set_phase(phase p) { phase_ = p; }

   const sentinel_settings* settings_;
   subject subject_;
   handshake greeting_;
   std::string last_words_;  // an error, while nothing else was answered on this connection
   std::string problem_;
   bool refused_ = false;
   answer_patience patience_;
   phase phase_ = phase::resting;
   time_point retry_at_ = never;
   time_point tried_at_ = time_point::min();
};

}  // namespace holdfast::impl

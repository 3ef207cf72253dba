// Silence: how long the lane waits for bytes, and what follows. A node that does not answer may be slow, stopped or cut
// off. One slow reply must not make a thousand commands unknown, so a second connection probes the node before the
// first is given up. Any answer to the probe shows life, an error too. ("Suspicion" in docs/architecture.md)
#pragma once

#include "lane/ledger.hpp"
#include "lane/life.hpp"
#include "link/link.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/event.hpp>
#include <holdfast/time.hpp>

#include <optional>
#include <string>

namespace holdfast::impl {

class suspicion final : public link_owner {
 public:
   // `connect_timeout` also bounds the wait for a PING of our own.
   suspicion(link& probe, event_queue&, duration attempt_timeout, duration connect_timeout);

   // Replies that the lane waits for.
   struct awaited {
      const ledger_slot* oldest = nullptr;           // the oldest unanswered command; null: none
      bool tests_idle = false;                       // it is the PING that tests an idle connection
      std::optional<time_point> leaving_since = {};  // the connection ends once all is answered
      outbox::position appended = 0;                 // the end of what was given to the connection
   };
   struct finding {
      bool raised = false;    // the node is suspected from now on: the Sentinels are to be asked
      std::string lost = {};  // why the connection is to be given up; empty: it is not
   };
   finding check(const awaited&, const endpoint& where, time_point now);
   time_point ends(const awaited&) const;  // when `check` finds something
   void clear(bool answered);              // the node answered on the first connection, or that was given up
   void set_called_down(bool b) { called_down_ = b; }  // by the Sentinels

   // The first connection.
   void on_connected() { life_.begin(); }
   void on_waiting(time_point now) { silent_since_ = now; }  // from now on a reply is waited for
   void on_bytes(time_point now) {
      last_heard_ = now;
      life_.received(now);
      if (raised()) clear(true);
   }
   void on_reply(time_point now) {
      silent_since_ = now;
      if (raised()) clear(true);
   }
   duration idle_for(time_point now) const { return now - last_heard_; }

   // State of the bytes that go, from the kernel. `look_at`: when to ask it next.
   life& sent() { return life_; }
   time_point look_at(const awaited& a) const {
      return a.oldest == nullptr ? never : life_.look_at(silent_since(), a.appended);
   }
   time_point silent_since() const { return std::max(silent_since_, life_.last()); }

   bool raised() const { return state_ != state::none; }

 private:
   // The probe.
   void on_opened(link&, time_point) override { probe_.write("*1\r\n$4\r\nPING\r\n"); }
   void on_received(link&, time_point) override;
   void on_lost(link&, std::string_view, time_point) override {}  // as no answer: it is the silence that counts

   enum class state : std::uint8_t { none, probing, answered };
   void set_state(state s) { state_ = s; }
   void raise(const endpoint& where, time_point now);
   time_point probe_ends() const;

   link& probe_;
   event_queue& events_;
   duration attempt_timeout_;
   duration connect_timeout_;
   life life_;
   state state_ = state::none;
   endpoint where_;
   time_point raised_at_ = {};
   time_point silent_since_ = {};  // the oldest unanswered command waits since
   time_point last_heard_ = {};    // bytes came
   bool called_down_ = false;
};

}  // namespace holdfast::impl

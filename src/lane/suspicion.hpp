// A node that does not answer: slow, stopped or cut off? One slow reply must not make a thousand commands unknown, so a
// second connection probes the node before the first is given up. Any answer to the probe, an error too, shows life.
#pragma once

#include "link/link.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/event.hpp>
#include <holdfast/time.hpp>

namespace holdfast::lane {

class suspicion {
 public:
   suspicion(resp::link& probe, event_queue& events) : link_(probe), events_(events) {}

   void raise(const endpoint& where, duration silent_for, time_point now);
   void clear(bool answered);  // the node answered on the first connection, or that was given up

   bool raised() const { return state_ != state::none; }
   time_point raised_at() const { return raised_at_; }
   bool answered() const { return state_ == state::answered; }  // by the probe
   // The probe had time enough, and no answer came.
   bool probe_failed(time_point now) const { return state_ == state::probing && now >= probe_ends(); }
   time_point probe_ends() const { return state_ == state::probing ? after(raised_at_, patience) : never; }

   void on_opened() { link_.write("*1\r\n$4\r\nPING\r\n"); }
   void on_received();
   void on_lost() {}  // as good as no answer: it is the silence that counts

 private:
   enum class state : std::uint8_t { none, probing, answered };
   // Connecting and one PING: two round trips, which even between continents take less.
   static constexpr duration patience = std::chrono::milliseconds(500);

   resp::link& link_;
   event_queue& events_;
   endpoint where_;
   time_point raised_at_ = {};
   state state_ = state::none;
};

}  // namespace holdfast::lane

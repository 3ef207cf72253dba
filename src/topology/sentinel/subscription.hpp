// The subscription to one Sentinel's events, on a connection of its own: in RESP2, which every Sentinel speaks, a
// connection that subscribes can do nothing else (but PING).
#pragma once

#include "topology/sentinel/checked_connection.hpp"

#include <holdfast/command.hpp>
#include <holdfast/value.hpp>

#include <string>
#include <string_view>

namespace holdfast::impl {

class subscription {
 public:
   enum class event : std::uint8_t {
      nothing,  // all that came was read
      active,   // events come from now on; what happened before has to be asked for
      said,     // `channel` and `payload`, valid until the next call
      failed,   // the connection is closed
   };

   subscription(const sentinel_settings& s, io_queue& io, const limits& l);

   checked_connection connection;

   void dial(const endpoint& where, time_point now) { connection.dial(where, now); }
   void probe(time_point now) { ping(now); }  // while active: is it still there?
   void opened(time_point now);
   void lost(const std::string& why) { connection.lost(why); }
   // The run id of the Sentinel at the other end, told before the first event; empty where it does not tell. Behind one
   // address there can be several Sentinels, so that it need not be the one that answers the questions.
   const std::string& id() const { return connection.greeting().self().run_id; }
   bool active() const { return connection.is_open() && confirmed_ == wanted_; }

   event take(time_point now) { return connection.take(*this, now); }
   event check(time_point now, bool late) { return connection.check(*this, now, late); }

   std::string_view channel() const { return channel_; }
   std::string_view payload() const { return payload_; }
   bool refused() const { return connection.refused(); }  // it was not the network: trying again soon is no use

 private:
   friend class checked_connection;
   event greeted() { return event::nothing; }
   event take_reply(value_view reply, time_point now);
   void ping(time_point now) { connection.send(command{"PING"}.bytes(), 1, now); }

   std::string subscribe_;  // the command, serialised once
   std::size_t wanted_ = 0;
   std::size_t confirmed_ = 0;
   std::string_view channel_;
   std::string_view payload_;
};

}  // namespace holdfast::impl

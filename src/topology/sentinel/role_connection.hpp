// A connection of the tracker to a server. It asks for the node's role (commands/handshake.hpp), and then it stays: its
// end is the first sign that the node was promoted, because Sentinel ends a node's connections in the transaction that
// makes it a master (sentinelSendSlaveOf in Redis' sentinel.c).
#pragma once

#include "topology/sentinel/checked_connection.hpp"

#include <cstdint>
#include <string>

namespace holdfast::impl {

class role_connection {
 public:
   enum class event : std::uint8_t {
      nothing,  // all that came was read
      role,     // `role` is new
      failed,   // the connection is closed
   };

   role_connection(const sentinel_settings& s, io_queue& io, const limits& l)
      : connection(s, s.follow_role_hint ? handshake::subject::follows : handshake::subject::role, io, l) {}

   checked_connection connection;

   // Once more, unless a question is under way.
   void ask(time_point now) {
      if (connection.is_open() && connection.unanswered() == 0) ping(now);
   }
   event take(time_point now) { return connection.take(*this, now); }
   event check(time_point now, bool late) { return connection.check(*this, now, late); }

   bool is_known() const { return connection.is_open() && !role().empty(); }
   const std::string& role() const { return connection.greeting().role(); }  // "master", "slave"
   const endpoint& follows() const { return connection.greeting().follows(); }

 private:
   friend class checked_connection;
   event greeted() { return event::role; }
   // A server that turns us away says so unasked.
   event take_reply(value_view, time_point) {
      connection.fail("said what nobody asked for");
      return event::failed;
   }
   void ping(time_point now) { connection.ask_role(now); }
};

}  // namespace holdfast::impl

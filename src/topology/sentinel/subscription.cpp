#include "topology/sentinel/subscription.hpp"

#include "topology/sentinel/sentinel_event.hpp"
#include "topology/sentinel/sentinel_reply.hpp"

namespace holdfast::impl {

subscription::subscription(const sentinel_settings& s, io_queue& io, const limits& l)
   : connection(s, handshake::subject::sentinel, io, l), wanted_(event_channels().size()) {
   command c{"SUBSCRIBE"};
   for (const auto channel : event_channels()) c.arg(channel);
   subscribe_ = c.bytes();
}

void subscription::opened(time_point now) {
   connection.opened(now);
   confirmed_ = 0;
   connection.send(subscribe_, static_cast<unsigned>(wanted_), now);
}

subscription::event subscription::take_reply(value_view reply, time_point now) {
   const auto what = reply.kind() == kind::array && reply.size() != 0 ? reply[0].text() : std::string_view();
   if (what == "message" && reply.size() == 3) {
      connection.heard(now, false);
      channel_ = reply[1].text();
      payload_ = reply[2].text();
      return event::said;
   }
   if (what == "subscribe" && reply.size() == 3 && confirmed_ != wanted_) {
      connection.heard(now, true);
      return ++confirmed_ == wanted_ ? event::active : event::nothing;
   }
   // The answer to PING; a server may not mark it as an event.
   if ((what == "pong" || reply.kind() == kind::status) && connection.unanswered() != 0 && active()) {
      connection.heard(now, true);
      return event::nothing;
   }
   if (reply.is_error())
      connection.fail("refused to send events: " + shown(reply.text()), true);
   else
      connection.fail("broke the protocol: sent what is no event");
   return event::failed;
}

}  // namespace holdfast::impl

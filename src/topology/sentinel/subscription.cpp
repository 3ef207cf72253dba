#include "topology/sentinel/subscription.hpp"

#include "topology/sentinel/sentinel_event.hpp"
#include "topology/sentinel/sentinel_reply.hpp"

#include <holdfast/command.hpp>

namespace holdfast::impl {

subscription::subscription(const sentinel_settings& s, wish_list& wishes, const limits& l)
   : connection(s.timeout, s.ping, wishes, l, sentinel_settings::most_patience),
     auth_(auth_bytes(s)),
     id_question_(command{"SENTINEL", "MYID"}.bytes()),
     ping_(command{"PING"}.bytes()),
     wanted_(event_channels().size()) {
   command c{"SUBSCRIBE"};
   for (const auto channel : event_channels()) c.arg(channel);
   subscribe_ = c.bytes();
}

void subscription::opened(time_point now) {
   connection.opened(now);
   confirmed_ = 0;
   refused_ = false;
   auth_expected_ = !auth_.empty();
   if (auth_expected_) connection.send(auth_, 1, now);
   id_.clear();
   id_expected_ = true;
   connection.send(id_question_, 1, now);
   connection.send(subscribe_, static_cast<unsigned>(wanted_), now);
}

subscription::event subscription::check(time_point now, bool late) {
   switch (connection.check(now, late)) {
      case checked_connection::due::connect_timeout:
      case checked_connection::due::answer_timeout: return fail(connection.overdue_text());
      case checked_connection::due::ping: connection.send(ping_, 1, now); break;
      case checked_connection::due::dial:
      case checked_connection::due::nothing: break;
   }
   return event::nothing;
}

subscription::event subscription::take(time_point now) {
   while (connection.is_open()) {
      switch (connection.link.in.next()) {
         case reader::status::incomplete: return event::nothing;
         case reader::status::broken: return fail("broke the protocol: " + connection.link.in.problem());
         case reader::status::reply: break;
      }
      if (const auto n = take_reply(connection.link.in.reply(), now); n != event::nothing) return n;
   }
   return event::nothing;
}

subscription::event subscription::take_reply(value_view reply, time_point now) {
   if (auth_expected_) {
      auth_expected_ = false;
      connection.heard(now, true);
      const auto c = read_auth(reply);
      if (c == sentinel_answer_kind::good) return event::nothing;
      if (c == sentinel_answer_kind::turned_away) return turned_away(reply);
      return fail("refused our user or password: " + shown(reply.text()), true);
   }
   if (id_expected_) {
      id_expected_ = false;
      connection.heard(now, true);
      id_ = read_id(reply);
      if (reply.is_error() && read_error(reply.text()) == sentinel_answer_kind::turned_away) return turned_away(reply);
      return event::nothing;
   }
   if (reply.is_error()) return fail("refused to send events: " + shown(reply.text()), true);
   if (reply.kind() == kind::status && connection.unanswered() != 0 && active()) {
      connection.heard(now, true);  // the answer to PING, of a server that does not mark it as an event
      return event::nothing;
   }
   return take_message(reply, now);
}

subscription::event subscription::take_message(value_view reply, time_point now) {
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
   if (what == "pong" && connection.unanswered() != 0 && active()) {
      connection.heard(now, true);
      return event::nothing;
   }
   return fail("broke the protocol: sent what is no event");
}

subscription::event subscription::turned_away(value_view reply) {
   return fail("turned the connection away: " + shown(reply.text()));
}

subscription::event subscription::fail(std::string why, bool refused) {
   problem_ = std::move(why);
   refused_ = refused;
   connection.link.pass_over();  // another one may stand behind the same name
   connection.close();
   return event::failed;
}

}  // namespace holdfast::impl

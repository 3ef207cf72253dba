#include "topology/sentinel/role_connection.hpp"

#include "commands/info_reply.hpp"
#include "topology/sentinel/sentinel_reply.hpp"

#include <utility>

namespace holdfast::impl {
namespace {

constexpr std::size_t longest_role = 32;

}  // namespace

role_connection::role_connection(const sentinel_settings& s, wish_list& wishes, const limits& l)
   : connection(s.node_timeout, s.ping, wishes, l), settings_(&s) {}

void role_connection::dial(const endpoint& where, time_point now) {
   known_ = false;
   expected_.clear();
   connection.dial(where, now);
}

void role_connection::send(expect e, const command& c, time_point now) {
   connection.send(c.bytes(), 1, now);
   expected_.push_back(e);
}

void role_connection::opened(time_point now) {
   const sentinel_settings& s = *settings_;
   connection.opened(now);
   asks_ = s.follow_role_hint ? question::role : question::hello;
   if (!s.node_username.empty())
      send(expect::auth, {"AUTH", s.node_username, s.node_password}, now);
   else if (!s.node_password.empty())
      send(expect::auth, {"AUTH", s.node_password}, now);
   if (!s.client_name.empty()) send(expect::name, {"CLIENT", "SETNAME", s.client_name}, now);
   write_question(now);
}

void role_connection::ask(time_point now) {
   if (connection.is_open() && connection.unanswered() == 0) write_question(now);
}

void role_connection::write_question(time_point now) {
   switch (asks_) {
      case question::hello: return send(expect::role, {"HELLO"}, now);
      case question::role: return send(expect::role, {"ROLE"}, now);
      case question::info: return send(expect::role, {"INFO", "replication"}, now);
   }
}

role_connection::event role_connection::check(time_point now, bool late) {
   switch (connection.check(now, late)) {
      case checked_connection::due::connect_timeout:
      case checked_connection::due::answer_timeout: return fail(connection.overdue_text());
      case checked_connection::due::ping: write_question(now); break;
      case checked_connection::due::dial:
      case checked_connection::due::nothing: break;
   }
   return event::nothing;
}

role_connection::event role_connection::take(time_point now) {
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

role_connection::event role_connection::take_reply(value_view reply, time_point now) {
   // A server that turns us away says so unasked.
   if (expected_.empty()) return fail("said what nobody asked for: " + shown(reply.text()));
   connection.heard(now, true);
   const expect e = expected_.front();
   expected_.erase(expected_.begin());
   switch (e) {
      case expect::auth:
         if (read_auth(reply) != sentinel_answer_kind::good)
            return fail("refused our user or password: " + shown(reply.text()));
         return event::nothing;
      case expect::name: return event::nothing;
      case expect::role: return take_role(reply, now);
   }
   return event::nothing;
}

role_connection::event role_connection::take_role(value_view reply, time_point now) {
   if (reply.is_error() || !read_role(reply)) {
      const auto why = read_error(reply.text());
      const bool passes = reply.text().starts_with("LOADING") || reply.text().starts_with("BUSY");
      const auto next = next_question();
      if (why == sentinel_answer_kind::refused || passes || !next)
         return fail("does not tell its role: " + shown(reply.text()));
      asks_ = *next;
      write_question(now);
      return event::nothing;
   }
   known_ = true;
   return event::role;
}

std::optional<role_connection::question> role_connection::next_question() const {
   const bool hello_first = !settings_->follow_role_hint;
   switch (asks_) {
      case question::hello: return hello_first ? std::optional(question::role) : std::nullopt;
      case question::role: return question::info;
      case question::info: return hello_first ? std::nullopt : std::optional(question::hello);
   }
   return std::nullopt;
}

bool role_connection::read_role(value_view reply) {
   follows_ = {};
   switch (asks_) {
      case question::hello: role_ = reply.find("role").text().substr(0, longest_role); break;
      case question::role: {
         if (reply.kind() != kind::array || reply.size() == 0) return false;
         role_ = reply[0].text().substr(0, longest_role);
         if (role_ == "slave" && reply.size() >= 3)
            follows_ = read_endpoint(reply[1].text(), std::to_string(reply[2].integer())).value_or(endpoint{});
         break;
      }
      case question::info: {
         const auto info = reply.text();
         role_ = info_value(info, "role");
         follows_ =
            read_endpoint(info_value(info, "master_host"), info_value(info, "master_port")).value_or(endpoint{});
         break;
      }
   }
   if (role_ == "replica") role_ = "slave";
   return role_ == "master" || role_ == "slave";
}

role_connection::event role_connection::fail(std::string why) {
   problem_ = std::move(why);
   known_ = false;
   expected_.clear();
   connection.close();
   return event::failed;
}

}  // namespace holdfast::impl

#include "drill/holdfast_write.hpp"

#include <string>
#include <utility>

namespace holdfast::drill {

config settings_of(const system_options& options, holdfast::observer observer) {
   config settings = config::from_uri(options.uri).value();
   settings.delivery = options.delivery;
   settings.cutover = options.cutover;
   settings.follow_role_hint = options.follow_role_hint;
   settings.observer = std::move(observer);
   if (options.breaker) settings.breaker = circuit_breaker_settings{};
   return settings;
}

command command_of(const operation& o) {
   switch (o.kind) {
      case write_kind::set: return {"SET", "drill:" + std::to_string(o.number), o.number};
      case write_kind::rpush: return {"RPUSH", "drill:list", o.number};
      case write_kind::incr: break;
   }
   return {"INCR", "drill:counter"};
}

void note_reply(operation& o, const result<value>& reply, const std::stop_token& stop) {
   o.acked = reply.has_value();
   if (o.acked) {
      if (reply->kind() == kind::integer) o.integer = reply->integer();
      o.status = reply->text();
      return;
   }
   const error& e = reply.error();
   o.outcome = e.outcome;
   o.code = e.code().message();
   o.why = e.what();
   o.refused = e.code() == errc::not_supported || e.code() == errc::invalid_argument;
   o.cancelled = e.code() == errc::cancelled && stop.stop_requested();
}

}  // namespace holdfast::drill

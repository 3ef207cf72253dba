#include "drill/systems_under_test.hpp"

#include <holdfast/client.hpp>

namespace holdfast::drill {
namespace {

class holdfast_system final : public system_under_test {
 public:
   holdfast_system(config settings, unsigned acks) : client_(std::move(settings)), acks_(acks) {}

   void write(operation& o, const std::stop_token& stop) override {
      const call_options options = {.acks = acks_, .stop = stop};
      const result<value> reply = client_.run(as_command(o), options);
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

 private:
   static command as_command(const operation& o) {
      switch (o.kind) {
         case write_kind::set: return {"SET", "drill:" + std::to_string(o.number), o.number};
         case write_kind::rpush: return {"RPUSH", "drill:list", o.number};
         case write_kind::incr: break;
      }
      return {"INCR", "drill:counter"};
   }

   client client_;
   unsigned acks_;
};

}  // namespace

std::unique_ptr<system_under_test> make_holdfast_system(const system_options& options, holdfast::observer observer) {
   config settings = config::from_uri(options.uri).value();
   settings.delivery = options.delivery;
   settings.cutover = options.cutover;
   settings.follow_role_hint = options.follow_role_hint;
   settings.observer = std::move(observer);
   if (options.breaker) settings.breaker = circuit_breaker_settings{};
   return std::make_unique<holdfast_system>(std::move(settings), options.acks);
}

}  // namespace holdfast::drill

#include "drill/systems_under_test.hpp"

#include <holdfast/client.hpp>
#include <holdfast/shared_client.hpp>

#include <deque>
#include <thread>

namespace holdfast::drill {
namespace {

template <class Client>
class holdfast_system : public system_under_test {
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

   Client client_;
   unsigned acks_;

 protected:
   Client& shared() { return client_; }
};

// A client that others use, too: threads that read all the time, on the same connection.
class shared_system final : public holdfast_system<shared_client> {
 public:
   shared_system(config settings, unsigned acks) : holdfast_system(std::move(settings), acks) {
      for (int i = 0; i < 4; ++i) others_.emplace_back([this](const std::stop_token& stop) { read_until(stop); });
   }

 private:
   void read_until(const std::stop_token& stop) {
      while (!stop.stop_requested()) {
         (void)shared().run({"GET", "drill:counter"}, {.stop = stop});
         std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
   }

   std::deque<std::jthread> others_;
};

}  // namespace

std::unique_ptr<system_under_test> make_holdfast_system(const system_options& options, holdfast::observer observer) {
   config settings = config::from_uri(options.uri).value();
   settings.delivery = options.delivery;
   settings.cutover = options.cutover;
   settings.follow_role_hint = options.follow_role_hint;
   settings.observer = std::move(observer);
   if (options.breaker) settings.breaker = circuit_breaker_settings{};
   if (options.client == "shared") return std::make_unique<shared_system>(std::move(settings), options.acks);
   return std::make_unique<holdfast_system<client>>(std::move(settings), options.acks);
}

}  // namespace holdfast::drill

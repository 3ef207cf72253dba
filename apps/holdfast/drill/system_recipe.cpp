// What many programs do, for comparison: each command in a function that catches connection errors, sleeps five seconds
// and tries again, three times. It asks a Sentinel whenever it connects, and trusts the socket in between.
#include "drill/systems_under_test.hpp"
#include "lab/control.hpp"

#include <holdfast/config.hpp>

#include <condition_variable>
#include <mutex>

namespace holdfast::drill {
namespace {

constexpr unsigned most_retries = 3;
constexpr lab::milliseconds wait_between(5000);
constexpr lab::milliseconds socket_timeout(1000);

class recipe_system final : public system_under_test {
 public:
   recipe_system(config where, holdfast::observer observer)
      : where_(std::move(where)), observer_(std::move(observer)) {}

   void write(operation& o, const std::stop_token& stop) override {
      for (unsigned retries = 0;; ++retries) {
         try {
            if (!connection_) connect();
            const lab::reply r = connection_->ask(words(o));
            o.acked = !r.is_error();
            if (r.kind == lab::reply::type::integer) o.integer = r.integer;
            o.status = r.text;
            o.outcome = outcome::not_executed;
            o.code = o.why = r.text;
            return;
         } catch (const lab::control_error& e) {
            o.code = o.why = e.what();
            o.outcome = outcome::unknown;
            lose(e.what());
         }
         if (retries == most_retries || !slept(stop)) break;
      }
      o.cancelled = stop.stop_requested();
   }

 private:
   static std::vector<std::string> words(const operation& o) {
      const std::string number = std::to_string(o.number);
      if (o.kind == write_kind::set) return {"SET", "drill:" + number, number};
      if (o.kind == write_kind::rpush) return {"RPUSH", "drill:list", number};
      return {"INCR", "drill:counter"};
   }

   void connect() {
      endpoint master = where_.server;
      for (const endpoint& sentinel : where_.sentinels) {
         try {
            const auto r = lab::control(sentinel, {where_.sentinel_username, where_.sentinel_password}, socket_timeout)
                              .run({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", where_.master});
            if (r.elements.size() != 2) continue;
            master = {r.elements[0].text, static_cast<std::uint16_t>(std::stoi(r.elements[1].text))};
            break;
         } catch (const lab::control_error&) {
            continue;
         }
      }
      connection_.emplace(master, lab::credentials{where_.username, where_.password}, socket_timeout);
      connection_->ask({"CLIENT", "SETNAME", "recipe"});
      observer_(event::connected{.master = master});
   }

   void lose(const std::string& why) {
      if (!connection_) return;
      observer_(event::connection_lost{.where = connection_->where(), .why = why, .unanswered = 1});
      connection_.reset();
   }

   static bool slept(const std::stop_token& stop) {
      std::mutex guard;
      std::condition_variable_any wake;
      std::unique_lock lock(guard);
      wake.wait_for(lock, stop, wait_between, [] { return false; });
      return !stop.stop_requested();
   }

   config where_;
   holdfast::observer observer_;
   std::optional<lab::control> connection_;
};

}  // namespace

std::unique_ptr<system_under_test> make_recipe_system(const system_options& options, holdfast::observer observer) {
   return std::make_unique<recipe_system>(config::from_uri(options.uri).value(), std::move(observer));
}

}  // namespace holdfast::drill

// The recipe for any callable: catch what is transient, wait, call again, and pass the last failure on unchanged.
// Needs <holdfast/retry.hpp> alone.
#include <holdfast/retry.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

namespace {

// Somebody else's client, with exceptions of its own.
struct out_of_reach : std::runtime_error {
   using std::runtime_error::runtime_error;
};

class weather_service {
 public:
   int temperature(const std::string& city) {
      if (++calls_ <= 2) throw out_of_reach("no answer from the service, call " + std::to_string(calls_));
      if (city == "Atlantis") throw std::invalid_argument("there is no " + city);
      return 21;
   }

 private:
   int calls_ = 0;
};

std::string text_of(const std::exception_ptr& thrown) {
   try {
      std::rethrow_exception(thrown);
   } catch (const std::exception& e) {
      return e.what();
   }
}

int lisbon() {
   weather_service service;
   // [first]
   const int degrees = holdfast::retry(
      {.max_retries = 3, .backoff = holdfast::fixed_backoff(20ms), .retry_if = holdfast::retry_on<out_of_reach>()},
      &weather_service::temperature, service, "Lisbon");
   // [first]
   return degrees;
}

}  // namespace

int main() {
   if (lisbon() != 21) return 1;
   // [retry]
   // At most four calls and three waits, and nothing after two seconds, whatever the count.
   const holdfast::retry_policy policy{
      .max_retries = 3,
      .backoff = holdfast::exponential_backoff({.base = 20ms, .factor = 2, .cap = 1s}),
      .deadline = 2s,
      .retry_if = holdfast::retry_on<out_of_reach>(),
      .on_retry =
         [](unsigned attempt, holdfast::duration delay, const std::exception_ptr& why) {
            std::cout << "retry " << attempt << " in " << delay / 1ms << " ms: " << text_of(why) << '\n';
         },
   };

   weather_service service;
   const int degrees = holdfast::retry(policy, &weather_service::temperature, service, "Lisbon");
   // [retry]
   std::cout << "Lisbon: " << degrees << " degrees\n";

   // What is not transient passes at once.
   try {
      holdfast::retry(policy, &weather_service::temperature, service, "Atlantis");
   } catch (const std::invalid_argument& e) {
      std::cout << "not retried: " << e.what() << '\n';
      return 0;
   }
   return 1;
}

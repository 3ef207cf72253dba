// A user's program, built against the installed package and nothing else of this project; run beside a real Redis.
#if __has_include(<holdfast/holdfast.hpp>)
#include <holdfast/holdfast.hpp>
#else
#include <holdfast/error.hpp>
#include <holdfast/result.hpp>
#endif

#include <cstdlib>
#include <iostream>

int main() {
#if __has_include(<holdfast/client.hpp>)
   holdfast::client redis{std::getenv("HOLDFAST_URI")};
   redis.set("greeting", "hello").value();
   std::cout << redis.get("greeting").value().value_or("nothing") << '\n';

   holdfast::result<holdfast::value> wrong = redis.run({"INCR", "greeting"}, {.deadline = std::chrono::seconds(2)});
   std::cout << wrong.error().what() << '\n';
   return wrong.error().code() == holdfast::errc::server_error ? 0 : 1;
#else
   holdfast::result<int> failed = holdfast::error{holdfast::errc::no_master, holdfast::outcome::not_executed};
   std::cout << failed.error().what() << '\n';
   return failed.error().outcome == holdfast::outcome::not_executed ? 0 : 1;
#endif
}

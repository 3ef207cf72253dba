// A user's program, built against the installed package and nothing else of this project; run beside a real Redis.
#include <holdfast/holdfast.hpp>

#include <cstdlib>
#include <iostream>

int main() {
   holdfast::client redis{std::getenv("HOLDFAST_URI")};
   redis.set("greeting", "hello").value();
   std::cout << redis.get("greeting").value().value_or("nothing") << '\n';

   holdfast::result<holdfast::value> wrong = redis.run({"INCR", "greeting"}, {.deadline = std::chrono::seconds(2)});
   std::cout << wrong.error().what() << '\n';
   return wrong.error().code() == holdfast::errc::server_error ? 0 : 1;
}

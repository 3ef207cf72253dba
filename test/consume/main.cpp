// A user's program, built against the installed package and nothing else of this project.
#if __has_include(<holdfast/holdfast.hpp>)
#include <holdfast/holdfast.hpp>
#else
#include <holdfast/error.hpp>
#include <holdfast/result.hpp>
#endif

#include <iostream>

int main() {
   holdfast::result<int> failed = holdfast::error{holdfast::errc::no_master, holdfast::outcome::not_executed};
   std::cout << failed.error().what() << '\n';
   if (failed || failed.error().outcome != holdfast::outcome::not_executed) return 1;
#if __has_include(<holdfast/client.hpp>)
   // Nobody listens there: the answer is an error that says so, in bounded time.
   holdfast::client redis{"redis://127.0.0.1:1"};
   holdfast::result<holdfast::value> reply = redis.run({"GET", "key"}, {.deadline = std::chrono::milliseconds(200)});
   if (reply || reply.error().outcome != holdfast::outcome::not_executed) return 1;
   std::cout << reply.error().what() << '\n';
#endif
}

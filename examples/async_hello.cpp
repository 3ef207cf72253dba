// The program of the README for Boost.Asio: as many callers as there are coroutines, on one connection, through a
// failover if need be.
#include <holdfast/async.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <iostream>

namespace asio = boost::asio;
using namespace std::chrono_literals;

// [coroutine]
asio::awaitable<void> visit(holdfast::async_client& redis, int guest) {
   const auto visits = co_await redis.run<long long>({"INCR", "visits"}, {.deadline = 5s}, asio::use_awaitable);
   std::cout << "guest " << guest << ": " << (visits ? "visit " + std::to_string(*visits) : visits.error().what())
             << '\n';
}
// [coroutine]

int main(int count, char** words) {
   asio::io_context io;
   holdfast::async_client redis{io, count > 1 ? words[1] : "redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster"};
   for (int guest = 1; guest <= 3; ++guest) asio::co_spawn(io, visit(redis, guest), asio::detached);
   io.run();  // until nobody waits for a reply: the client itself keeps nothing running
}

// The same for Boost.Asio.
#include <holdfast/async.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdlib>
#include <iostream>

int main() {
   boost::asio::io_context io;
   holdfast::async_client redis{io, std::getenv("HOLDFAST_URI")};
   auto answer = redis.run({"PING"}, boost::asio::use_future);
   io.run();
   std::cout << answer.get().value().as<std::string>() << '\n';
}

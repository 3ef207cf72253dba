// What a GET of async_client costs: run by tools/gate, which counts the instructions of two lengths of this and takes
// the difference. One round is a GET by a coroutine. With HOLDFAST_GATE_ROUND=coroutines it is one by each of 1000
// coroutines, with `callbacks` one by each of 1000 chains of callbacks. Prints the heap allocations during the rounds;
// those of coroutine frames are the caller's, but Asio keeps frames of its own.
#include "counted_allocations.hpp"

#include <holdfast/async.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

namespace net = boost::asio;
using namespace holdfast;

const std::string_view kept = "0123456789abcdef";
bool failed = false;

void check(const result<value>& reply) { failed = failed || !reply || reply->text().size() != kept.size(); }

net::awaitable<void> coroutine(async_client& redis, long count) {
   for (long i = 0; i < count; ++i) check(co_await redis.run({"GET", "gate"}, net::use_awaitable));
}

class callback {
 public:
   callback(async_client& redis, long count) : redis_(&redis), left_(count) {}
   void operator()(const result<value>& reply) {
      check(reply);
      if (--left_ != 0) go_on();
   }
   void go_on() { redis_->run({"GET", "gate"}, *this); }

 private:
   async_client* redis_;
   long left_;
};

void run(net::io_context& io, async_client& redis, std::string_view how, long count) {
   const int callers = how == "one" ? 1 : 1000;
   for (int i = 0; i < callers; ++i) {
      if (how == "callbacks")
         callback(redis, count).go_on();
      else
         net::co_spawn(io, coroutine(redis, count), net::detached);
   }
   io.restart();
   io.run();
}

}  // namespace

int main(int argc, char** argv) {
   if (argc != 3) return std::fputs("usage: async_get URI COUNT\n", stderr), 2;
   const long count = std::atol(argv[2]);
   const char* const chosen = std::getenv("HOLDFAST_GATE_ROUND");
   const std::string_view how = chosen != nullptr ? chosen : "one";
   net::io_context io(1);
   async_client redis(io, argv[1]);
   redis.run({"SET", "gate", kept}, [](const result<value>& r) { failed = !r; });
   run(io, redis, how, 3);

   allocations = 0;
   run(io, redis, how, count);
   std::printf("allocations %zu\n", allocations);
   if (failed) return std::fputs("a reply was none\n", stderr), 1;
}

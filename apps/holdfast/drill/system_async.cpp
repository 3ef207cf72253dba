// async_client in the drill: among other callers of its connection, coroutines that read all the time. Its context runs
// in two threads.
#include "drill/holdfast_write.hpp"
#include "drill/systems_under_test.hpp"

#include <holdfast/async.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <utility>

namespace holdfast::drill {
namespace {

namespace net = boost::asio;

class async_system final : public system_under_test {
 public:
   async_system(config settings, unsigned acks) : client_(threads_, std::move(settings)), acks_(acks) {
      for (int i = 0; i < 4; ++i) net::co_spawn(threads_, read_until_end(), net::detached);
   }
   ~async_system() override {
      is_over_ = true;
      client_.cancel();
      threads_.join();
   }

   void write(operation& o, const std::stop_token& stop) override {
      const auto strand = net::make_strand(threads_);  // a signal and its slot are used one after the other
      const auto cancel = std::make_shared<net::cancellation_signal>();
      auto written = net::co_spawn(
         strand,
         [](async_client& redis, command c, async_options options,
            std::shared_ptr<net::cancellation_signal> s) -> net::awaitable<result<value>> {
            co_return co_await redis.run(std::move(c), options,
                                         net::bind_cancellation_slot(s->slot(), net::use_awaitable));
         }(client_, command_of(o), {.acks = acks_}, cancel),
         net::use_future);
      const std::stop_callback on_stop(
         stop, [&] { net::post(strand, [cancel] { cancel->emit(net::cancellation_type::terminal); }); });
      note_reply(o, written.get(), stop);
   }

 private:
   net::awaitable<void> read_until_end() {
      net::steady_timer pause(co_await net::this_coro::executor);
      while (!is_over_) {
         (void)co_await client_.run({"GET", "drill:counter"}, net::use_awaitable);
         pause.expires_after(std::chrono::milliseconds(1));
         co_await pause.async_wait(net::use_awaitable);
      }
   }

   std::atomic<bool> is_over_ = false;
   net::thread_pool threads_{2};
   async_client client_;
   unsigned acks_;
};

}  // namespace

std::unique_ptr<system_under_test> make_async_system(const system_options& options, holdfast::observer observer) {
   return std::make_unique<async_system>(settings_of(options, std::move(observer)), options.acks);
}

}  // namespace holdfast::drill

#include "drill/holdfast_write.hpp"
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
      note_reply(o, client_.run(command_of(o), options), stop);
   }

 private:
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
   config settings = settings_of(options, std::move(observer));
   if (options.client == "shared") return std::make_unique<shared_system>(std::move(settings), options.acks);
   return std::make_unique<holdfast_system<client>>(std::move(settings), options.acks);
}

}  // namespace holdfast::drill

// Runs an engine under Boost.Asio: the same brain as under poll(), in another body. Not public yet: it proves the seam,
// and async_client will stand on it. All of it happens on the one executor that it was given (a single thread, or a
// strand).
#pragma once

#include "engine/engine.hpp"
#include "runtime/shared/transport.hpp"

#include <holdfast/event.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::impl {

class runner {
 public:
   // `done` is called for every operation that has ended: posted to the executor, never from inside a call of this.
   runner(boost::asio::any_io_executor, engine&, std::function<void(operation&)> done, observer = {});
   ~runner();  // nothing of it is called any more
   runner(const runner&) = delete;
   runner& operator=(const runner&) = delete;

   void submit(operation&);
   void cancel(operation&);
   static time_point now();

 private:
   struct connection {
      transport io;
      // A copy of the descriptor, to wait with.
      std::unique_ptr<boost::asio::posix::stream_descriptor> waits = {};
      bool reading = false;  // what it waits for
      bool writing = false;
   };

   void step();  // after everything: what the engine asks for, what is done, when to come back
   void tell();
   void carry_out(const io_request&);
   void resolve(const io_request&);
   void wait_for(connection&, link_id);
   void post_done();
   void arm();

   boost::asio::any_io_executor executor_;
   engine& engine_;
   std::shared_ptr<std::function<void(operation&)>> done_;
   observer observer_;
   boost::asio::ip::tcp::resolver resolver_;
   boost::asio::steady_timer timer_;
   time_point armed_ = never;
   std::vector<connection> connections_;  // by link id - 1
   bool posted_ = false;                  // `done_` is to be called
   std::vector<any_event> events_;
   std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::impl

// Runs an engine under Boost.Asio: the same brain as under poll(), in another body. Not public yet: it proves the seam,
// and async_client will stand on it. All of it happens on the one executor that it was given (a single thread, or a
// strand).
#pragma once

#include "engine/engine.hpp"

#include <holdfast/event.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::asio {

class runner {
 public:
   // `done` is called, outside the engine, for every operation that has ended.
   runner(boost::asio::any_io_executor, engine::engine&, std::function<void(lane::operation&)> done, observer = {});
   ~runner();  // nothing of it is called any more
   runner(const runner&) = delete;
   runner& operator=(const runner&) = delete;

   void submit(lane::operation&);
   void cancel(lane::operation&);
   static time_point now();

 private:
   using stream = boost::asio::generic::stream_protocol::socket;
   struct connection {
      std::unique_ptr<stream> sock;
      std::uint32_t serial = 0;
      bool blocked = false;  // the kernel takes no more at present
   };

   void step();  // after everything: what the engine asks for, what is done, when to come back
   void tell();
   void carry_out(const engine::action&);
   void resolve(const engine::action&);
   void connect(const engine::action&);
   void wait_to_read(std::uint32_t link);
   void read(std::uint32_t link);
   bool drain(std::uint32_t link);
   void write(std::uint32_t link);
   void lose(std::uint32_t link, const std::string& why);
   bool is_current(std::uint32_t link, std::uint32_t serial) const;
   // A completion handler that does nothing once the runner or that connection is gone, and steps afterwards.
   template <class F>
   auto guarded(std::uint32_t link, std::uint32_t serial, F f);

   boost::asio::any_io_executor executor_;
   engine::engine& engine_;
   std::function<void(lane::operation&)> done_;
   observer observer_;
   boost::asio::ip::tcp::resolver resolver_;
   boost::asio::steady_timer timer_;
   time_point armed_ = never;
   std::vector<connection> connections_;  // by link id - 1
   std::vector<any_event> events_;
   std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::asio

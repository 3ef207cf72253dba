// What a client is made of: the engine, and poll() to run it in the caller's thread.
#pragma once

#include "engine/engine.hpp"
#include "runtime/poll/loop.hpp"

#include <holdfast/client.hpp>

#include <deque>
#include <optional>

namespace holdfast {

struct client::body {
   static constexpr std::size_t window_size = 1024;  // commands of a list that are under way at a time

   explicit body(config);
   static config checked(config);

   bool refused(std::span<const command>, result<value>* replies, const call_options&);
   void prepare(lane::operation&, std::span<const command>, result<value>* replies, const call_options&,
                time_point given) const;
   void run_one(const command&, result<value>& reply, const call_options&);
   void run_list(std::span<const command>, result<value>* replies, const call_options&);

   // Until `done`; a stop request calls `cancel`, once, after which `done` is to be true soon.
   template <class Done, class Cancel>
   void wait_until(Done&& done, const std::stop_token& stop, Cancel&& cancel) {
      if (stop.stop_possible()) {
         const poll::stop_alarm alarm(stop);
         if (loop.run(done, &alarm)) return;
         cancel();
      }
      loop.run(done, nullptr);
   }

   config settings;
   engine::engine engine;
   poll::loop loop;
   std::vector<lane::operation> window;
};

}  // namespace holdfast

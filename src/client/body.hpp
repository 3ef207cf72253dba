// What a client is made of: the engine, and poll() to run it in the caller's thread.
#pragma once

#include "engine/engine.hpp"
#include "runtime/poll/loop.hpp"

#include <holdfast/client.hpp>

#include <optional>

namespace holdfast {

struct client::body {
   static constexpr std::size_t window_size = 1024;  // commands of a list that are under way at a time

   explicit body(config);
   static config checked(config);

   using alarm = std::optional<poll::stop_alarm>;

   // Whether the call ends before it begins; if not, `a` rings when its caller wants it to stop.
   bool refused(std::span<const command>, result<value>* replies, const call_options&, alarm& a);
   void prepare(lane::operation&, std::span<const command>, result<value>* replies, const call_options&,
                time_point given) const;
   void run_one(const command&, result<value>& reply, const call_options&, const alarm&);
   void run_list(std::span<const command>, result<value>* replies, const call_options&, const alarm&);

   // Until `done`; a stop request calls `cancel`, once, after which `done` is to be true soon.
   template <class Done, class Cancel>
   void wait_until(Done&& done, const alarm& a, Cancel&& cancel) {
      if (loop.run(done, a ? &*a : nullptr)) return;
      cancel();
      loop.run(done, nullptr);
   }

   config settings;
   engine::engine engine;
   poll::loop loop;
   std::vector<lane::operation> window;
};

}  // namespace holdfast

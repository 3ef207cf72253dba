// What a client is made of: the engine, and poll() to run it in the caller's thread; and what a deployment is made of
// that clients share.
#pragma once

#include "engine/engine.hpp"
#include "runtime/poll/loop.hpp"
#include "runtime/poll/notice_board.hpp"
#include "runtime/poll/watch_thread.hpp"

#include <holdfast/client.hpp>
#include <holdfast/deployment.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace holdfast {

std::uint64_t fresh_seed();
config checked(config);  // throws `failure` if it is not valid

struct deployment::body {
   explicit body(config);
   // `c`, at home in this deployment.
   config placed(config c) const;
   // Starts with the first that asks for it; null where there are no Sentinels to watch.
   std::shared_ptr<poll::watch_thread> watch();

   const config settings;

 private:
   std::mutex mutex_;
   std::shared_ptr<poll::watch_thread> watch_;
};

struct client::body {
   static constexpr std::size_t window_size = 1024;  // commands of a list that are under way at a time

   explicit body(config, std::shared_ptr<poll::watch_thread> shared = nullptr);

   // For as long as a caller is inside.
   class visit {
    public:
      explicit visit(body& b) : seat_(b.seat ? &*b.seat : nullptr) {
         if (seat_ != nullptr) seat_->enter();
      }
      ~visit() {
         if (seat_ != nullptr) seat_->leave();
      }
      visit(const visit&) = delete;
      visit& operator=(const visit&) = delete;

    private:
      poll::seat* seat_;
   };
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
   std::shared_ptr<poll::watch_thread> shared;  // null: the engine has a watch of its own
   std::optional<poll::seat> seat;              // at `shared`
   engine::engine engine;
   poll::loop loop;
   std::vector<lane::operation> window;
};

}  // namespace holdfast

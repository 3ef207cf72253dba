// Runs an engine under Boost.Asio: the same brain as under poll(), in another body. Carries out what the engine asks
// for, waits, and tells the engine what happened; decides nothing. One thread at a time.
//
// It waits for a descriptor and then reads or writes without blocking, so that no buffer is lent to the kernel while
// the engine may drop it; for all deadlines by one timer, which is set anew only for an earlier one; for names by
// c-ares.
#pragma once

#include "engine/engine.hpp"
#include "runtime/asio/runner_owner.hpp"
#include "runtime/asio/wait_executor.hpp"
#include "runtime/shared/resolver.hpp"
#include "runtime/shared/transport.hpp"
#include "runtime/shared/view_mailbox.hpp"

#include <holdfast/event.hpp>
#include <holdfast/time.hpp>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <poll.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace holdfast::impl {

class runner {
 public:
   // The views may come from elsewhere. All of these outlive it.
   runner(runner_owner&, engine&, const observer&, name_settings, view_subscriber* = nullptr);
   runner(const runner&) = delete;
   runner& operator=(const runner&) = delete;

   // Before anything else of a turn: the time is read, and what the topology says is taken in.
   void begin();
   void on(const io_event&);
   // Takes in what arrived, where nobody looked for a while: the context may not have been running.
   void catch_up();
   // After everything: lets time pass, carries out what is asked for, tells the observer, and waits for what is next.
   void step();
   time_point time() const { return now_; }

 private:
   using descriptor_wait = boost::asio::posix::basic_stream_descriptor<wait_executor>;
   using timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                   boost::asio::wait_traits<std::chrono::steady_clock>, wait_executor>;
   // Each wait has a copy of the descriptor. Those for writing are rare, and have one of their own: of a descriptor
   // that was once waited for so, Asio is told with each later wait that it can be written to.
   struct connection {
      transport io = {};
      std::unique_ptr<descriptor_wait> to_read = {};
      std::unique_ptr<descriptor_wait> to_write = {};  // while it waits
      bool reads = false;                              // a wait is under way
   };

   void tell() {
      if (!engine_.events().empty()) notify_observer();
   }
   void notify_observer();
   void carry_out_all();
   void carry_out(const io_request&);
   void wait_for_connections();
   bool wait_for(connection&, link_id);
   std::unique_ptr<descriptor_wait> waits_on(int fd);
   void wait(descriptor_wait&, short events, const io_event&);
   void take_update();
   void wait_for_view();
   void ask_names();
   void take_resolved();
   void wait_for_names();
   void arm(time_point next);
   void timer_ended();
   void measure();

   runner_owner& owner_;
   engine& engine_;
   const observer& observer_;
   view_subscriber* const subscriber_;
   resolver resolver_;
   std::vector<connection> connections_;  // by link id - 1
   bool connections_changed_ = false;     // some may have to be waited for
   std::unique_ptr<descriptor_wait> view_wait_;
   bool waits_for_view_ = false;
   std::vector<std::unique_ptr<descriptor_wait>> name_waits_;  // on what c-ares has open
   std::uint32_t name_round_ = 0;                              // of these
   bool names_changed_ = false;
   std::vector<pollfd> fds_;
   timer timer_;
   time_point armed_ = never;
   std::uint32_t timer_round_ = 0;
   std::vector<any_event> events_;
   time_point now_ = {};
   time_point last_look_ = {};  // at the connections
};

}  // namespace holdfast::impl

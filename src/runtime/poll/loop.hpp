// Runs an engine under poll(), in the caller's thread and only while the caller is in it. Carries out what the engine
// asks for and tells it what happened; decides nothing.
#pragma once

#include "engine/engine.hpp"
#include "runtime/shared/clock.hpp"
#include "runtime/shared/resolver.hpp"
#include "runtime/shared/transport.hpp"
#include "runtime/shared/view_mailbox.hpp"
#include "runtime/shared/waker.hpp"

#include <holdfast/event.hpp>
#include <holdfast/time.hpp>

#include <poll.h>

#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::impl {

// Makes a stop request wake poll(): only made where a stop can be requested at all.
class stop_alarm {
 public:
   explicit stop_alarm(const std::stop_token&);  // throws std::system_error if the process has no descriptor left
   stop_alarm(const stop_alarm&) = delete;
   stop_alarm& operator=(const stop_alarm&) = delete;
   int fd() const { return waker_.fd(); }
   bool rang() const { return callback_token_.stop_requested(); }

 private:
   struct ring {
      const waker& wakes;
      void operator()() const { wakes.wake(); }
   };
   waker waker_;  // outlives the callback, which wakes it
   std::stop_token callback_token_;
   std::stop_callback<ring> callback_;
};

class loop {
 public:
   loop(engine& e, const observer& told, name_settings names = {})
      : engine_(e), observer_(told), resolver_(std::move(names)) {}

   // Takes in what arrived while the caller was away, and lets pass what time has passed. Does not wait.
   void catch_up();
   // One step: carries out what is asked for, and if nothing is done yet (`enough()`), waits for the next thing to
   // happen. Works until `enough()` or until `alarm` rings; answers whether it was `enough`.
   template <class Enough>
   bool run(Enough&& enough, const stop_alarm* alarm) {
      for (;;) {
         do {
            carry_out();
            if (enough()) {  // which may have given the engine more to do, and more to tell: of an end, the breaker
               give_requests();
               tell();
               return true;
            }
         } while (engine_.has_io());
         give_requests();
         tell();
         if (alarm != nullptr && alarm->rang()) return was_enough_at_last(enough);
         wait(alarm);
      }
   }
   // The caller leaves: what is asked for is carried out, but nothing is told (an observer may be why it leaves).
   void leave();
   // Another thread that wakes it ends a wait.
   void woken_by(const waker& w) {
      waker_ = &w;
      listed_ = false;
   }
   // The engine's views come from elsewhere, and its requests go there.
   void follow(view_subscriber& s) {
      subscriber_ = &s;
      woken_by(s.wakes());
   }
   // No wait goes on beyond it.
   void at_most_until(time_point t) { at_most_until_ = t; }
   time_point time() const { return now_; }  // as of the last poll, or `pass_time`
   void pass_time() { now_ = now(); }

 private:
   // A reply that is there already is still taken in.
   template <class Enough>
   bool was_enough_at_last(Enough& enough) {
      poll_once(duration::zero(), nullptr);
      const bool was = enough();
      give_requests();  // first: an observer may throw
      tell();
      return was;
   }
   void carry_out();
   void carry_out(const io_request&);
   void wait(const stop_alarm*);
   // `due`: before it no deadline passes but one that comes up meanwhile, which the next wait finds.
   void poll_once(duration at_most, const stop_alarm*, time_point due = time_point::min());
   void take_update();
   void give_requests() {
      if (subscriber_ != nullptr && engine_.has_requests()) subscriber_->give(engine_.take_requests());
   }
   void measure();
   void list_connections();
   void ready(std::uint32_t link, short events);
   void take_resolved();
   void tell() {
      if (!engine_.events().empty()) notify_observer();
   }
   void notify_observer();

   engine& engine_;
   const observer& observer_;
   const waker* waker_ = nullptr;
   view_subscriber* subscriber_ = nullptr;
   resolver resolver_;
   std::vector<transport> connections_;  // by link id - 1
   std::vector<pollfd> fds_;  // the connections' and the waker's; behind them, for one wait, those of resolver, alarm
   std::vector<std::uint32_t> links_;  // of the connections in fds_
   bool listed_ = false;               // fds_ is up to date
   std::vector<any_event> events_;
   io_request request_;  // that is carried out; a place for its texts
   time_point now_ = {};
   time_point last_poll_ = {};
   time_point at_most_until_ = never;
};

}  // namespace holdfast::impl

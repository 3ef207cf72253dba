// The thread of a shared_client: it runs an engine for callers in any other thread, and passes time and failovers while
// nobody calls.
#pragma once

#include "client/shared_call.hpp"
#include "core/counters.hpp"
#include "engine/engine.hpp"
#include "runtime/poll/loop.hpp"
#include "runtime/poll/watch_thread.hpp"
#include "runtime/shared/call_mailbox.hpp"
#include "runtime/shared/process.hpp"
#include "runtime/shared/view_mailbox.hpp"
#include "runtime/shared/waker.hpp"

#include <holdfast/config.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

namespace holdfast::impl {

class shared_thread {
 public:
   // `c` has passed `validate`; `watch` is null where the engine has a tracker of its own. Throws std::system_error if
   // the process has no descriptor or no thread left. `counts` outlives it. In a forked child it is left as it is, with
   // its descriptors.
   static std::shared_ptr<shared_thread> start(const config& c, std::shared_ptr<watch_thread> watch, std::uint64_t seed,
                                               counters& counts);
   ~shared_thread();  // no call is under way
   shared_thread(const shared_thread&) = delete;
   shared_thread& operator=(const shared_thread&) = delete;

   // Waits until the call has ended; a stop request cancels it.
   void run(shared_call&, const std::stop_token&);
   bool is_this_thread() const { return std::this_thread::get_id() == thread_.get_id(); }

 private:
   shared_thread(const config& c, std::shared_ptr<watch_thread> watch, std::uint64_t seed, counters&);
   const waker& wakes() const { return subscriber_ ? subscriber_->wakes() : own_waker_; }
   void work();
   bool step();
   void read(request&);
   void begin(shared_call&);
   void take_done();
   bool must_wait(const shared_call&) const;
   void let_in();  // those that waited for room
   time_point end_of(const shared_call&) const;
   void end_all();

   const observer observer_;
   const std::size_t most_bytes_;  // of a command that can wait at all
   const std::shared_ptr<watch_thread> watch_;
   std::optional<view_subscriber> subscriber_;
   const waker own_waker_;
   engine engine_;
   loop loop_;
   call_mailbox mailbox_;
   std::uint64_t groups_ = 0;
   std::deque<shared_call*> waiting_;  // for room, the oldest first
   time_point first_end_ = never;      // the earliest deadline of these
   std::atomic<bool> ends_ = false;
   const process_number process_;
   std::thread thread_;  // uses all of the above
};

}  // namespace holdfast::impl

// Between the one thread that runs a tracker and the threads of the clients that are led by it: requests go one way,
// views the other.
//
// In the steady state a client's command passes here without a lock: it compares one atomic number. A lock is taken
// where something changed, or where a connection is being made.
#pragma once

#include "runtime/shared/process.hpp"
#include "runtime/shared/waker.hpp"
#include "view/question_log.hpp"
#include "view/topology_requests.hpp"
#include "view/topology_view.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace holdfast::impl {

class view_subscriber;

class view_mailbox {
 public:
   view_mailbox() = default;
   view_mailbox(const view_mailbox&) = delete;
   view_mailbox& operator=(const view_mailbox&) = delete;

   // ---- for the deployment's thread ----
   const waker& wakes() const { return waker_; }  // when there are requests, and at the end
   // The requests of all subscribers together; their reports are taken. False once `close` was called.
   bool take(topology_requests& into);
   // `answered`: up to which `asked` of `take`. All who are in a call and concerned are woken.
   void publish(topology_update);
   void close();  // by any thread

 private:
   friend class view_subscriber;

   waker waker_;
   std::mutex mutex_;
   // Each publication has a number. Written under the mutex, read without.
   std::atomic<std::uint64_t> number_{1};
   topology_update latest_;
   topology_requests requests_;  // but for `commands_wait`
   std::vector<view_subscriber*> subscribers_;
   std::size_t waiting_ = 0;  // subscribers whose commands wait
   bool closed_ = false;
};

// A client's place at the mailbox. Used by one thread at a time.
class view_subscriber {
 public:
   explicit view_subscriber(view_mailbox&);  // throws std::system_error if the process has no descriptor left
   ~view_subscriber();                       // in a forked child it leaves the mailbox alone
   view_subscriber(const view_subscriber&) = delete;
   view_subscriber& operator=(const view_subscriber&) = delete;

   // Begin and end of a call. Between calls nobody is woken, and nobody's commands wait.
   void enter();
   void leave();

   const waker& wakes() const { return waker_; }
   // Something was published that `take` has not returned yet.
   bool moved() const { return mailbox_.number_.load(std::memory_order_seq_cst) != seen_; }
   topology_update take();  // `answered`: of the questions that it gave
   void give(topology_requests);

 private:
   friend class view_mailbox;
   void tell_need(bool commands_wait);
   void count_need(bool commands_wait);  // under the lock

   view_mailbox& mailbox_;
   waker waker_;
   process_number process_ = this_process();
   std::uint64_t seen_ = 0;
   std::uint64_t asked_ = 0;
   bool commands_wait_ = false;  // the lane's word
   bool counted_ = false;        // in the mailbox's `waiting_`
   // Against `number_`: either the client sees what was published, or the publisher sees that the client is there.
   std::atomic<bool> present_{false};
   // Guarded by the mailbox's mutex, as is the next.
   question_log questions_;
   std::size_t place_ = 0;
};

}  // namespace holdfast::impl

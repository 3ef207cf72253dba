// Between the one thread that runs a watch and the threads of the clients that are led by it: wishes go one way,
// snapshots the other.
//
// In the steady state a client's command passes here without a lock: it compares one atomic number. A lock is taken
// where something changed, or where a connection is being made.
#pragma once

#include "engine/publisher.hpp"
#include "engine/shared_watch.hpp"
#include "engine/snapshot.hpp"
#include "runtime/shared/doorbell.hpp"
#include "runtime/shared/process.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace holdfast::poll {

class seat;

class notice_board {
 public:
   explicit notice_board(std::shared_ptr<const engine::snapshot> first) : latest_(std::move(first)) {}
   notice_board(const notice_board&) = delete;
   notice_board& operator=(const notice_board&) = delete;

   // ---- for the watch's thread ----
   const doorbell& bell() const { return bell_; }  // rings when there are wishes, and at the end
   // What is wished by now; its reports are taken. False once `close` was called.
   bool take(engine::lane_wishes& into);
   // All who are in a call and concerned are woken.
   void publish(std::shared_ptr<const engine::snapshot>);
   void close();  // by any thread

 private:
   friend class seat;

   doorbell bell_;
   std::mutex mutex_;
   // Each publication has a number. Written under the mutex, read without.
   std::atomic<std::uint64_t> number_{1};
   std::shared_ptr<const engine::snapshot> latest_;
   engine::lane_wishes wishes_;  // but for `needed`
   std::vector<seat*> seats_;
   std::size_t needing_ = 0;  // seats
   bool closed_ = false;
};

// A client's place at the board. Used by one thread at a time.
class seat final : public engine::shared_watch {
 public:
   explicit seat(notice_board&);  // throws std::system_error if the process has no descriptor left
   ~seat();                       // in a forked child it leaves the board alone
   seat(const seat&) = delete;
   seat& operator=(const seat&) = delete;

   // Begin and end of a call. Between calls nobody is woken, and nothing is needed: whoever is not there does not wait.
   void enter();
   void leave();

   const doorbell& bell() const { return bell_; }
   // Something was published that `take` has not returned yet.
   bool moved() const { return board_.number_.load(std::memory_order_seq_cst) != seen_; }
   std::shared_ptr<const engine::snapshot> take();

   // ---- engine::shared_watch ----
   engine::snapshot::ticket ask() override;
   void need(bool commands_wait) override;
   void role_verified(const endpoint&, std::uint64_t epoch) override;
   void role_refused(const endpoint&, std::uint64_t generation, std::string_view role) override;

 private:
   friend class notice_board;
   void tell_need(bool);
   void report(engine::role_report);

   notice_board& board_;
   doorbell bell_;
   process_number process_ = this_process();
   std::uint64_t seen_ = 0;
   bool wants_ = false;  // the lane's word
   bool needs_ = false;  // what the board knows of it
   // Against `number_`: either the client sees what was published, or the publisher sees that the client is there.
   std::atomic<bool> present_{false};
   engine::snapshot::ticket awaits_ = 0;  // guarded by the board's mutex, as is the next
   std::size_t place_ = 0;
};

}  // namespace holdfast::poll

// The part of async_client that is not a template: an engine, a runner, and the calls on their way between threads.
//
//      any thread --submit--> given_  --turn, on the executor--> engine --> ended_ --batch, on the executor--> handlers
//
// A call is pushed without a lock; the first one posts a turn, in which all that were given meanwhile are submitted and
// go out in one write. What happens to a connection comes in the same way (`happened`). One thread at a time is in the
// engine, under `mutex_`; handlers run outside, those of calls that ended together one after the other. What a handler
// gives is not posted: the batch that it runs in ends with a turn.
//
// It lives as long as something can reach it: the client, a posted turn, a wait, a cancellation slot. It lets go of
// everything of Asio's when the client has left and all is answered, or when the execution context ends before
// (async_contexts).
#pragma once

#include "client/async/async_contexts.hpp"
#include "client/list_call.hpp"
#include "engine/engine.hpp"
#include "runtime/asio/runner.hpp"
#include "runtime/asio/runner_owner.hpp"
#include "runtime/shared/process.hpp"
#include "runtime/shared/view_mailbox.hpp"

#include <holdfast/config.hpp>
#include <holdfast/detail/async_call.hpp>
#include <holdfast/stats.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace holdfast::impl {

// Calls in the order of their ends, through `async_call::next`. Owns them: what is left is given back to the core, or
// dropped with it.
class call_queue {
 public:
   call_queue() = default;
   call_queue(const call_queue&) = delete;
   call_queue& operator=(const call_queue&) = delete;

   bool empty() const { return first_ == nullptr; }
   std::size_t size() const { return size_; }
   void push_back(async_call& c) {
      c.next = nullptr;
      (last_ != nullptr ? last_->next : first_) = &c;
      last_ = &c;
      ++size_;
   }
   async_call* pop_front() {
      async_call* const c = first_;
      if (c == nullptr) return nullptr;
      first_ = std::exchange(c->next, nullptr);
      if (first_ == nullptr) last_ = nullptr;
      --size_;
      return c;
   }
   // Before those that are here. `others` is empty then.
   void push_front(call_queue& others) {
      if (others.empty()) return;
      others.last_->next = first_;
      if (last_ == nullptr) last_ = others.last_;
      first_ = std::exchange(others.first_, nullptr);
      others.last_ = nullptr;
      size_ += std::exchange(others.size_, 0);
   }

 private:
   async_call* first_ = nullptr;
   async_call* last_ = nullptr;
   std::size_t size_ = 0;
};

class async_core final : public runner_owner {
 public:
   // `c` has passed `validate`. With `views`, they come from there, and `keeps` is what has it.
   async_core(boost::asio::any_io_executor, config c, std::uint64_t seed, std::shared_ptr<void> keeps = nullptr,
              view_mailbox* views = nullptr);

   // ---- by any thread ----
   void submit(async_call&) noexcept;
   void cancel_all();
   void leave() noexcept;  // the client is destroyed
   holdfast::stats stats() const { return engine_.stats(); }

   // ---- on the executor ----
   void happened(const io_event&) override;
   void turn();

   // The context ends: nothing of Asio's may be touched any more, and no handler runs.
   void abandon() noexcept;

   // ---- of cancellation slots ----
   void cancel(async_cancel&, boost::asio::cancellation_type) noexcept;
   void detach(async_cancel&) noexcept;

 private:
   class batch;
   struct note final : async_call {  // of the core itself
      explicit note(kind k) noexcept : async_call(k) {}
      void complete() override {}
      void drop() noexcept override {
         if (what == kind::cancel_all) delete this;
      }
      void fail(const error&) override {}
   };
   // What it works with: Asio's.
   struct machine {
      explicit machine(async_core&);
      std::optional<view_subscriber> subscriber;
      impl::runner runner;
   };
   ~async_core() override;
   void end() noexcept override;

   void post_turn() noexcept;
   void push(async_call&) noexcept;
   template <class Event>
   void enter(Event&&);
   bool is_here() const { return is_this_process(process_); }

   // ---- under the mutex ----
   void work();
   void take_given();
   void take(async_call&);
   bool make_machine(async_call&);
   void begin(async_command&);
   void begin(async_list&);
   void go_on(async_list_call&);
   call_terms terms(const async_options&, time_point given);
   void refuse(async_call&, const error&);
   void take_cancelled();
   void end_all();
   bool take_done();  // whether a list went on
   void ended(async_call&);
   void close_if_idle();

   void run(batch&);
   void forget_canceller(async_call&) noexcept;
   void drop_all() noexcept;
   void refuse_in_child(async_call&) noexcept;
   void end_in_child();

   const config settings_;
   const process_number process_ = this_process();
   std::atomic<async_call*> given_ = nullptr;  // the newest first
   std::atomic<bool> posted_ = false;          // a turn is
   std::atomic<bool> abandoned_ = false;
   note leaving_{async_call::kind::leave};
   async_contexts& contexts_;

   std::mutex mutex_;
   const std::shared_ptr<void> keeps_;
   view_mailbox* const views_;
   engine engine_;
   std::unique_ptr<machine> machine_;  // from the first call until all has ended
   call_queue ended_;                  // and not completed yet
   call_queue closing_calls_;
   std::vector<async_list_call*> lists_;  // under way
   std::uint64_t groups_ = 0;
   std::size_t under_way_ = 0;  // operations in the engine
   bool closing_ = false;       // nothing is taken any more

   std::mutex cancelling_;  // taken inside of the other one, never around it
   async_call* cancelled_ = nullptr;
   std::atomic<bool> has_cancelled_ = false;  // there are some, and a turn is to come
};

}  // namespace holdfast::impl

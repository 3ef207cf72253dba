// What a runner runs for, and on: the object that is kept alive by each of its waits, and lets one of them in at a
// time.
#pragma once

#include "engine/engine.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/detail/scheduler.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace holdfast::impl {

// The end of a wait.
struct io_event {
   enum class kind : std::uint8_t { readable, writable, timer, names, view };
   kind what = kind::timer;
   link_id link = 0;          // of `readable` and `writable`
   std::uint32_t serial = 0;  // of the connection, or of the wait: what belongs to an earlier one is ignored
};

class runner_owner {
 public:
   explicit runner_owner(boost::asio::any_io_executor);
   runner_owner(const runner_owner&) = delete;
   runner_owner& operator=(const runner_owner&) = delete;

   void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
   void release() noexcept {
      if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) end();
   }

   const boost::asio::any_io_executor& executor() const noexcept { return executor_; }
   boost::asio::execution_context& context() const noexcept { return context_; }
   // The executor adds no rule to its context's: what the context calls may run as it is called.
   bool is_plain() const noexcept { return plain_; }

   // What keeps io_context::run from returning. A call of the client does; a wait of its own for a server or for the
   // time does not, though Asio counts each of those, too.
   void work_started() const noexcept { scheduler_.work_started(); }
   void work_finished() const noexcept { scheduler_.work_finished(); }

   // On the executor, and from no call of this object.
   virtual void happened(const io_event&) = 0;

 protected:
   virtual ~runner_owner() = default;
   virtual void end() noexcept { delete this; }  // nothing reaches it any more

 private:
   std::atomic<std::size_t> references_ = 1;
   const boost::asio::any_io_executor executor_;
   boost::asio::execution_context& context_;
   boost::asio::detail::scheduler& scheduler_;
   const bool plain_;
};

// A reference to a `runner_owner`, or to what is derived from it.
template <class T>
class owner_ref {
 public:
   owner_ref() = default;
   explicit owner_ref(T& to) noexcept : to_(&to) { to.retain(); }
   owner_ref(const owner_ref& other) noexcept : to_(other.to_) {
      if (to_ != nullptr) to_->retain();
   }
   owner_ref(owner_ref&& other) noexcept : to_(std::exchange(other.to_, nullptr)) {}
   owner_ref& operator=(owner_ref other) noexcept {
      std::swap(to_, other.to_);
      return *this;
   }
   ~owner_ref() {
      if (to_ != nullptr) to_->release();
   }
   T& operator*() const noexcept { return *to_; }
   T* operator->() const noexcept { return to_; }

 private:
   T* to_ = nullptr;
};

}  // namespace holdfast::impl

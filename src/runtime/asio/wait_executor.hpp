// The executor of a runner's own waits. What ends a wait runs on the executor of its owner. Unlike that, it doesn't
// count a wait as work: a client that is idle, or closed, doesn't keep io_context::run from returning.
#pragma once

#include "runtime/asio/runner_owner.hpp"

#include <boost/asio/execution/context.hpp>

#include <type_traits>
#include <utility>

namespace holdfast::impl {

class wait_executor {
 public:
   // The owner outlives what is waited for.
   explicit wait_executor(const runner_owner& owner) noexcept : owner_(&owner) {}

   boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept { return owner_->context(); }

   // By Asio, once for each wait. Asio counts the wait until it has called this; `runner` did not let it count.
   template <class F>
   void execute(F&& f) const {
      owner_->work_started();
      if (owner_->is_plain()) {
         std::decay_t<F> here(std::forward<F>(f));
         here();
      } else {
         const boost::asio::any_io_executor to = owner_->executor();  // `f` may be what keeps the owner alive
         to.execute(std::forward<F>(f));
      }
   }

   friend bool operator==(const wait_executor& a, const wait_executor& b) noexcept { return a.owner_ == b.owner_; }
   friend bool operator!=(const wait_executor& a, const wait_executor& b) noexcept { return a.owner_ != b.owner_; }

 private:
   const runner_owner* owner_;
};

}  // namespace holdfast::impl

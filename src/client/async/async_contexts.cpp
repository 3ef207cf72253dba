#include "client/async/async_contexts.hpp"

#include "client/async/async_core.hpp"

#include <algorithm>

namespace holdfast::impl {

boost::asio::execution_context::id async_contexts::id;

void async_contexts::add(async_core& c) {
   const std::lock_guard lock(mutex_);
   cores_.push_back(&c);
}

void async_contexts::remove(async_core& c) noexcept {
   const std::lock_guard lock(mutex_);
   std::erase(cores_, &c);
}

void async_contexts::shutdown() {
   for (;;) {
      owner_ref<async_core> next;
      {
         const std::lock_guard lock(mutex_);
         if (cores_.empty()) return;
         next = owner_ref<async_core>(*cores_.back());
         cores_.pop_back();
      }
      next->abandon();
   }
}

}  // namespace holdfast::impl

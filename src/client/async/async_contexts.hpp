// The cores that run on one execution context: told when that ends.
#pragma once

#include <boost/asio/execution_context.hpp>

#include <mutex>
#include <vector>

namespace holdfast::impl {

class async_core;

class async_contexts final : public boost::asio::execution_context::service {
 public:
   using key_type = async_contexts;
   static boost::asio::execution_context::id id;

   explicit async_contexts(boost::asio::execution_context& of) : service(of) {}

   void add(async_core&);
   void remove(async_core&) noexcept;

 private:
   void shutdown() override;

   std::mutex mutex_;
   std::vector<async_core*> cores_;
};

}  // namespace holdfast::impl

#include "runtime/asio/runner_owner.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <typeinfo>

namespace holdfast::impl {

namespace net = boost::asio;

runner_owner::runner_owner(net::any_io_executor executor)
   : executor_(std::move(executor)),
     context_(net::query(executor_, net::execution::context)),
     scheduler_(net::use_service<net::detail::scheduler>(context_)),
     plain_(executor_.target_type() == typeid(net::io_context::executor_type) ||
            executor_.target_type() == typeid(net::thread_pool::executor_type)) {}

}  // namespace holdfast::impl

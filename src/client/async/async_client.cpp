#include "client/async/async_core.hpp"
#include "client/impl.hpp"

#include <holdfast/async.hpp>

#include <memory>
#include <utility>

namespace holdfast::impl {

namespace net = boost::asio;

template <int boost_version>
void built_with_boost() noexcept {}
template void built_with_boost<BOOST_VERSION>() noexcept;

async_core_ref make_async_core(const net::any_io_executor& executor, config c) {
   return async_core_ref(*new async_core(executor, checked(std::move(c)), fresh_seed()));
}

async_core_ref make_async_core(const net::any_io_executor& executor, const deployment& d, std::optional<config> own) {
   config c = checked(placed(d, own ? *std::move(own) : d.settings()));
   std::shared_ptr<watch_thread> watch = watch_of(d);
   view_mailbox* const views = watch ? &watch->mailbox() : nullptr;
   return async_core_ref(*new async_core(executor, std::move(c), fresh_seed(), std::move(watch), views));
}

}  // namespace holdfast::impl

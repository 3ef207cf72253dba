#include "client/own_lane.hpp"
#include "client/place_for.hpp"
#include "runtime/poll/loop.hpp"

#include <holdfast/dedicated_client.hpp>

#include <utility>

namespace holdfast {

dedicated_client::dedicated_client(std::unique_ptr<impl::own_lane> lane) : lane_(std::move(lane)) {}
dedicated_client::dedicated_client(dedicated_client&&) noexcept = default;
dedicated_client& dedicated_client::operator=(dedicated_client&&) noexcept = default;
dedicated_client::~dedicated_client() = default;

void dedicated_client::run_into(const command& c, result<value>& reply, const impl::reply_reader& reader,
                                const call_options& options) {
   lane_->run_one(c, reply, reader, options);
}

void dedicated_client::run_list_into(std::span<const command> commands, std::vector<result<value>>& replies,
                                     const call_options& options) {
   const time_point given = impl::now();
   replies = impl::place_for(commands.size());
   lane_->run_list(commands, {.values = replies.data()}, options, given);
}

void dedicated_client::run_list_into(std::span<const command> commands, const impl::list_places& places,
                                     const call_options& options) {
   lane_->run_list(commands, places, options, impl::now());
}

}  // namespace holdfast

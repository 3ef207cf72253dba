// A lane of one's own in the engine of a blocking client. All of it happens in the thread of the client's caller,
// inside a visit to the client.
#pragma once

#include "client/impl.hpp"
#include "client/own_lane.hpp"
#include "commands/session.hpp"
#include "engine/lane_pool.hpp"

#include <cstdint>
#include <memory>
#include <utility>

namespace holdfast::impl {

class client_lane final : public own_lane {
 public:
   explicit client_lane(std::shared_ptr<client::body> b) : body_(std::move(b)) {}
   ~client_lane() override;

   void run_one(const command&, result<value>& reply, const reply_reader&, const call_options&) override;
   void run_list(std::span<const command>, const list_places&, const call_options&, time_point given) override;

   // Within a visit: the lane, which is made if need be; and what becomes of it in a forked child.
   lane_number number();
   void remember();

 private:
   const std::shared_ptr<client::body> body_;
   lane_number number_ = 0;
   std::uint64_t machine_ = 0;  // of the client, in which the lane is; 0: there is none yet
   session session_;
   bool watches_ = false;
};

}  // namespace holdfast::impl

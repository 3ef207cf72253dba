#include "client/client_lane.hpp"

#include <optional>

namespace holdfast::impl {

client_lane::~client_lane() {
   if (machine_ == 0) return;
   const client::body::visit here(*body_);
   body_->give_back(here, {number_, machine_});
}

lane_number client_lane::number() {
   body_->give_back_left();
   if (machine_ == body_->machine_number()) return number_;
   const bool begins_anew = machine_ != 0;
   number_ = body_->engine().acquire();
   machine_ = body_->machine_number();
   if (begins_anew) body_->engine().resume(number_, session_, watches_);
   return number_;
}

void client_lane::remember() {
   const command_lane& lane = body_->engine().lanes().lane(number_);
   if (session_ != lane.state()) session_ = lane.state();
   watches_ = lane.is_watching();
}

void client_lane::run_one(const command& c, result<value>& reply, const reply_reader& reader,
                          const call_options& options) {
   const client::body::visit here(*body_);
   client::body::alarm stop;
   if (const auto why = body_->refusal(here, options, stop))
      reply = *why;
   else
      body_->run_one(c, reply, reader, options, stop, this);
}

void client_lane::run_list(std::span<const command> commands, const list_places& places, const call_options& options,
                           time_point given) {
   body_->run_list(commands, places, options, given, this);
}

}  // namespace holdfast::impl

// The base of a dedicated_client: a lane of its caller's own in the engine of its client. Each kind of client has
// one of its own making, as each has its own way to its engine: a blocking client's works in the caller's thread
// (client_lane.hpp), a shared_client's would post its calls, with `call_terms::lane`, to the client's thread.
//
// The lane is acquired with the first call: making one touches nothing. Its destructor gives the lane back.
#pragma once

#include <holdfast/call_options.hpp>
#include <holdfast/command.hpp>
#include <holdfast/detail/reply_reader.hpp>
#include <holdfast/result.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <span>

namespace holdfast::impl {

class own_lane {
 public:
   own_lane() = default;
   own_lane(const own_lane&) = delete;
   own_lane& operator=(const own_lane&) = delete;
   virtual ~own_lane() = default;

   virtual void run_one(const command&, result<value>& reply, const reply_reader&, const call_options&) = 0;
   virtual void run_list(std::span<const command>, const list_places&, const call_options&, time_point given) = 0;
};

}  // namespace holdfast::impl

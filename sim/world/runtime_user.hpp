// The world as a client sees it: whom it asks, and to whom it reports.
#pragma once

#include "sim/world/observation.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <vector>

namespace holdfast::sim {

class runtime_user {
 public:
   virtual ~runtime_user() = default;
   virtual host_id host_of(const endpoint&) = 0;  // `nowhere` if there is none
   virtual std::vector<endpoint> resolve(const endpoint&) = 0;
   virtual duration well_for() { return {}; }  // how long all has been well
   virtual void wrote_command(host_id) {}
   virtual void dialled(host_id) {}
   virtual void asked(host_id /*sentinel*/) {}
   virtual void answered(std::uint32_t /*client*/) {}  // its command was acknowledged
};

}  // namespace holdfast::sim

// What a drill was asked for.
#pragma once

#include "lab/await.hpp"
#include "lab/fault_proxy.hpp"
#include "lab/sentinel_trouble.hpp"

#include <holdfast/config.hpp>
#include <holdfast/delivery.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace holdfast::drill {

struct settings {
   std::vector<std::string> faults = {"all"};
   unsigned runs = 1;
   unsigned seconds = 3;  // of workload, at least
   holdfast::delivery delivery = holdfast::delivery::automatic;
   unsigned acks = 0;
   std::string client = "holdfast";
   unsigned replicas = 2;
   unsigned sentinels = 3;
   unsigned down_after_ms = 1000;
   bool breaker = false;
   holdfast::cutover cutover = holdfast::config().cutover;
   bool follow_role_hint = false;
   lab::trouble sentinel_trouble = lab::trouble::none;
   std::vector<lab::network_fault> network = {};  // between the client and each server and Sentinel
   std::string json = {};                         // a file, "-", or empty: none
   std::string html = {};
   std::string exec = {};
};

}  // namespace holdfast::drill

// Thousands of clients in one world, which lose their master all at once: what their coming back asks of the Sentinels
// and of the new master, and how long it takes.
#pragma once

#include "sim/world/network.hpp"
#include "sim/world/scenario.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::sim {

// Each client gives a command now and then, one at a time. After some seconds the fault strikes.
scenario draw_fleet(std::uint64_t seed, unsigned clients, fault_kind, duration reconnect_spread);

struct fleet_figures {
   static constexpr duration step = std::chrono::milliseconds(10);
   unsigned clients = 0;
   duration outage = {};           // from the fault until there was a new master
   duration half_back = {};        // from then until half of all clients had an answer from it
   duration last_back = {};        // and all
   unsigned sentinel_peak = 0;     // connections asked of one Sentinel in its busiest second, from the fault on
   unsigned master_peak = 0;       // and of the new master
   unsigned question_peak = 0;     // questions for the master, of one Sentinel in its busiest second
   std::size_t at_a_sentinel = 0;  // connections to one Sentinel at the end
   // How many in each step from the fault on: connections asked of the new master, questions to that Sentinel.
   std::vector<unsigned> dials_of_the_master = {};
   std::vector<unsigned> questions_to_a_sentinel = {};
};

// Keeps what the figures are made of.
class fleet_log {
 public:
   explicit fleet_log(unsigned clients) : back_(clients, never) {}

   void struck(time_point t) { struck_ = struck_ == never ? t : struck_; }
   // Of several masters the last one counts.
   void promoted(host_id h, time_point t);
   void dialled(host_id to, time_point t);
   void asked(host_id sentinel, time_point t);
   void answered(std::uint32_t client, time_point t);
   // The hosts below `servers` are servers, the others below `hosts` are Sentinels.
   fleet_figures figures(host_id servers, host_id hosts) const;

 private:
   struct dial {
      host_id to = nowhere;
      time_point at = {};
   };
   static unsigned peak(const std::vector<dial>&, host_id first, host_id last);
   std::vector<unsigned> series(const std::vector<dial>&, host_id) const;

   time_point struck_ = never;
   time_point promoted_ = never;
   host_id master_ = nowhere;
   std::vector<dial> dials_;       // from the fault on
   std::vector<dial> questions_;   // the same
   std::vector<time_point> back_;  // by client: the first answer since the promotion
};

}  // namespace holdfast::sim

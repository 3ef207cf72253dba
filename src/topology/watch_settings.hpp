// What the watch is told, once, when it is made. Every member has a default; times are lengths of time, never instants.
#pragma once

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace holdfast::topology {

struct watch_settings {
   std::vector<endpoint> sentinels = {};  // the seeds: asked in this order at the start, and kept for ever
   std::string master = {};               // the service name that the Sentinels know the master by
   endpoint server = {};                  // without Sentinels: the one, fixed server
   std::string username = {};             // of the Sentinels themselves, not of the master; empty: AUTH <password>
   std::string password = {};             // empty: no AUTH

   // Each Sentinel's own, for the connect and for each answer. Also the longest that an answer in hand waits for the
   // rest, and the longest that a hint keeps `in_doubt`. Redis' guidelines ask for a few hundred milliseconds.
   duration timeout = std::chrono::milliseconds(300);
   duration stagger = std::chrono::milliseconds(50);  // at the start: from one Sentinel's dial to the next one's
   duration idle_poll = std::chrono::seconds(10);     // how often all is asked although nothing happened (spread below)
   duration alert_poll = std::chrono::seconds(1);     // the same while a failover runs or the Sentinels disagree
   duration outage_poll = std::chrono::milliseconds(250);  // the same, at most, while commands wait for a connection
   duration outage_base = std::chrono::milliseconds(20);   // where the full-jitter backoff of dials and polls begins
   duration ping = std::chrono::seconds(5);                // silence after which a connection is checked by a PING
   duration hint_spacing = std::chrono::milliseconds(10);  // hints that come faster than this are asked about together
   duration doubt_pause = std::chrono::milliseconds(250);  // how long a Sentinel that cried wolf can't hold commands
   duration agree_for = std::chrono::seconds(10);  // how long the Sentinels must agree on a lower epoch (new lineage)
   unsigned max_sentinels = 32;                    // seeds and learned ones together; seeds are never left out
};

}  // namespace holdfast::topology

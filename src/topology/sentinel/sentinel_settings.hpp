// Settings of a tracker, given once, when it is made. Every member has a default; times are lengths of time, never
// instants.
#pragma once

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace holdfast::impl {

struct sentinel_settings {
   std::vector<endpoint> sentinels = {};  // the seeds: asked in this order at the start, and kept for ever
   std::string master = {};               // the service name that the Sentinels know the master by
   std::string username = {};             // of the Sentinels themselves, not of the master; empty: AUTH <password>
   std::string password = {};             // AUTH is sent where one of the two is set

   // Of the servers, for the connections that ask their role; empty as above.
   std::string node_username = {};
   std::string node_password = {};
   std::string client_name = {};  // for CLIENT SETNAME on these; empty: none

   // Whether a node that a Sentinel has selected is believed as soon as it says that it is a master, and whether its
   // connection is there before it is selected.
   bool eager = false;
   bool warm = true;
   duration hold_on_selected = std::chrono::milliseconds(250);  // how long new writes wait for a selected node; 0: not
   // Once for each selected node, when its connection ends: as long as its new role may take to be asked.
   duration hold_extension = std::chrono::milliseconds(50);
   // After a hold the next selections of that Sentinel hold no writes for so long, unless a master of that failover or
   // of a newer one is believed before.
   duration hold_pause = std::chrono::seconds(5);
   bool follow_role_hint = false;  // a replica of a master is left for that master though no Sentinel names it

   // Each Sentinel's own, for the connect and for each answer. Also the longest that an answer in hand waits for the
   // rest, and the longest that a hint keeps `in_doubt`. Redis' guidelines ask for a few hundred milliseconds. Where
   // nothing comes within it, the next try waits twice as long, up to `most_patience` times; after an answer, twice
   // what that took.
   duration timeout = std::chrono::milliseconds(300);
   static constexpr unsigned most_patience = 4;
   duration stagger = std::chrono::milliseconds(50);  // at the start: from one Sentinel's dial to the next one's
   duration idle_poll = std::chrono::seconds(10);     // how often all is asked although nothing happened (spread below)
   duration alert_poll = std::chrono::seconds(1);     // the same while a failover runs or the Sentinels disagree
   duration outage_poll = std::chrono::milliseconds(250);  // the same, at most, while commands wait for a connection
   duration outage_base = std::chrono::milliseconds(20);   // where the full-jitter backoff of dials and polls begins
   duration ping = std::chrono::seconds(5);                // silence after which a connection is checked by a PING
   duration hint_spacing = std::chrono::milliseconds(10);  // hints that come faster than this are asked about together
   duration doubt_pause = std::chrono::milliseconds(250);  // how long a Sentinel that cried wolf can't hold commands
   duration agree_for = std::chrono::seconds(10);    // how long the Sentinels must agree on a lower epoch (new lineage)
   duration forget_after = std::chrono::seconds(3);  // a learned one that nobody lists any more
   duration stray_for = std::chrono::minutes(1);     // a stray has no vote, after the last answer of one that has
   unsigned max_sentinels = 32;                      // seeds and learned ones together; seeds are never left out
   std::size_t max_replicas = 16;                    // with a warm connection

   duration node_timeout = std::chrono::seconds(1);          // for the connect to a server, and for each of its answers
   duration rewarm_spread = std::chrono::milliseconds(100);  // within this a warm connection that ended is made anew
   duration reconnect_spread = duration::zero();             // within this a pursued one is, too
   duration rewarm_cap = std::chrono::seconds(10);           // and after failures within 1 s, doubled up to this

   bool keeps_replicas_warm() const { return eager && warm; }
};

}  // namespace holdfast::impl

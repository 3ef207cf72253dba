// The tracker's connections to servers: a warm one to each replica that the Sentinels list, and one to whatever node is
// *pursued*, because its role matters now (a candidate for promotion, a node that is to be verified).
//
// A warm connection asks its node's role when it is made and after each `ping` of silence. When it ends it is made anew
// within `rewarm_spread`, so that a server that has lost all its clients at once is not dialled by all at once; after
// failures, or where it does not last, at most once a second, and then less often. A pursued node is dialled and asked
// at once (within `reconnect_spread`, if its connection has just ended), and asked again with full jitter from
// `outage_base`, doubled up to `outage_poll`, and after some seconds up to `alert_poll`.
//
// It decides nothing about masters: what it finds out it gives to the tracker, as observations.
#pragma once

#include "topology/sentinel/role_connection.hpp"
#include "topology/sentinel/sentinel_reply.hpp"
#include "topology/sentinel/sentinel_settings.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/random.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::impl {

class warm_replicas {
 public:
   struct role_observation {
      enum class kind : std::uint8_t {
         role,   // the node answered: `role`, and whom it follows if it told that
         ended,  // a connection that had told the role is gone
         failed  // no connection, or no answer
      };
      kind what = kind::ended;
      endpoint where = {};
      std::string role = {};
      endpoint follows = {};
   };

   // `settings`, `io` and `owner` (of the links) outlive it.
   warm_replicas(const sentinel_settings& settings, std::uint64_t seed, io_queue& io, const limits&, link_owner& owner);

   // Exactly these are kept warm from now on (at most max_replicas), besides those that are pursued. A node that is
   // listed under several names has one run id: one connection serves it, under the name that has one already.
   void keep(std::span<const listed_node> listed, time_point now);
   // Exactly these are pursued from now on (one of them may be named twice).
   void pursue(std::span<const endpoint> nodes, time_point now);

   // Whether it is one of ours.
   bool on_opened(link&, time_point now);
   bool on_lost(link&, const std::string& why, time_point now);
   bool on_received(link&, time_point now);
   void tick(time_point now, bool late);
   time_point deadline() const;
   // The next observation; nothing when all were taken.
   std::optional<role_observation> take();

   std::size_t link_count() const { return slots_.size(); }
   link& link_at(std::size_t i) { return slots_[i]->node.connection.link; }
   // How many nodes answer at present.
   std::size_t warm() const;

 private:
   // A place for one node. One that is free goes to another node.
   struct slot {
      slot(const sentinel_settings& s, io_queue& io, const limits& l) : node(s, io, l) {}
      bool wanted() const { return listed || pursued; }

      endpoint where = {};
      role_connection node;
      bool listed = false;
      bool pursued = false;
      unsigned questions = 0;     // since it is pursued
      time_point ask_at = never;  // of a pursued node: the next question
   };

   slot* find(const endpoint&);
   std::vector<endpoint> one_name_each(std::span<const listed_node>);
   slot* owner(const link&);
   slot* place_for(const endpoint&);
   void begin_pursuit(slot&, time_point now);
   void drop_if_unwanted(slot&);
   void rest(slot&, bool was_known, time_point now);
   duration pause(unsigned tries);

   const sentinel_settings* settings_;
   random_source random_;
   io_queue* io_;
   limits limits_;
   link_owner* link_owner_;
   std::vector<std::unique_ptr<slot>> slots_;
   std::vector<role_observation> observations_;
};

}  // namespace holdfast::impl

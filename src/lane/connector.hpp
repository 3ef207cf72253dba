// Keeps a lane connected: asks where the master is, dials, shakes hands, and begins again with growing pauses until it
// is told to rest. It never gives up; commands do, when their deadline passes.
//
//    resting --want--> asking --answered--> dialing --opened--> greeting --verified--> ready
//                        ^                     |                   |                     |
//                        +------ pausing <-----+---- any failure --+     <--- leave -----+
//
// Where a name has several addresses, a round of dialing and greeting takes each of them once, until one is a master.
// The first try after a connection was lost comes at once. A node that the view no longer names is left in any phase.
#pragma once

#include "commands/handshake.hpp"
#include "lane/address_round.hpp"
#include "lane/dial_pauses.hpp"
#include "lane/fences_due.hpp"
#include "lane/lane_topology.hpp"
#include "link/link.hpp"

#include <holdfast/event.hpp>
#include <holdfast/policy/backoff.hpp>

#include <optional>
#include <string>
#include <vector>

namespace holdfast::impl {

struct connector_settings {
   duration connect_timeout = std::chrono::seconds(1);  // for dialing and greeting together
   holdfast::backoff backoff = exponential_backoff();
   duration failover_cap = std::chrono::milliseconds(250);  // no pause is longer while a failover is under way
   duration reconnect_spread = duration::zero();            // a random wait up to this before dialing a new master
};

class connector {
 public:
   enum class phase : std::uint8_t { resting, asking, pausing, dialing, greeting, ready };

   connector(connector_settings, link&, lane_topology&, event_queue&, std::uint64_t seed);
   ~connector() { set_phase(phase::resting, never); }
   connector(const connector&) = delete;
   connector& operator=(const connector&) = delete;

   void want(time_point now);   // there is something to send
   void rest();                 // there is nothing: no more tries (an open connection stays)
   void leave(time_point now);  // the connection ended, or its node is to be left; closes it if it is open
   // A command was answered: the next failure is a first one.
   void proven() { pauses_.on_answered(); }

   // The link's events, for as long as `now() != ready`.
   void on_opened(const session&, bool allow_busy_server);
   void on_lost(std::string_view why, time_point now);
   void on_received(time_point now);
   void on_view(time_point now);  // the view may have changed
   void tick(time_point now);
   time_point next_deadline() const { return deadline_; }

   phase now() const { return phase_; }
   bool ready() const { return phase_ == phase::ready; }
   // The server was busy with a script, and we let in all the same: only for what may run then.
   bool without_identity() const { return ready() && handshake_.without_identity(); }
   // The named node is another than that of the present connection. The same process under another name is not.
   bool superseded() const;
   const identity& self() const { return handshake_.self(); }
   const std::string& role() const { return handshake_.role(); }
   time_point master_changed_at() const { return master_changed_at_; }

   // Why commands wait: the last tries, newest last; and what they would fail with now.
   const text_list& causes() const { return causes_; }
   std::string under_way() const;  // the try that has not failed yet; empty if there is none
   std::optional<handshake::problem> problem() const { return problem_; }

   // ---- the fence ----
   // The connection that is being given up has written what may still run there. `others_wait`: for what was lost on
   // connections before it, too, commands wait to be sent again.
   void remember_for_fence(bool others_wait) { fences_.remember(here(), handshake_.self(), others_wait); }
   // On the way to a process where something of a lost connection may still run.
   bool fence_is_due() const;
   bool has_to_fence() const { return !fences_.empty(); }  // some process, should the lane come to it
   // After ready: whether the lane came back to the process of such a connection, and if so whether it is proven dead.
   using fence_result = fences_due::result;
   fence_result fenced() const { return fences_.of_present(); }
   const std::string& fence_problem() const { return fences_.problem(); }

 private:
   fences_due::place here() const { return {node_->where, link_.address(), node_->epoch}; }
   bool is_unwanted() const { return link_.one_of_several() && addresses_.is_unwanted(handshake_.role()); }
   static constexpr std::size_t most_causes = 16;

   void set_phase(phase, time_point deadline);
   void ask(time_point now);
   void dial(time_point now);
   void dial_next(time_point now);
   std::string at_address() const;
   void pause(time_point now);
   void no_connection(std::string_view why, time_point now);
   void failed(errc, std::string why, time_point now);
   void become_ready(time_point now);
   bool is_same_process(const master_node&) const;
   void note(std::string cause);

   connector_settings settings_;
   link& link_;
   lane_topology& topology_;
   event_queue& events_;
   dial_pauses pauses_;
   address_round addresses_;
   fences_due fences_;

   phase phase_ = phase::resting;
   time_point deadline_ = never;
   bool wanted_ = false;  // no `rest` since the last `want`
   lane_topology::round round_ = 0;
   std::optional<master_node> node_;  // dialed, or connected to
   handshake handshake_;
   time_point master_changed_at_ = {};
   std::optional<handshake::problem> problem_;
   text_list causes_;
};

}  // namespace holdfast::impl

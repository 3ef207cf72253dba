// The lanes' side of the topology: the latest view, and the requests that the lanes of an engine have for its source,
// which are those of one. The engine takes these and brings new views, at the end of each of its entry points.
#pragma once

#include "view/topology_requests.hpp"
#include "view/topology_view.hpp"

#include <holdfast/time.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::impl {

class lane_topology {
 public:
   using round = std::uint64_t;

   // ---- the lane's half: the view ----
   const std::optional<master_node>& target() const { return view_->master; }
   const std::optional<unavailable>& why_none() const { return view_->why_none; }
   const std::string& objection() const { return view_->objection; }
   bool roles_matter() const { return view_->verify_role; }
   bool in_doubt() const { return view_->in_doubt; }
   time_point hold_writes_until() const { return view_->hold_writes_until; }
   bool failover_in_progress() const { return view_->failover_in_progress; }
   bool objectively_down() const { return view_->objectively_down; }
   // Of one fixed server nobody is asked.
   bool answered(round r) const { return r <= answered_ || !view_->verify_role; }

   // ---- the lane's half: its requests ----
   // Starts to find out. Every reconnection asks.
   round ask() {
      has_requests_ = view_->verify_role;
      return ++requests_.asked;
   }
   // Commands of a lane begin to wait for a connection, or wait no longer.
   void need(bool commands_wait) {
      commands_wait ? ++waiting_ : --waiting_;
      if ((waiting_ != 0) == requests_.commands_wait) return;
      has_requests_ = view_->verify_role;
      requests_.commands_wait = waiting_ != 0;
   }
   // `n`: as it was named when it was dialled.
   void role_verified(const master_node& n) {
      report({.where = n.where, .verified = true, .epoch = n.epoch, .generation = n.generation});
   }
   void role_refused(const master_node& n, std::string_view role) {
      report({.where = n.where, .role = std::string(role), .generation = n.generation});
   }

   // One of the lanes has had a connection. What refuses a new one later may pass, for the others, too.
   void note_ready() { ever_ready_ = true; }
   bool ever_ready() const { return ever_ready_; }

   // ---- the engine's half ----
   bool has_requests() const { return has_requests_; }
   topology_requests take_requests() {
      has_requests_ = false;
      return {requests_.asked, requests_.commands_wait, std::exchange(requests_.reports, {})};
   }
   bool knows(const topology_update& u) const { return u.view == view_ && u.answered == answered_; }
   void update(topology_update u) {
      view_ = std::move(u.view);
      answered_ = u.answered;
      hold_ends_ = view_->hold_writes_until == time_point::min() ? never : view_->hold_writes_until;
   }
   const topology_view& view() const { return *view_; }
   // The view's hold of writes ends then by itself.
   time_point next_deadline() const { return hold_ends_; }
   void tick(time_point now) {
      if (now >= hold_ends_) hold_ends_ = never;
   }

 private:
   void report(role_report r) {
      has_requests_ = true;
      requests_.report(std::move(r));
   }

   std::shared_ptr<const topology_view> view_ = std::make_shared<const topology_view>();
   std::uint64_t answered_ = 0;
   time_point hold_ends_ = never;
   topology_requests requests_;
   unsigned waiting_ = 0;  // lanes
   bool has_requests_ = false;
   bool ever_ready_ = false;
};

}  // namespace holdfast::impl

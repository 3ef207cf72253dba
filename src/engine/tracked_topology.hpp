// A tracker of the engine's own as the source of its views: it gets what the lane requests, and what it knows becomes a
// view whenever that has changed.
#pragma once

#include "core/secrets.hpp"
#include "topology/sentinel/sentinel_tracker.hpp"
#include "view/question_log.hpp"
#include "view/topology_requests.hpp"
#include "view/topology_view.hpp"

#include <cstdint>

namespace holdfast::impl {

class tracked_topology {
 public:
   tracked_topology(sentinel_settings, std::uint64_t seed, io_queue&, const limits&, event_queue&, const secrets&);

   // After anything that is done to it: `refresh`.
   sentinel_tracker& tracker() { return tracker_; }
   const sentinel_tracker& tracker() const { return tracker_; }
   void request(const topology_requests&, time_point now);

   // Whether something has happened since `refresh`.
   bool is_behind() const { return tracker_.events_seen() != events_seen_; }
   // Whether `latest` is another one now.
   bool refresh();
   const topology_update& latest() const { return latest_; }

 private:
   void pass_on(const role_report&, time_point now);

   sentinel_tracker tracker_;
   const secrets& secrets_;  // that no cause may show
   question_log questions_;
   std::uint64_t asked_ = 0;
   std::uint64_t events_seen_ = 0;
   std::uint64_t generation_ = 0;  // of the last master in a view
   topology_update latest_;
};

}  // namespace holdfast::impl

// Makes the requests of any number of lanes those of one, and its answers theirs: for a tracker that they share.
// Without threads; how requests and views get from one thread to another is the runtime's affair.
//
// However many lanes ask, the Sentinels are asked for all of them together: again as soon as they have answered, or
// `spacing` after the question before; and where commands have been waiting for longer than `patience`, so that lanes
// ask in vain again and again, only every `outage_spacing`. A question is answered when a round that began after it is
// over, or as soon as another master is named: that is news for all.
#pragma once

#include "view/question_log.hpp"
#include "view/topology_requests.hpp"
#include "view/topology_view.hpp"

#include <holdfast/time.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace holdfast::impl {

class publisher {
 public:
   static constexpr duration spacing = std::chrono::milliseconds(10);
   static constexpr duration patience = std::chrono::milliseconds(50);
   static constexpr duration outage_spacing = std::chrono::milliseconds(25);

   // To be called when there are requests, when the tracker may have something new (`latest`), and at `next_deadline`.
   // The requests that the tracker is to get.
   topology_requests take(topology_requests of_all, const topology_update& latest, time_point now);
   // The update that the lanes are to get; empty if it would be the same as before.
   std::optional<topology_update> changed(const topology_update& latest);
   time_point next_deadline() const { return asked_ == put_ ? never : ask_at_; }

 private:
   time_point next_ask(time_point now) const;
   void see_what_is_answered(const topology_update& latest);

   std::uint64_t asked_ = 0;   // by lanes
   std::uint64_t put_ = 0;     // of these, to the tracker
   std::uint64_t rounds_ = 0;  // questions to the tracker
   question_log questions_;
   time_point asked_at_ = time_point::min();
   time_point ask_at_ = never;
   time_point needed_since_ = never;
   std::uint64_t generation_ = 0;
   topology_update published_;
};

}  // namespace holdfast::impl

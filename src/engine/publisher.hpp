// The other end of shared_watch: puts the wishes of any number of lanes to one watch, and says what they are to know.
// Without threads; how wishes and snapshots get from one thread to another is the runtime's affair.
//
// However many lanes ask, the Sentinels are asked for all of them together: again as soon as they have answered, or
// `spacing` after the question before; and where commands have been waiting for longer than `patience`, so that lanes
// ask in vain again and again, only every `outage_spacing`. A ticket is answered when a round that began after it is
// over, or as soon as another master is named: that is news for all.
#pragma once

#include "engine/snapshot.hpp"
#include "lane/guide.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::engine {

// What a lane found out about the node that it was sent to.
struct role_report {
   endpoint where;
   std::uint64_t number = 0;     // the epoch; of a refusal, the generation of the target
   std::string refused_as = {};  // empty: it is a master

   friend bool operator==(const role_report&, const role_report&) = default;
};

// What all lanes together wish.
struct lane_wishes {
   snapshot::ticket asked = 0;             // the highest ticket that was given out
   bool needed = false;                    // commands wait somewhere
   std::vector<role_report> reports = {};  // since the last time; the same from many lanes is one

   // Bounded: it has room for all that lanes of one deployment can honestly differ in.
   void report(role_report r);
   static constexpr std::size_t most_reports = 64;
};

class publisher {
 public:
   static constexpr duration spacing = std::chrono::milliseconds(10);
   static constexpr duration patience = std::chrono::milliseconds(50);
   static constexpr duration outage_spacing = std::chrono::milliseconds(25);

   // `g` is led by the watch in question.
   explicit publisher(lane::guide& g) : guide_(g) {}

   // To be called when there are wishes, when the watch was told something, and at `next_deadline`.
   void take(const lane_wishes&, time_point now);
   // The snapshot to publish: null if it would be the same as the one before.
   std::shared_ptr<const snapshot> changed(std::optional<duration> down_after);
   time_point next_deadline() const { return asked_ == put_ ? never : ask_at_; }

 private:
   struct question {
      snapshot::ticket ticket = 0;
      lane::guide::round round = 0;
   };
   static constexpr std::size_t most_open = 8;

   time_point next_ask(time_point now) const;
   void ask(time_point now);
   void pass_on(const role_report&, time_point now);
   void see_what_is_answered();

   lane::guide& guide_;
   std::shared_ptr<const snapshot> published_;
   snapshot::ticket asked_ = 0;     // by lanes
   snapshot::ticket put_ = 0;       // to the watch
   snapshot::ticket finished_ = 0;  // answered by it
   std::vector<question> open_;     // oldest first
   time_point asked_at_ = time_point::min();
   time_point ask_at_ = never;
   time_point needed_since_ = never;
   std::uint64_t generation_ = 0;
};

}  // namespace holdfast::engine

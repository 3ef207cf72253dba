// Lanes of one's own, beside the one that all share: for commands that block on the server, where an engine has many
// callers, and for callers who asked for one. All follow the view of the engine's first lane, and share its retry
// budget and its events.
//
//    idle --submit--> blocking --its command has ended--> idle        one command at a time
//    idle --acquire--> lent --give_back--> idle                       as many as its caller likes
//
// A lane is made when none is idle. At most `lanes` are blocking at a time; commands beyond that wait here, in order,
// within the limits for parked ones. An idle lane is clean: nothing is under way on it, no WATCH is left, and its
// connection is as the configuration says; else it was closed. The one that was used last is used next (where a fence
// is due, it is that lane's). After a minute it is closed; at once where another node is the master.
//
// A lane is looked at after whatever was done to it, and only then: what is done and what is due is known without
// asking all.
#pragma once

#include "core/counters.hpp"
#include "engine/settings.hpp"
#include "lane/command_lane.hpp"
#include "lane/deadlines.hpp"
#include "lane/lane_topology.hpp"
#include "lane/operation.hpp"
#include "link/link.hpp"

#include <holdfast/event.hpp>
#include <holdfast/policy/retry_budget.hpp>
#include <holdfast/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::impl {

using lane_number = std::uint32_t;  // from 1; of a lane that is no more, another one's

class lane_pool {
 public:
   static constexpr duration idle_time = std::chrono::seconds(60);

   // Parts of the engine that all lanes share.
   struct parts {
      io_queue& io;
      lane_topology& topology;
      retry_budget& budget;
      event_queue& events;
      counters& counts;
   };
   lane_pool(const config&, callers, const parts&, std::uint64_t seed);
   lane_pool(const lane_pool&) = delete;
   lane_pool& operator=(const lane_pool&) = delete;

   // ---- the client's half: as the lane's ----
   // Of an operation that was described: to the lane that it names, which is lent; else it blocks, and gets one.
   void submit(operation& op, time_point now);
   void refuse(operation&, errc why, time_point now);
   void cancel(operation&, time_point now);
   void cancel_all(time_point now);
   operation* take_done() { return done_.pop_front(); }
   bool has_done() const { return !done_.empty(); }
   void set_default_deadline(duration, time_point now);

   // A lane for one caller, until it is given back. Nothing is sent.
   lane_number acquire();
   void give_back(lane_number, time_point now);
   void resume(lane_number, const session&, bool watched);
   const command_lane& lane(lane_number n) const { return at(n).lane; }
   // Null: it is closed, or there was none.
   const command_lane* find(lane_number n) const {
      return n - 1 < members_.size() && members_[n - 1] != nullptr ? &members_[n - 1]->lane : nullptr;
   }

   // ---- the engine's half ----
   // Something happened to one of its links.
   void changed(lane_number, time_point now);
   void on_view(time_point now);
   // `all`: something else than their own deadlines concerns them.
   void tick(bool all, time_point now);
   time_point next_deadline() const { return next_; }
   // Of the links to be measured, the one with the lowest id above `above`; 0: none.
   std::uint32_t to_measure(time_point now, std::uint32_t above) const;

   std::size_t lanes() const { return blocking_ + lent_ + idle_.size(); }
   std::size_t parked() const { return parked_.size(); }

 private:
   enum class state : std::uint8_t { idle, blocking, lent };
   struct member {
      member(lane_pool&, lane_number);

      link main;
      link probe;
      command_lane lane;
      state is = state::idle;
      bool altered = false;  // its connection is not as the configuration says, or not for sure
   };
   struct resting {
      lane_number number = 0;
      time_point since = {};
   };
   // In `operation::lane`: it waits for one.
   static constexpr lane_number none_yet = static_cast<lane_number>(-1);

   member& at(lane_number n) { return *members_[n - 1]; }
   const member& at(lane_number n) const { return *members_[n - 1]; }
   lane_number take();  // an idle one, or a new one
   void close(lane_number);
   void rest(lane_number, time_point now);
   void start(operation&, time_point now);
   void look(lane_number, time_point now);
   void settle(time_point now);
   void set_due(lane_number, time_point);
   // ---- commands that wait for a lane ----
   void park(operation&, time_point now);
   void unpark(operation&);
   void end_parked(operation&, errc, lane_number by, time_point now);
   void end_all_parked(errc, lane_number by, time_point now);
   void expire(time_point now);
   lane_number first_blocking() const;
   std::string why_parked() const;
   static time_point closes_at(const resting& r) { return after(r.since, idle_time); }
   // Of none is another one closed inside.
   template <class F>
   void for_each(F&& f) {
      for (lane_number n = 1; n <= members_.size(); ++n)
         if (members_[n - 1] != nullptr) f(n, at(n));
   }

   const parts shared_;
   const settings settings_;
   const limits replies_;
   const std::size_t most_blocking_;
   const std::size_t most_parked_;
   random_source seeds_;
   duration default_deadline_;

   std::vector<std::unique_ptr<member>> members_;  // by number - 1; null: free
   std::vector<time_point> due_;                   // by number - 1
   time_point soonest_ = never;                    // of these
   time_point next_ = never;                       // of those, and of what waits or rests
   std::vector<resting> idle_;                     // the one used last is last
   std::size_t blocking_ = 0;
   std::size_t lent_ = 0;

   operation_list parked_;
   deadlines parked_until_;
   std::size_t parked_bytes_ = 0;
   operation_list done_;
};

}  // namespace holdfast::impl

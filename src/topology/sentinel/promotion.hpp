// The promotion that is under way (settings.eager): which node a Sentinel has selected, how long new writes are held
// for it, and whether what is believed was named by a Sentinel or is *provisional*: believed by its selection and by
// its own word.
//
// "+selected-slave" makes a node a candidate, under the epoch that the same Sentinel announced before it tried this
// failover, if that is newer than what is believed. Each Sentinel has one at most. New writes are held from the
// selection on, for `hold_on_selected` at most; then that Sentinel holds none for `hold_pause`, or until a master of
// that epoch or a newer one is believed: so events alone hold writes for a small part of the time. Sentinels go by
// their numbers. When a candidate is dropped, and when a provisional belief is withdrawn: docs/architecture.md,
// "Belief".
#pragma once

#include "topology/sentinel/belief.hpp"
#include "topology/sentinel/rounds.hpp"
#include "topology/sentinel/sentinel_event.hpp"
#include "topology/sentinel/sentinel_settings.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::impl {

class promotion {
 public:
   enum class state : std::uint8_t {
      named,        // what is believed was named by a Sentinel
      provisional,  // it was not, yet
      denied,       // nor that, and it says that it is a slave: the Sentinels are asked once more
   };
   // The selection by which a node that says that it is a master is to be believed.
   struct claim {
      std::size_t by = 0;
      std::string id = {};  // the run id of that Sentinel
      std::uint64_t epoch = 0;
   };

   explicit promotion(const sentinel_settings& s) : settings_(&s) {}

   state now() const { return state_; }
   bool is_provisional() const { return state_ != state::named; }
   const master_node& before() const { return before_; }  // of a provisional belief: what was named last
   time_point hold_until() const { return hold_until_; }
   time_point deadline() const { return hold_until_ == time_point::min() ? never : hold_until_; }

   // ---- what Sentinels publish ----
   void on_announced(std::size_t by, const hint&);  // an epoch, or a try under the epoch before; else nothing
   void on_selected(std::size_t by, const std::string& id, const endpoint& node, std::uint64_t believed,
                    time_point now);
   // Candidate of a Sentinel that forgot the master, or counts no more.
   void drop_candidate(std::size_t by) { of(by).candidate.reset(); }
   void on_switched(std::size_t by, const endpoint& to);
   // It gave its failover up. True where that withdraws what is believed.
   bool on_aborted(std::size_t by, const std::string& id, std::uint64_t believed);

   // ---- what becomes of their connections ----
   void on_unsubscribed(std::size_t by);  // also where another Sentinel takes this one's number
   void on_disconnected(std::size_t by, const std::string& id);
   void on_forgotten(std::size_t by);

   // ---- what nodes say ----
   std::optional<claim> claim_of(const endpoint& master, std::uint64_t believed) const;
   void extend_holds(const endpoint& node, time_point now);  // its connection has ended
   void on_verified();                                       // what is believed is a master
   void on_denied(rounds::id question);                      // it is none; asked because of it
   bool denial_is_answered(const rounds&);                   // once

   // ---- what is believed ----
   void believe(const master_node& master, const master_node& before, const claim&);
   void believe_named(const master_node&);
   // The newest epoch under which Sentinels name what is believed provisionally, if any does: it is confirmed.
   std::optional<std::uint64_t> confirm(const endpoint& believed, std::span<const sentinel_vote> in_hand);
   // The candidates, but for what is believed; computes until when writes are held.
   std::vector<endpoint> candidates(const std::optional<master_node>& believed, time_point now);

 private:
   static constexpr std::size_t nobody = static_cast<std::size_t>(-1);
   struct selection {
      endpoint where = {};
      std::uint64_t epoch = 0;
      std::string id = {};  // of the Sentinel
   };
   struct sentinel {
      std::uint64_t announced = 0;  // the newest epoch; 0: unknown
      std::uint64_t failover = 0;   // the epoch of its latest try of a failover
      std::optional<selection> candidate = {};
   };
   // A selection that makes new writes be held. Its Sentinel's next ones make none be held before `pause_until`.
   struct hold {
      std::size_t by = 0;
      selection of = {};
      time_point until = {};
      time_point pause_until = {};
      bool may_extend = true;  // once, by the end of the node's connection
   };
   static constexpr std::size_t most_holds = 8;  // the pauses among them
   sentinel& of(std::size_t number);
   void hold_for(std::size_t by, const selection&, time_point now);
   static bool is_by(const hold&, std::size_t by, const std::string& id);
   bool goes_on(const hold&) const;
   void set_state(state s) { state_ = s; }
   void drop_up_to(std::uint64_t epoch);

   const sentinel_settings* settings_;
   std::vector<sentinel> sentinels_;  // by number
   std::vector<hold> holds_;
   state state_ = state::named;
   master_node before_ = {};
   std::size_t by_ = nobody;  // who selected what is believed
   std::string by_id_ = {};
   rounds::id question_ = 0;
   time_point hold_until_ = time_point::min();  // the latest of those that go on
};

}  // namespace holdfast::impl

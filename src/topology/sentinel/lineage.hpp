// A new lineage: all reachable Sentinels that know the name, more than half of the known ones, agree on a master under
// an epoch that is older than what is believed. They may have been rebuilt from nothing. If that lasts for `agree_for`
// they are asked once more, and then that master is offered as the target: if it says that it is a master it is
// believed; if not, the wait begins anew. While a selected node is believed by its own word, the connection that works
// is left only for a node that is known to be a master: the agreed one is asked by the tracker itself (`returning`).
#pragma once

#include "topology/sentinel/belief.hpp"
#include "topology/sentinel/rounds.hpp"
#include "topology/sentinel/sentinel_settings.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <optional>

namespace holdfast::impl {

class lineage {
 public:
   enum class state : std::uint8_t {
      none,
      agreed,     // for less than `agree_for`
      asking,     // once more
      offered,    // as the target
      returning,  // asked for its role
   };

   explicit lineage(const sentinel_settings& s) : settings_(&s) {}

   state now() const { return state_; }
   const sentinel_vote& agreed() const { return agreed_; }  // unless `none`
   const sentinel_vote* offered() const { return state_ == state::offered ? &agreed_ : nullptr; }
   bool returns_to(const endpoint& where) const { return state_ == state::returning && agreed_.where == where; }
   time_point deadline() const {
      return state_ == state::agreed ? after(since_, settings_->agree_for) : never;  // then they are to be asked
   }

   // The master that the Sentinels agree on now. True where an agreement has begun.
   bool on_votes(const std::optional<sentinel_vote>& agreed, time_point now) {
      const bool goes_on =
         state_ != state::none && agreed && agreed->where == agreed_.where && agreed->epoch == agreed_.epoch;
      if (!agreed) end();
      if (!agreed || goes_on) return false;
      agreed_ = *agreed;
      begin_anew(now);
      return true;
   }
   void on_asked(rounds::id question) {
      asked_ = question;
      set_state(state::asking);
   }
   // The question is answered. True where the agreed master is to be accepted at once: it is what is believed, and the
   // lane has verified it.
   bool on_answered(const rounds& asked, const endpoint& believed, bool is_provisional, time_point now) {
      if (state_ != state::asking || !asked.finished(asked_)) return false;
      const bool is_over = now >= after(since_, settings_->agree_for);
      if (is_over && !is_provisional && agreed_.where == verified_ && agreed_.where == believed) return true;
      set_state(!is_over ? state::agreed : is_provisional ? state::returning : state::offered);
      return false;
   }
   // By the lane; true where it was offered.
   bool on_verified(const endpoint& where, std::uint64_t epoch) {
      verified_ = where;
      return state_ == state::offered && agreed_.where == where && agreed_.epoch == epoch;
   }
   // By the lane: it is no master.
   void on_refused(const endpoint& where, time_point now) {
      if (verified_ == where) verified_ = {};
      if (state_ == state::offered && agreed_.where == where) begin_anew(now);
   }
   // The master to return to is none any more, or is not there.
   void on_no_master(const endpoint& where, time_point now) {
      if (returns_to(where)) begin_anew(now);
   }
   // The offered vote; the agreement goes on.
   void withdraw() {
      if (state_ != state::none) set_state(state::agreed);
   }
   void end() { set_state(state::none); }

 private:
   void set_state(state s) { state_ = s; }
   void begin_anew(time_point now) {
      set_state(state::agreed);
      since_ = now;
   }

   const sentinel_settings* settings_;
   state state_ = state::none;
   sentinel_vote agreed_ = {};
   time_point since_ = never;
   rounds::id asked_ = 0;
   endpoint verified_ = {};  // by the lane, last
};

}  // namespace holdfast::impl

#include "topology/sentinel/lineage.hpp"

namespace holdfast::impl {

bool lineage::on_votes(const std::optional<sentinel_vote>& agreed, time_point now) {
   if (!agreed) {
      end();
      return false;
   }
   if (state_ != state::none && agreed->where == agreed_.where && agreed->epoch == agreed_.epoch) return false;
   agreed_ = *agreed;
   begin_anew(now);
   return true;
}

void lineage::on_asked(rounds::id question) {
   asked_ = question;
   set_state(state::asking);
}

bool lineage::on_answered(const rounds& asked, const endpoint& believed, bool is_provisional, time_point now) {
   if (state_ != state::asking || !asked.finished(asked_)) return false;
   if (now < after(since_, settings_->agree_for))
      set_state(state::agreed);
   else if (is_provisional)
      set_state(state::returning);
   else if (agreed_.where == verified_ && agreed_.where == believed)
      return true;
   else
      set_state(state::offered);
   return false;
}

bool lineage::on_verified(const endpoint& where, std::uint64_t epoch) {
   verified_ = where;
   return state_ == state::offered && agreed_.where == where && agreed_.epoch == epoch;
}

void lineage::on_refused(const endpoint& where, time_point now) {
   if (verified_ == where) verified_ = {};
   if (state_ == state::offered && agreed_.where == where) begin_anew(now);
}

void lineage::on_no_master(const endpoint& where, time_point now) {
   if (returns_to(where)) begin_anew(now);
}

void lineage::withdraw() {
   if (state_ != state::none) set_state(state::agreed);
}

void lineage::end() { set_state(state::none); }

void lineage::begin_anew(time_point now) {
   set_state(state::agreed);
   since_ = now;
}

}  // namespace holdfast::impl

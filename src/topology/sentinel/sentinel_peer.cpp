#include "topology/sentinel/sentinel_peer.hpp"

#include <algorithm>
#include <span>

namespace holdfast::impl {

place sentinel_peer::seen() const {
   const bool is_kin_known = id().empty() || member.kin_of == id();  // it may be down
   return {.where = where,
           .configured = seed,
           .names = names_a_master() && questions.list_known(),
           .counted = member.counts,
           .several = member.several,
           .id = id(),
           .listed_as = member.listed_as,
           .lists = others.told(),
           .passing = others.passing(),
           .kin = is_kin_known ? std::span<const std::string>(member.kin) : std::span<const std::string>()};
}

void sentinel_peer::remember_kin(const std::string& other_id) {
   constexpr std::size_t enough = 16;
   auto& kin = member.kin;
   if (std::exchange(member.kin_of, id()) != id()) kin.clear();
   if (std::find(kin.begin(), kin.end(), other_id) != kin.end()) return;
   if (kin.size() == enough) kin.erase(kin.begin());
   kin.push_back(other_id);
}

void sentinel_peer::take_answer(time_point now) {
   set_status(status::up);
   why.clear();
   questions.connection.failures = 0;
   const sentinel_answer& a = questions.answer();
   const bool repeated = latest.what == a.what && latest.where == a.where && latest.state.epoch == a.state.epoch;
   latest = a;
   latest.repeated = repeated;
   latest.at = now;
}

void sentinel_peer::note_flags(const endpoint* master) {
   const bool concerns = master != nullptr && votes() && latest.state.shown == *master;
   objectively_down = concerns && latest.state.objectively_down;
   failing_over = concerns && latest.state.failover_in_progress;
}

void sentinel_peer::note_hint(const hint& h, bool of_ours) {
   switch (h.kind) {
      case hint_kind::objectively_down: objectively_down = objectively_down || of_ours; break;
      case hint_kind::objectively_up: objectively_down = false; break;
      case hint_kind::tries: failing_over = failing_over || of_ours; break;
      case hint_kind::failing_over: failing_over = failing_over || of_ours || h.about.empty(); break;
      case hint_kind::selected: failing_over = true; break;
      case hint_kind::aborted:
      case hint_kind::finished: failing_over = false; break;
      default: break;
   }
}

void sentinel_peer::fail(time_point now) {
   set_status(questions.connection.refused() ? status::refuses : status::down);
   why = questions.connection.problem();
   failed_at = now;
   member.look_elsewhere = true;
   waits_for_list = false;
   latest = {};
   clear_flags();
}

void sentinel_peer::become(const endpoint& other, const std::string& other_id) {
   questions.forget();
   events.connection.close();
   questions.connection.failures = events.connection.failures = 0;
   where = other;
   member = {.listed_as = other_id};
   others = {};
   clear_flags();
   set_status(status::untried);
   why.clear();
   stale_told.reset();
   latest = {};
}

}  // namespace holdfast::impl

#include "engine/publisher.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::engine {

void lane_wishes::report(role_report r) {
   if (std::find(reports.begin(), reports.end(), r) != reports.end()) return;
   if (reports.size() == most_reports) reports.erase(reports.begin());
   reports.push_back(std::move(r));
}

void publisher::take(const lane_wishes& w, time_point now) {
   for (const auto& r : w.reports) pass_on(r, now);
   guide_.need(w.needed, now);
   needed_since_ = w.needed ? std::min(needed_since_, now) : never;
   asked_ = std::max(asked_, w.asked);
   see_what_is_answered();
   if (asked_ == put_) return;
   ask_at_ = next_ask(now);
   if (now < ask_at_) return;
   ask(now);
   see_what_is_answered();
}

time_point publisher::next_ask(time_point now) const {
   if (now > after(needed_since_, patience)) return after(asked_at_, outage_spacing);
   return open_.empty() ? now : after(asked_at_, spacing);
}

// A lane may be behind: what it says of a node that is no longer named is of no interest.
void publisher::pass_on(const role_report& r, time_point now) {
   const auto target = guide_.target();
   if (!target || target->where != r.where) return;
   if (r.refused_as.empty()) return guide_.role_verified(r.where, r.number, now);
   if (r.number == target->generation) guide_.role_refused(r.where, r.refused_as, now);
}

void publisher::ask(time_point now) {
   const auto round = guide_.ask(now);
   if (open_.size() == most_open) open_.pop_back();  // answered with the newest
   open_.push_back({asked_, round});
   put_ = asked_;
   asked_at_ = now;
}

void publisher::see_what_is_answered() {
   for (const auto& q : open_) {
      if (guide_.answered(q.round)) finished_ = std::max(finished_, q.ticket);
   }
   if (const auto target = guide_.target(); target && target->generation != generation_) {
      generation_ = target->generation;
      finished_ = put_ = asked_;
   }
   std::erase_if(open_, [&](const question& q) { return q.ticket <= finished_; });
}

std::shared_ptr<const snapshot> publisher::changed(std::optional<duration> down_after) {
   snapshot s = look(guide_, down_after);
   s.finished = finished_;
   if (published_ && s == *published_) return nullptr;
   published_ = std::make_shared<const snapshot>(std::move(s));
   return published_;
}

}  // namespace holdfast::engine

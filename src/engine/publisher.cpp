#include "engine/publisher.hpp"

#include <algorithm>

namespace holdfast::impl {

topology_requests publisher::take(topology_requests of_all, const topology_update& latest, time_point now) {
   needed_since_ = of_all.commands_wait ? std::min(needed_since_, now) : never;
   asked_ = std::max(asked_, of_all.asked);
   see_what_is_answered(latest);
   if (asked_ != put_) ask_at_ = next_ask(now);
   if (asked_ != put_ && now >= ask_at_) {
      questions_.passed_on(asked_, ++rounds_);
      put_ = asked_;
      asked_at_ = now;
   }
   of_all.asked = rounds_;
   return of_all;
}

time_point publisher::next_ask(time_point now) const {
   if (now > after(needed_since_, patience)) return after(asked_at_, outage_spacing);
   return questions_.idle() ? now : after(asked_at_, spacing);
}

void publisher::see_what_is_answered(const topology_update& latest) {
   questions_.close_answered([&](auto round) { return round <= latest.answered; });
   if (!latest.view->master || latest.view->master->generation == generation_) return;
   generation_ = latest.view->master->generation;
   put_ = asked_;
   questions_.answer(asked_);
}

std::optional<topology_update> publisher::changed(const topology_update& latest) {
   see_what_is_answered(latest);
   if (latest.view->version == published_.view->version && questions_.answered() == published_.answered)
      return std::nullopt;
   published_ = {latest.view, questions_.answered()};
   return published_;
}

}  // namespace holdfast::impl
